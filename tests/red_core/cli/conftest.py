"""Calls of the command line in this process."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from red_core.cli import main

Refused = Callable[..., str]


@pytest.fixture
def refused(capsys: pytest.CaptureFixture[str]) -> Refused:
    """Run a command that must fail with `status`; returns its one line on stderr."""

    def check(*words: object, status: int = 2) -> str:
        assert main([str(word) for word in words]) == status
        shown = capsys.readouterr()
        assert shown.err.startswith("error: ")
        assert shown.err.count("\n") == 1
        return shown.err

    return check

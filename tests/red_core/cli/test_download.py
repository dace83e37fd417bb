"""`download`: a bar while bytes come, one line at the end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from red_core.cli import download as command
from red_core.cli import main
from red_core.data.download import DownloadError


@pytest.fixture
def fetching(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[object], None]:
    """What the download does: calls of its progress, or an error."""
    monkeypatch.setenv("RED_DATA", str(tmp_path))
    monkeypatch.setattr(command, "is_there", lambda _: False)

    def does(what: object) -> None:
        def download(dataset: str, progress: Callable[[int, int | None], None]) -> bool:
            assert dataset == "cifar10"
            if isinstance(what, BaseException):
                raise what
            for told in what:
                progress(*told)
            return True

        monkeypatch.setattr(command, "download", download)

    return does


def test_the_bar_and_the_place(fetching, tmp_path: Path, capsys) -> None:
    fetching([(50_000_000, None), (50_000_000, 170_000_000), (170_000_000, 170_000_000)])
    assert main(["download", "cifar10"]) == 0
    shown = capsys.readouterr()
    assert shown.out == f"CIFAR-10 is in {tmp_path}\n"
    assert "170M/170M" in shown.err


def test_what_is_there_is_not_fetched(fetching, tmp_path: Path, monkeypatch, capsys) -> None:
    fetching(AssertionError("fetched"))
    monkeypatch.setattr(command, "is_there", lambda _: True)
    assert main(["download", "cifar10"]) == 0
    assert capsys.readouterr().out == f"CIFAR-10 is in {tmp_path} already\n"


def test_a_failure_is_one_line_and_status_1(fetching, capsys) -> None:
    fetching(DownloadError("CIFAR-10 could not be fetched: the connection was refused."))
    assert main(["download", "cifar10"]) == 1
    lines = capsys.readouterr().err.splitlines()
    assert lines[-1] == "error: CIFAR-10 could not be fetched: the connection was refused."


def test_an_interruption_is_status_130(fetching, capsys) -> None:
    fetching(KeyboardInterrupt())
    assert main(["download", "cifar10"]) == 130
    assert "error: interrupted" in capsys.readouterr().err


def test_other_data_sets_are_refused(refused) -> None:
    assert "invalid choice: 'mnist'" in refused("download", "mnist")
    assert "dataset" in refused("download")

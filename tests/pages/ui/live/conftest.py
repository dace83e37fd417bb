from __future__ import annotations

import pytest


class Clock:
    """A clock that moves when a test moves it: `now`, in seconds."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()

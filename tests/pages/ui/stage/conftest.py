"""A finished run, whose files and blocks are looked into."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from pages.ui.live.live_run import LiveRun
from red_core.run.settings import RunSettings
from tests.pages.conftest import QUICK


@pytest.fixture(scope="module")
def run(parts) -> Iterator[LiveRun]:
    settings = RunSettings(index=3, attack="l1", attack_steps=3, solver=QUICK)
    made = LiveRun(parts, settings, None, "finished")
    made.begin()
    while made.status()["busy"]:
        time.sleep(0.01)
    assert made.status()["state"] == "finished"
    yield made
    made.close()

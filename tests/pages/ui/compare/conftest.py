"""Methods made for tests, in the place of the tables' own: quick, and known in advance."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
import torch

from pages.ui.live.worker import THREAD_NAME
from red_core import methods
from red_core.data.assets import AssetError
from red_core.methods import ANSWERS, Answers, Method


class Fake(Method):
    """Reads class 3 and names l-inf, whatever it gets."""

    key, title, answers_attack, files = "fake", "Fake", True, ()

    @classmethod
    def fit(cls, bundle):
        return cls()

    def classify(self, attacked, seeds, watch=None):
        batch = len(attacked)
        attack = torch.full((batch,), ANSWERS.index("linf"))
        return Answers(torch.full((batch,), 3), attack, attacked / 2, attacked - attacked / 2)


class Slow(Fake):
    """Takes steps; tells of each; goes on for ever if told to."""

    key, title, iterative = "slow", "Slow and steady", True
    readings: ClassVar[dict[str, str]] = {"rules": "by rules"}
    steps = 12
    pace = 0.0

    def classify(self, attacked, seeds, watch=None):
        for k in range(1, self.steps + 1):
            time.sleep(self.pace)
            if watch is not None:
                watch(k, attacked * k / self.steps)
        found = super().classify(attacked, seeds)
        wrong = Answers(found.signal + 1, torch.full_like(found.attack, ANSWERS.index("l1")))
        return Answers(found.signal, found.attack, attacked, attacked * 0, {"rules": wrong})


class Namer(Fake):
    """Answers the attack alone."""

    key, title, answers_signal = "namer", "Namer", False

    def classify(self, attacked, seeds, watch=None):
        return Answers(attack=torch.full((len(attacked),), ANSWERS.index("l2")))


class Broken(Fake):
    key, title = "broken", "Broken"
    fault: Exception = ValueError("this image is not to its taste")

    def classify(self, attacked, seeds, watch=None):
        raise self.fault


class Missing(Fake):
    key, title, files = "missing", "Missing", ("nowhere.safetensors",)


class Damaged(Fake):
    key, title = "damaged", "Damaged"

    @classmethod
    def fit(cls, bundle):
        raise AssetError("its file is damaged")


FAKES: tuple[type[Method], ...] = (Fake, Slow, Namer, Broken, Missing, Damaged)


@pytest.fixture
def fakes() -> Iterator[dict[str, type[Method]]]:
    """METHODS with the fakes alone."""
    kept = dict(methods.METHODS)
    methods.METHODS.clear()
    methods.METHODS.update({fake.key: fake for fake in FAKES})
    yield methods.METHODS
    methods.METHODS.clear()
    methods.METHODS.update(kept)


def settled(worker: Any, seconds: float = 60) -> Any:
    """The worker's last view."""
    return until(worker, lambda view: not view.busy, seconds)


def until(worker: Any, wanted: Callable[[Any], bool], seconds: float = 60) -> Any:
    end = time.monotonic() + seconds
    while not wanted(view := worker.view()):
        assert time.monotonic() < end, view
        time.sleep(0.005)
    return view


@pytest.fixture
def started() -> Iterator[Callable[[Any], Any]]:
    """Workers that a test begins; all are ended afterwards."""
    workers: list[Any] = []

    def remember(worker: Any) -> Any:
        workers.append(worker)
        return worker

    yield remember
    for worker in workers:
        worker.close()
        worker._thread.join(20)
    assert not any(thread.name == THREAD_NAME for thread in threading.enumerate())

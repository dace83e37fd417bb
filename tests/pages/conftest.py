"""A toy of the trained parts: the real networks, untrained and thin; a run takes a second."""

from __future__ import annotations

import gc
import html
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
import torch
from streamlit.testing.v1 import AppTest

from pages.ui.live.loaded_models import LoadedModels
from pages.ui.live.run_view import RunView
from pages.ui.live.runner import Runner
from pages.ui.live.worker import THREAD_NAME
from pages.ui.undo import undo_registry as session
from red_core.algorithm.problem import AttackDictionary
from red_core.algorithm.verdict import Readers
from red_core.data.datasets import CLASSES, ImageSet
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator
from red_core.run.bundle import Bundle
from red_core.run.settings import RunSettings

QUICK = (("restarts", 2), ("start_steps", 5), ("steps", 12), ("carry", 2), ("encoder_start", False))


def by_label(elements, label: str):
    """Of the elements of an AppTest, the first one with this label."""
    return next(element for element in elements if element.label == label)


def slots(app: AppTest) -> dict[str, dict[str, Any]]:
    """What the live parts of a page show, by the names of their slots."""
    shown = (json.loads(element.proto.json or "{}") for element in app.get("bidi_component"))
    return {data["slot"]: data for data in shown if "slot" in data}


def written(app: AppTest, slot: str) -> str:
    """The text of a slot of words."""
    return html.unescape(re.sub("<[^>]*>", "", slots(app)[slot]["html"]))


@contextmanager
def remembered(kind: type[Any]) -> Iterator[list[Any]]:
    """Every object of this kind, an earlier test's too: AppTest's sessions are one visitor."""
    found: list[Any] = [each for each in gc.get_objects() if type(each) is kind]
    begin = kind.__init__

    def remember(self) -> None:
        begin(self)
        found.append(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(kind, "__init__", remember)
        yield found


def end_all(registries: list[Any]) -> None:
    """Clear the registries, and wait until none of their workers is left."""
    for registry in registries:
        registry.clear()
    end = time.monotonic() + 30
    while any(thread.name == THREAD_NAME for thread in threading.enumerate()):
        assert time.monotonic() < end
        time.sleep(0.02)


def rerun_until(app: AppTest, wanted: Callable[[AppTest], bool], seconds: float = 60) -> AppTest:
    """Run the page again and again, as a browser would, until `wanted` holds."""
    end = time.monotonic() + seconds
    while not wanted(app):
        assert time.monotonic() < end, [header.value for header in app.header]
        time.sleep(0.05)
        app.run()
    return app


def make_parts() -> LoadedModels:
    torch.manual_seed(0)
    psi = Table3CNN().eval().requires_grad_(False)
    generator = DCGANGenerator(latent=8, width=4).eval().requires_grad_(False)
    deltas = torch.randn(10, 3, 6, 784) * 0.1
    dictionary = AttackDictionary.from_attacks(deltas, ("linf", "l2", "l1"))
    examples = ImageSet(torch.rand(30, 1, 28, 28), torch.arange(30) % 10, "30 toy examples")
    bundle = Bundle(
        "mnist",
        CLASSES["mnist"],
        generator,
        None,
        Readers(psi),
        dictionary,
        examples,
        torch.device("cpu"),
    )
    return LoadedModels(bundle)


@pytest.fixture(scope="session")
def parts() -> LoadedModels:
    return make_parts()


@pytest.fixture
def colour(toy_cifar10: Bundle) -> LoadedModels:
    """Toy parts of CIFAR-10: images in colour, and a z of 9 layers times 16."""
    return LoadedModels(toy_cifar10)


@pytest.fixture
def settings() -> RunSettings:
    return RunSettings(index=3, attack="linf", attack_steps=3, preset="best", solver=QUICK)


@pytest.fixture
def in_colour(settings: RunSettings) -> RunSettings:
    return replace(settings, dataset="cifar10")


@pytest.fixture
def colour_pages(colour: LoadedModels, monkeypatch) -> LoadedModels:
    """`colour`, on every page that is opened."""
    monkeypatch.setattr(session, "load_bundle", lambda *_: colour.bundle)
    return colour


def wait_until(runner: Runner, wanted: Callable[[RunView], bool], seconds: float = 60) -> RunView:
    """The first view for which `wanted` holds; fails after `seconds`."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        view = runner.view()
        if wanted(view):
            return view
        time.sleep(0.01)
    raise AssertionError(f"still {runner.view().state} at k = {runner.view().k}")

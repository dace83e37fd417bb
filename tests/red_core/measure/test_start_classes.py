"""Inversions from every class: what is counted, and that it is the solver's own start phase."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from red_core.measure import start_classes
from red_core.measure.start_classes import ended_from, inversion_options, measure
from red_core.run.bundle import Bundle
from red_core.run.prior import StylePrior
from red_core.run.settings import SettingsError


@pytest.fixture(autouse=True)
def _few_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start_classes, "STEPS", 3)


def test_the_options_are_bests_without_pull_or_rivals() -> None:
    options = inversion_options("cifar10", 7)
    assert options.start_steps == 7
    assert options.carry == 1
    assert options.latent_weight == options.feature_weight == 0


def test_every_inversion_is_counted_once(toy_cifar10: Bundle, tmp_path: Path) -> None:
    report = measure(toy_cifar10, 12, 0, tmp_path)
    assert report["n"] == 12
    assert [sum(row) for row in report["ended"]] == [12] * 10
    assert sum(report["images"]) == 12
    for row in report["right"]:
        assert all(0 <= hit <= there for hit, there in zip(row, report["images"], strict=True))
    total = sum(map(sum, report["right"])) / 120
    assert report["share"]["value"] == pytest.approx(total)
    assert report["share"]["low"] <= total <= report["share"]["high"]
    again = measure(toy_cifar10, 12, 0, tmp_path)
    assert again["right"] == report["right"]


def test_a_generator_that_draws_one_class_only_is_found_out(
    toy_cifar10: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stuck(bundle, images, start, steps, tick=lambda: None):
        prior = bundle.prior
        assert isinstance(prior, StylePrior)
        own = [bool(start.equal(centre)) for centre in prior.class_centres()].index(True)
        return torch.full((len(images),), own), torch.ones(len(images))

    monkeypatch.setattr(start_classes, "ended_from", stuck)
    report = measure(toy_cifar10, 10, 0, tmp_path)
    assert report["kept"] == 1
    assert report["share"]["value"] == pytest.approx(0.1)
    assert report["ended"] == (10 * torch.eye(10, dtype=torch.long)).tolist()


def test_an_inversion_comes_nearer_than_its_start(toy_cifar10: Bundle) -> None:
    prior, images = toy_cifar10.prior, toy_cifar10.examples.images[:2]
    _, near = ended_from(toy_cifar10, images, prior.centre(), 6)
    with torch.no_grad():
        first = toy_cifar10.generator(prior.centre()[None])
    assert bool((near < (first - images).flatten(1).norm(dim=1)).all())


def test_what_cannot_be_measured_is_refused(
    toy_cifar10: Bundle, toy_bundle: Bundle, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="mnist knows no classes"):
        measure(toy_bundle, 2, 0, tmp_path)
    with pytest.raises(SettingsError, match="13 examples were asked for, and there are 12"):
        measure(toy_cifar10, 13, 0, tmp_path)
    few = replace(toy_cifar10.examples, labels=torch.zeros(12, dtype=torch.long))
    report = measure(replace(toy_cifar10, examples=few), 4, 0, tmp_path)
    assert report["images"] == [4] + [0] * 9

"""Inversions from every class: what is counted, and that it is the solver's own start phase."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from red_core.algorithm.presets import PRESETS
from red_core.measure import start_classes
from red_core.measure.start_classes import (
    ended_from,
    inversion_options,
    measure,
    random_options,
    report_key,
    steps_of,
)
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.prior import StylePrior
from red_core.run.settings import SettingsError, item_seed
from tests.red_core.ties import lead


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


def test_what_cannot_be_measured_is_refused(toy_cifar10: Bundle, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="13 examples were asked for, and there are 12"):
        measure(toy_cifar10, 13, 0, tmp_path)
    few = replace(toy_cifar10.examples, labels=torch.zeros(12, dtype=torch.long))
    report = measure(replace(toy_cifar10, examples=few), 4, 0, tmp_path)
    assert report["images"] == [4] + [0] * 9


@pytest.fixture
def _short_paper(monkeypatch: pytest.MonkeyPatch) -> None:
    short = replace(random_options("mnist"), start_steps=3, steps=4)
    monkeypatch.setattr(start_classes, "random_options", lambda dataset: short)


def test_a_random_start_is_papers_without_rivals() -> None:
    options, paper = random_options("mnist"), PRESETS["paper"]
    assert options == replace(paper, restarts=1)
    assert not options.encoder_start
    assert steps_of("mnist") == paper.start_steps + paper.steps
    assert steps_of("cifar10") == start_classes.STEPS


@pytest.mark.usefixtures("_short_paper")
def test_inversions_from_random_starts_are_counted_by_first_and_last_image(
    toy_bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = measure(toy_bundle, 12, 5, tmp_path, "linf")
    monkeypatch.setattr(start_classes, "BATCH", 5)
    report = measure(toy_bundle, 12, 5, tmp_path, "linf")
    for table in ("begun", "right", "ended"):
        assert report[table] == whole[table], "the batch changes nothing"
    assert sum(map(sum, report["begun"])) == sum(map(sum, report["ended"])) == 12
    # The first image is G of the seed's own draw.
    seeds = [item_seed(5, index) for index in range(12)]
    streams = [torch.Generator().manual_seed(seed) for seed in seeds]
    with torch.no_grad():
        logits = toy_bundle.psi(toy_bundle.generator(toy_bundle.prior.draw(streams, 1)[:, 0]))
    assert lead(logits) > 1e-4
    first = logits.argmax(1)
    true = toy_bundle.examples.labels[:12]
    assert [sum(row) for row in report["begun"]] == first.bincount(minlength=10).tolist()
    assert report["same"] == pytest.approx(float((first == true).float().mean()))
    right = sum(map(sum, report["right"]))
    assert report["share"]["value"] == pytest.approx(right / 12)
    stayed = sum(row[c] for c, row in enumerate(report["ended"]))
    same_right = sum(report["right"][c][c] for c in range(10))
    others = 12 - sum(report["begun"][c][c] for c in range(10))
    assert report["kept"] == pytest.approx((stayed - same_right) / max(1, others))
    there = [sum(row) > 0 for row in report["begun"]]
    assert [distance is not None for distance in report["mean_distance"]] == there


@pytest.mark.usefixtures("_short_paper")
def test_the_named_generator_is_inverted(toy_generators: Path, tmp_path: Path) -> None:
    own, papers = (load_bundle("mnist", generator=name) for name in ("own", "dcgan"))
    first, second = (measure(bundle, 4, 0, tmp_path) for bundle in (own, papers))
    assert (first["generator"], second["generator"]) == ("own", "dcgan")
    assert "--generator dcgan --attack none" in second["command"]
    assert "paper-generator.safetensors" in second["files"]
    assert first["mean_distance"] != second["mean_distance"]
    assert report_key("mnist", "none", 0, "cpu") != report_key("mnist", "none", 0, "cpu", "dcgan")

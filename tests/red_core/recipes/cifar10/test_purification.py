"""The measurement of the purifier: the rule of three points, what it writes, that it resumes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from red_core.attacks.pgd import ATTACKS, attack_norm
from red_core.data.assets import read_manifest, write_tensors
from red_core.data.datasets import load_official
from red_core.models.denoiser import Denoiser
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10 import purification
from red_core.recipes.cifar10.purification import (
    NAME,
    WAYS,
    Measuring,
    Row,
    choose,
    measure_purification,
)
from red_core.recipes.common import RecipeContext
from tests.red_core.ties import lead


def row(way: str, sigma: float, clean: int, attacked: int) -> Row:
    return Row(way, sigma, clean, dict.fromkeys(ATTACKS, attacked))


def test_the_largest_sigma_that_keeps_three_points_is_chosen() -> None:
    table = [row("flow", 0.3, 90, 70), row("flow", 0, 95, 0), row("flow", 0.2, 92, 60)]
    assert choose(table, 95, 100) is table[2]
    assert choose([*table, row("flow", 0.25, 91, 99)], 95, 100) is table[2]  # four points
    assert choose([*table, row("flow", 0.1, 96, 99)], 95, 100) is table[2]  # not the largest
    assert choose(table[:2], 95, 100) is table[1]  # no noise at all
    with pytest.raises(ValueError, match="no sigma keeps 95 of 100"):
        choose(table[:1], 95, 100)


def test_of_the_ways_the_one_that_recovers_the_most_is_chosen() -> None:
    table = [row("flow", 0.2, 92, 60), row("ancestral", 0.1, 93, 61), row("ancestral", 0.3, 91, 99)]
    assert choose(table, 95, 100) is table[1]


def write_denoiser(seed: int) -> None:
    torch.manual_seed(seed)
    network = Denoiser((8, 8), 1, 16)
    torch.nn.init.constant_(network.gain, 0.5)
    made = {"command": "python -m red_core recipe cifar10", "hours": 0.5, "measured": {"a": 1}}
    write_tensors("cifar10", NAME, network.state_dict(), **made)


@pytest.fixture
def context(toy_cifar10: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecipeContext:
    """Untrained networks as assets, two levels of noise; every image has a batch of its own."""
    write_denoiser(0)
    made = {"command": "python -m red_core recipe cifar10"}
    torch.manual_seed(1)
    write_tensors("cifar10", "classifier.safetensors", WideResNet(10, 1).state_dict(), **made)
    monkeypatch.setattr(purification, "SIGMAS", (0.05, 0.3))
    monkeypatch.setattr(purification, "BATCH", 1)
    return RecipeContext("cifar10", work=tmp_path / "work", scale="tiny")


def entry() -> dict[str, Any]:
    return dict(read_manifest("cifar10")[NAME])


def untimed(found: dict[str, Any]) -> dict[str, Any]:
    for figures in found["test"].values():
        assert figures.pop("seconds_an_image") > 0
    return found


def test_the_figures_join_the_denoisers_entry(context: RecipeContext) -> None:
    before = entry()
    measure_purification(context)
    after = entry()
    found = after["measured"].pop("purification")
    assert after == before  # nothing else was touched
    assert found["command"] == context.command("purification")
    assert len(found["sweep"]) == 1 + 2 * len(WAYS)
    plain = found["sweep"][0]
    assert plain["sigma"] == 0
    line = next(
        line
        for line in found["sweep"]
        if (line["way"], line["sigma"]) == (found["way"], found["sigma"])
    )
    assert line["clean"] >= plain["clean"] - 0.03
    assert list(found["test"]) == ["clean", *ATTACKS]
    for name, figures in found["test"].items():
        assert figures["images"] == (8 if name == "clean" else 2)
        for accuracy in (figures["psi_accuracy"], figures["psi_accuracy_purified"]):
            assert 0 <= accuracy["low"] <= accuracy["value"] <= accuracy["high"] <= 1
        assert (figures["mean_l2_moved"] > 0) == (found["sigma"] > 0)


def test_a_killed_run_goes_on_to_the_same_figures(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_purification(context)
    whole = untimed(entry()["measured"]["purification"])
    context.checkpoint("purification").unlink()
    crafted, swept = 0, 0
    craft, purified = purification.craft, Measuring.purified

    def counted(*given: Any) -> Tensor:
        nonlocal crafted
        crafted += 1
        if crafted == 6:
            raise KeyboardInterrupt
        return craft(*given)

    def killed(*given: Any) -> Tensor:
        nonlocal swept
        swept += 1
        if swept == 4 * 3 + 2:  # three rows of four sets; of the fourth the second is killed
            raise KeyboardInterrupt
        return purified(*given)

    monkeypatch.setattr(purification, "craft", counted)
    monkeypatch.setattr(Measuring, "purified", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            measure_purification(context)
    measure_purification(context)
    assert crafted == 2 * 3 * 2 + 1  # two splits, three attacks, two images, and the killed one
    assert swept == 4 * (1 + 2 * len(WAYS)) + 2 + 4
    assert untimed(entry()["measured"]["purification"]) == whole


def test_another_denoiser_is_measured_anew(context: RecipeContext) -> None:
    measure_purification(context)
    first = Measuring(context).state["rows"]
    assert len(first) == 1 + 2 * len(WAYS)
    write_denoiser(1)
    assert Measuring(context).state["rows"] == {}
    measure_purification(context)
    assert "purification" in entry()["measured"]


def test_what_is_attacked_and_what_is_read(context: RecipeContext) -> None:
    measuring = Measuring(context)
    measuring.craft()
    for split in ("held_out", "test"):
        images = load_official("cifar10", split).images[:2]
        for kind, radius in (("linf", 0.03), ("l2", 0.5), ("l1", 12.0)):
            norm = attack_norm(measuring.attacked(split, kind) - images, kind)
            assert bool((norm <= radius * 1.0001).all())
            assert bool((norm > 0.1 * radius).all())
    labels = load_official("cifar10", "test").labels[:8]
    images = load_official("cifar10", "test").images[:8]
    with torch.no_grad():
        logits = measuring.psi(images)
    assert lead(logits) > 1e-2  # `right` reads them one by one
    assert torch.equal(measuring.right(images, "test"), logits.argmax(1) == labels)


def test_noise_of_an_image_is_its_own_whatever_the_batch(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    measuring = Measuring(context)
    images = load_official("cifar10", "test").images[:4]
    one_by_one = measuring.purified(images, WAYS["flow"], 0.3)
    monkeypatch.setattr(purification, "BATCH", 3)
    torch.testing.assert_close(
        measuring.purified(images, WAYS["flow"], 0.3), one_by_one, atol=1e-5, rtol=1e-4
    )
    noise = one_by_one - images
    assert float((noise[0] - noise[1]).abs().mean()) > 0.01

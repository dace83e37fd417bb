"""The measurement of the purifier: the rule of the choice, what it writes, that it resumes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from red_core.attacks.pgd import attack_norm
from red_core.data.assets import read_manifest, write_tensors
from red_core.data.datasets import load_official
from red_core.measure.tradeoff import READERS, SETS, Combination, Row, tradeoff_of
from red_core.models.airbench import AirbenchNet
from red_core.models.denoiser import Denoiser
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10 import purification
from red_core.recipes.cifar10.purification import (
    NAME,
    ONE,
    WAYS,
    Measuring,
    choose,
    measure_purification,
)
from red_core.recipes.common import RecipeContext
from tests.red_core.ties import lead


def row(
    way: str, sigma: float, psi: Sequence[float], reader: Sequence[float] = (), draws: int = 1
) -> Row:
    kind = "mean" if draws == 1 else "vote"
    shares = (dict(zip(SETS, each, strict=True)) for each in (psi, reader or psi))
    return Row(way, sigma, kind, draws, *shares, dict.fromkeys(SETS, 10 * sigma))


def test_clean_images_and_the_attacks_count_alike() -> None:
    """What clean images lose may be won on attacked ones, whatever the clean images say alone."""
    table = [
        row("flow", 0.0, (0.95, 0, 0, 0)),
        row("flow", 0.1, (0.94, 0.2, 0.3, 0.2)),
        row("flow", 0.2, (0.85, 0.5, 0.6, 0.5)),
        row("flow", 0.3, (0.55, 0.6, 0.6, 0.6)),
    ]
    assert choose(table, "psi") is table[2]
    assert choose(reversed(table), "psi") is table[2]
    assert choose([*table, row("ancestral", 0.2, (0.9, 0.5, 0.6, 0.5))], "psi").way == "ancestral"
    assert table[2].mean("psi") == pytest.approx(2.45 / 4)
    with pytest.raises(ValueError, match="empty"):
        choose([], "psi")


def test_each_reader_has_a_choice_of_its_own() -> None:
    low, high = (0.8, 0.3, 0.3, 0.3), (0.8, 0.7, 0.7, 0.7)
    table = [row("flow", 0.1, low, high), row("ancestral", 0.3, high, low)]
    assert choose(table, "psi") is table[1]
    assert choose(table, "reader") is table[0]


def test_of_equal_rows_the_cheaper_one_is_chosen() -> None:
    shares = (0.8, 0.5, 0.6, 0.7)
    table = [
        row("flow", 0.1, shares),
        row("first guess", 0.2, shares, draws=4),
        row("first guess", 0.2, (0.7, 0.6, 0.5, 0.8)),  # the same mean, added otherwise
        row("first guess", 0.3, shares),
    ]
    assert choose(table, "psi") is table[2]


FEW = (ONE, Combination("mean", 2), Combination("vote", 2))
ROWS = 1 + 2 * sum(c.draws <= way.most for way in WAYS.values() for c in FEW)


def write_denoiser(seed: int) -> None:
    torch.manual_seed(seed)
    network = Denoiser((8, 8), 1, 16)
    torch.nn.init.constant_(network.gain, 0.5)
    made = {"command": "python -m red_core recipe cifar10", "hours": 0.5, "measured": {"a": 1}}
    write_tensors("cifar10", NAME, network.state_dict(), **made)


def write_reader(seed: int) -> None:
    torch.manual_seed(seed)
    network = AirbenchNet((8, 8, 8))
    network.fit_whitening(torch.rand(50, 3, 32, 32))
    network.head.weight.data *= 100  # an untrained network hardly prefers a class
    more = {"temperature": torch.tensor(2.0), "weights": torch.ones(3)}
    stored = {**network.state_dict(), **more}
    write_tensors("cifar10", "reader.safetensors", stored, command="recipe", hours=0.1)


@pytest.fixture
def context(toy_cifar10: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecipeContext:
    """Untrained networks as assets, two levels of noise; every image has a batch of its own."""
    write_denoiser(0)
    made = {"command": "python -m red_core recipe cifar10"}
    torch.manual_seed(1)
    write_tensors("cifar10", "classifier.safetensors", WideResNet(10, 1).state_dict(), **made)
    write_reader(2)
    monkeypatch.setattr(purification, "SIGMAS", (0.05, 0.3))
    monkeypatch.setattr(purification, "COMBINATIONS", FEW)
    for name, way in WAYS.items():
        monkeypatch.setitem(WAYS, name, replace(way, steps=min(way.steps, 2)))
    monkeypatch.setattr(purification, "BATCH", 1)
    return RecipeContext("cifar10", work=tmp_path / "work", scale="tiny")


def entry() -> dict[str, Any]:
    return dict(read_manifest("cifar10")[NAME])


def untimed(found: dict[str, Any]) -> dict[str, Any]:
    for choice in found["choices"].values():
        for figures in choice["test"].values():
            assert figures.pop("seconds_an_image") > 0
    return found


def test_the_figures_join_the_denoisers_entry(context: RecipeContext) -> None:
    before = entry()
    measure_purification(context)
    after = entry()
    tradeoff = tradeoff_of({NAME: after})
    found = after["measured"].pop("purification")
    assert after == before  # nothing else was touched
    assert found["command"] == context.command("purification")
    assert "averaged over clean images and the three attacks" in found["rule"]
    assert tradeoff is not None
    sweep = list(tradeoff.rows)
    assert len(sweep) == ROWS
    assert (sweep[0].sigma, set(sweep[0].distance.values())) == (0, {0})
    assert {line.combination for line in sweep[1:]} == set(FEW)
    for line in sweep[1:]:
        assert all(0 <= line.psi[name] <= 1 and 0 <= line.reader[name] <= 1 for name in SETS)
        assert all(line.distance[name] > 0 for name in SETS)
    for reader, choice in found["choices"].items():
        best = max(line.mean(reader) for line in sweep)
        assert choice["held_out"] == pytest.approx(best, abs=1e-3)
        chosen = choose(sweep, reader)
        assert tradeoff.chosen[reader] == chosen
        assert [choice[name] for name in ("way", "sigma", "kind", "draws")] == [
            *(chosen.way, chosen.sigma, chosen.kind, chosen.draws)
        ]
        assert choice["steps"] == WAYS[chosen.way].steps
        assert list(choice["test"]) == list(SETS)
        for name, figures in choice["test"].items():
            assert figures["images"] == (8 if name == "clean" else 2)
            for read in (figures["read"], figures["read_purified"]):
                assert list(read) == list(READERS)
                for one in read.values():
                    assert 0 <= one["low"] <= one["value"] <= one["high"] <= 1
            assert (figures["mean_l2_moved"] > 0) == (choice["sigma"] > 0)


def test_a_killed_run_goes_on_to_the_same_figures(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_purification(context)
    whole = untimed(entry()["measured"]["purification"])
    context.checkpoint("purification").unlink()
    crafted, swept = 0, 0
    craft, answers = purification.craft, Measuring.answers

    def counted(*given: Any) -> Tensor:
        nonlocal crafted
        crafted += 1
        if crafted == 6:
            raise KeyboardInterrupt
        return craft(*given)

    def killed(*given: Any) -> Any:
        nonlocal swept
        swept += 1
        if swept == 4 * 3 + 2:  # three jobs of four sets; of the fourth the second is killed
            raise KeyboardInterrupt
        return answers(*given)

    monkeypatch.setattr(purification, "craft", counted)
    monkeypatch.setattr(Measuring, "answers", killed)
    for _ in range(2):
        with pytest.raises(KeyboardInterrupt):
            measure_purification(context)
    measure_purification(context)
    assert crafted == 2 * 3 * 2 + 1  # two splits, three attacks, two images, and the killed one
    jobs = 1 + 2 * len(WAYS)
    choices = {
        tuple(choice[name] for name in ("way", "sigma", "kind", "draws"))
        for choice in whole["choices"].values()
        if choice["sigma"]
    }
    assert swept == 4 * (jobs + 1 + len(choices)) + 1  # the test images as they are; the killed
    assert untimed(entry()["measured"]["purification"]) == whole


def test_other_networks_are_measured_anew_on_the_same_attacks(context: RecipeContext) -> None:
    measuring = Measuring(context)
    measuring.craft()
    measuring.sweep()
    for write in (write_denoiser, write_reader):
        assert len(Measuring(context).state["found"]) == 4 * (1 + 2 * len(WAYS))
        write(3)
        state = Measuring(context).state
        assert state["found"] == {}
        assert state["attacked"].keys() == measuring.state["attacked"].keys()
        again = Measuring(context)
        again.craft()
        again.sweep()
    torch.manual_seed(7)
    made = {"command": "python -m red_core recipe cifar10"}
    write_tensors("cifar10", "classifier.safetensors", WideResNet(10, 1).state_dict(), **made)
    assert Measuring(context).state["attacked"] == {}, "another psi is attacked anew"


def test_what_is_attacked(context: RecipeContext) -> None:
    measuring = Measuring(context)
    measuring.craft()
    for split in ("held_out", "test"):
        images = load_official("cifar10", split).images[:2]
        for kind, radius in (("linf", 0.03), ("l2", 0.5), ("l1", 12.0)):
            norm = attack_norm(measuring.attacked(split, kind) - images, kind)
            assert bool((norm <= radius * 1.0001).all())
            assert bool((norm > 0.1 * radius).all())


def test_a_mean_and_a_vote_are_what_they_are_called(context: RecipeContext) -> None:
    """The first four of eight purifications: their mean image, or their mean probabilities."""
    measuring, way = Measuring(context), WAYS["ancestral"]
    mean, vote, one = measuring.answers(
        "test", "clean", way, 0.3, [Combination("mean", 4), Combination("vote", 8), ONE]
    )
    data = load_official("cifar10", "test")
    images, labels = data.images[:8], data.labels[:8]
    each = torch.cat([measuring.purified(images, slice(i, i + 1), way, 0.3, 8) for i in range(8)])
    distance = (each - images[:, None]).flatten(2).norm(dim=2)
    torch.testing.assert_close(vote["moved"], distance.mean(1))
    torch.testing.assert_close(one["moved"], distance[:, 0])
    middle = each[:, :4].mean(1)
    torch.testing.assert_close(mean["moved"], (middle - images).flatten(1).norm(dim=1))
    for reader, temperature in (("psi", 1.0), ("reader", 2.0)):
        network = measuring.readers[reader][0]
        with torch.no_grad():
            votes = torch.stack([network(draw) / temperature for draw in each.unbind(1)], 1)
            means = network(middle)
        averaged = votes.softmax(2).mean(1)
        assert min(lead(averaged), lead(means)) > 1e-4  # they are read in other batches
        assert vote[reader].equal(averaged.argmax(1) == labels)
        assert mean[reader].equal(means.argmax(1) == labels)


def test_noise_of_an_image_is_its_own_whatever_the_batch(context: RecipeContext) -> None:
    measuring, way = Measuring(context), WAYS["flow"]
    images = load_official("cifar10", "test").images[:4]
    whole = measuring.purified(images, slice(0, 4), way, 0.3, 1)
    alone = measuring.purified(images, slice(2, 3), way, 0.3, 1)
    torch.testing.assert_close(alone, whole[2:3], atol=1e-5, rtol=1e-4)
    noise = whole[:, 0] - images
    assert float((noise[0] - noise[1]).abs().mean()) > 0.01

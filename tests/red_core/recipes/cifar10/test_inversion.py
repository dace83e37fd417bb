"""The measurement of the inversion: what it writes, that it resumes, and what it writes over."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from red_core.data.assets import AssetError, read_manifest, write_tensors
from red_core.data.datasets import ImageSet
from red_core.models.style import StyleGenerator
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10 import inversion
from red_core.recipes.cifar10.adam_inversion import invert
from red_core.recipes.cifar10.inversion import NAME, SIZES, choose_rate, measure_inversion
from red_core.recipes.cifar10.measured import add_measured
from red_core.recipes.common import RecipeContext


def write_generator(seed: int) -> StyleGenerator:
    torch.manual_seed(seed)
    generator = StyleGenerator((8, 8, 8, 8), 6, 10)
    generator.measure_means(20)
    made = {"command": "python -m red_core recipe cifar10", "hours": 0.5, "measured": {"a": 1}}
    write_tensors("cifar10", NAME, generator.state_dict(), **made)
    return generator.eval().requires_grad_(False)


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RecipeContext:
    """Toy networks as assets; the test images are G's own."""
    monkeypatch.setenv("RED_ASSETS", str(tmp_path / "assets"))
    generator = write_generator(0)
    made = {"command": "python -m red_core recipe cifar10"}
    write_tensors("cifar10", "classifier.safetensors", WideResNet(10, 1).state_dict(), **made)
    labels = torch.arange(20) % 10
    data = ImageSet(generator.sample(labels, list(range(20))), labels, "toy")
    monkeypatch.setattr(inversion, "load_official", lambda dataset, split: data)
    return RecipeContext("cifar10", work=tmp_path / "work", scale="tiny")


def entry() -> dict[str, Any]:
    return dict(read_manifest("cifar10")[NAME])


def test_the_figures_join_the_generators_entry(context: RecipeContext) -> None:
    before = entry()
    measure_inversion(context)
    after = entry()
    found = after["measured"].pop("inversion")
    assert after == before  # nothing else was touched
    assert found["test_images"] == 8
    assert found["rate"] in inversion.RATES
    assert found["command"] == context.command("inversion")
    assert list(found["by_steps"]) == ["2", "4"]
    last = found["by_steps"]["4"]
    assert {name: found[name] for name in last} == last
    assert 0 < last["mean_l2_distance"] < found["by_steps"]["2"]["mean_l2_distance"]
    assert last["seconds_an_image"] > 0
    for name in ("psi_accuracy_on_inverted", "psi_accuracy_on_clean"):
        assert 0 <= found[name]["low"] <= found[name]["value"] <= found[name]["high"] <= 1


def test_a_killed_run_goes_on_to_the_same_figures(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure_inversion(context)
    whole = entry()["measured"]["inversion"]
    context.checkpoint("inversion").unlink()
    calls: list[int] = []

    def killed(*given: Any, **named: Any) -> Any:
        calls.append(1)
        if len(calls) == 4 + 3:  # four rates, two batches, and the third is killed
            raise KeyboardInterrupt
        return invert(*given, **named)

    monkeypatch.setattr(inversion, "invert", killed)
    with pytest.raises(KeyboardInterrupt):
        measure_inversion(context)
    measure_inversion(context)
    assert len(calls) == 7 + 2  # the rate and two of four batches are kept
    again = entry()["measured"]["inversion"]
    for figures in (whole, again, *whole["by_steps"].values(), *again["by_steps"].values()):
        del figures["seconds_an_image"]
    assert again == whole
    measure_inversion(context)
    assert len(calls) == 9


def test_another_generator_is_measured_anew(context: RecipeContext) -> None:
    measure_inversion(context)
    first = entry()["measured"]["inversion"]["mean_l2_distance"]
    write_generator(1)
    assert "inversion" not in entry()["measured"]
    measure_inversion(context)
    assert entry()["measured"]["inversion"]["mean_l2_distance"] != first


def test_the_rate_with_the_smallest_distance_is_chosen(
    context: RecipeContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = write_generator(0)
    labels = torch.arange(4)
    data = ImageSet(generator.sample(labels, [5, 6, 7, 8]), labels, "toy")
    monkeypatch.setattr(inversion, "RATES", (1e-6, 0.05, 50.0))
    size = replace(SIZES["tiny"], chosen_by=20)
    assert choose_rate(generator, data, size) == 0.05


def test_figures_of_a_damaged_file_are_refused(context: RecipeContext, tmp_path: Path) -> None:
    path = tmp_path / "assets" / "cifar10" / NAME
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(AssetError, match="damaged or truncated"):
        add_measured(NAME, "inversion", {})

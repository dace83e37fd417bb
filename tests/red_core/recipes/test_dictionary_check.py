"""What is said of the attacks in D_a and on the examples is what psi makes of them."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, AttackSettings, craft, random_start
from red_core.data.assets import read_manifest, read_tensors, write_tensors
from red_core.data.datasets import ImageSet
from red_core.recipes import dictionary_check, example_attacks
from red_core.recipes.common import RecipeContext
from red_core.run.bundle import load_bundle
from red_core.run.settings import item_seed

QUICK = {
    "linf": AttackSettings("linf", 0.3, 0.1, 3),
    "l2": AttackSettings("l2", 2.0, 0.7, 3),
    "l1": AttackSettings("l1", 10.0, 4.0, 3),
}


@pytest.fixture(autouse=True)
def _quick(toy_tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PAPER_ATTACKS, "mnist", QUICK)


def test_noise_in_a_dictionary_shows_in_its_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = load_bundle("mnist")
    train = ImageSet(bundle.examples.images, bundle.examples.labels, "toy images")
    monkeypatch.setattr(dictionary_check, "load_official", lambda dataset, split: train)
    indices = torch.arange(10).view(10, 1)
    seeds = [item_seed(0, index) for index in range(10)]
    deltas = []
    for kind, settings in QUICK.items():
        images, labels = train.images[:10], train.labels[:10]
        made = random_start(images, settings, seeds)
        if kind != "l2":
            made = craft(bundle.psi, images, labels, settings, seeds) - images
        deltas.append(made.flatten(1)[:, None].half())
    stored = {"deltas": torch.stack(deltas, 1), "indices": indices.int()}
    write_tensors("mnist", "dictionary.safetensors", stored, attacks=list(ATTACKS), command="none")
    dictionary_check.check_dictionary(RecipeContext("mnist"))
    measured = read_manifest("mnist")["dictionary.safetensors"]["measured"]
    assert measured["attacks"]["l2"]["still"] == 1
    assert measured["attacks"]["linf"]["still"] == measured["attacks"]["l1"]["still"] == 0
    assert measured["attacks"]["linf"]["mean_share_of_eps"] == pytest.approx(1, abs=2e-3)
    norms = torch.tensor([measured["block_norms_squared"][kind] for kind in ATTACKS])
    assert torch.allclose(norms, torch.ones(3, 10), atol=1e-2)  # blocks of one unit column
    whole = measured["operator_norm_squared"]
    assert whole == pytest.approx(load_bundle("mnist").dictionary.operator_norm_squared, abs=1e-2)


def test_the_examples_marked_are_those_that_are_misread() -> None:
    context = RecipeContext("mnist")
    example_attacks.measure_example_attacks(context)
    bundle = load_bundle("mnist")
    fooled, examples, psi = bundle.fooled, bundle.examples, bundle.psi
    assert fooled is not None
    assert torch.equal(read_tensors("mnist", example_attacks.NAME)["fooled"].bool(), fooled)
    seeds = [item_seed(0, index) for index in range(len(examples))]
    for a, kind in enumerate(ATTACKS):
        attacked = craft(psi, examples.images, examples.labels, QUICK[kind], seeds)
        assert torch.equal(psi(attacked).argmax(1) != examples.labels, fooled[:, a])
    stored = psi.state_dict()
    stored["head.5.bias"] += 1
    write_tensors("mnist", "classifier.safetensors", stored, command="none")
    assert load_bundle("mnist").fooled is None  # measured with another psi


@pytest.mark.parametrize("dataset", ["mnist", "fashion", "cifar10"])
def test_what_a_shipped_dictionary_holds_is_stated(
    dataset: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RED_ASSETS")
    measured = read_manifest(dataset)["dictionary.safetensors"]["measured"]
    assert set(measured["attacks"]) == set(measured["block_norms_squared"]) == set(ATTACKS)
    for shares in measured["attacks"].values():
        assert set(shares) == {"fooled", "still", "mean_share_of_eps", "largest_share_of_eps"}
    if dataset == "mnist":
        assert all(shares["still"] <= 0.02 for shares in measured["attacks"].values())

"""The bundled photographs: which there are, whose they are, and how a run names one."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from red_core.attacks.pgd import PAPER_ATTACKS, craft
from red_core.data.assets import AssetError, read_tensors
from red_core.data.datasets import CLASSES
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.cifar10_parts import load_psi
from red_core.run.experiment import craft_example
from red_core.run.photographs import (
    PHOTOGRAPHS,
    has_photographs,
    photographs_entry,
    with_photographs,
)
from red_core.run.settings import RunSettings, SettingsError, item_seed

DOCS = Path(__file__).resolve().parents[3] / "docs" / "assets.md"


def test_several_of_every_class() -> None:
    stored, entry = read_tensors("cifar10", PHOTOGRAPHS), photographs_entry("cifar10")
    labels = stored["labels"].long()
    assert stored["images"].shape == (len(labels), 3, 32, 32)
    assert stored["images"].dtype == torch.uint8
    assert len(labels) >= 50
    assert int(labels.bincount(minlength=10).min()) >= 4
    assert entry["measured"]["pictures"] == len(labels)
    names = [CLASSES["cifar10"][label] for label in labels.tolist()]
    assert [one["class"] for one in entry["pictures"]] == names


def test_whose_they_are_stands_in_the_manifest_and_in_the_documentation() -> None:
    entry, docs = photographs_entry("cifar10"), DOCS.read_text(encoding="utf-8")
    packages = {source["package"] for source in entry["sources"]}
    assert {one["package"] for one in entry["pictures"]} == packages
    for source in entry["sources"]:
        assert source["licence"].startswith("GPL-")
        assert source["version"]
        assert source["package"] in docs
        assert source["package"] in entry["licence"]
        assert source["licence"].split(";")[0] in docs


def test_psi_reads_as_many_as_the_manifest_says_and_the_first_can_be_attacked() -> None:
    psi, stored = load_psi(), read_tensors("cifar10", PHOTOGRAPHS)
    images, labels = stored["images"].float() / 255, stored["labels"].long()
    with torch.no_grad():
        right = psi(images).argmax(1) == labels
    assert (
        round(float(right.float().mean()), 4)
        == (photographs_entry("cifar10")["measured"]["psi_reads_rightly"])
    )
    assert right[0]
    attack = PAPER_ATTACKS["cifar10"]["linf"]
    attacked = craft(psi, images[:1], labels[:1], attack, [item_seed(0, 0)])
    with torch.no_grad():
        assert int(psi(attacked).argmax(1)) != int(labels[0])


def test_a_run_takes_the_photograph_that_it_names() -> None:
    bundle = with_photographs(load_bundle("cifar10"))
    settings = RunSettings("cifar10", "photograph", 4, attack="none")
    made = craft_example(bundle, settings)
    stored = read_tensors("cifar10", PHOTOGRAPHS)
    assert torch.equal(made.clean[0], stored["images"][4].float() / 255)
    assert made.labels is not None
    assert int(made.labels) == int(stored["labels"][4])
    with pytest.raises(SettingsError, match="index 400 is beyond"):
        craft_example(bundle, RunSettings("cifar10", "photograph", 400, attack="none"))


def test_where_there_are_none(toy_cifar10: Bundle) -> None:
    assert not has_photographs("cifar10")
    assert not has_photographs("mnist")
    with pytest.raises(AssetError, match="photographs"):
        with_photographs(toy_cifar10)

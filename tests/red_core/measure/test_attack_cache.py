"""Attacked images on disk: whose they are, and when they are crafted anew."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

import red_core.measure.attack_cache
from red_core.attacks.pgd import AttackSettings
from red_core.data.assets import write_tensors
from red_core.measure.attack_cache import AttackCache, Target
from red_core.methods import fit
from red_core.models.classifiers import Table3CNN
from red_core.run.bundle import Bundle, load_bundle

ATTACK = AttackSettings("linf", 0.3, 0.1, 2)


@pytest.fixture
def bundle(toy_tables: Path) -> Bundle:
    return load_bundle("mnist")


@pytest.fixture
def target(bundle: Bundle) -> Target:
    robust = fit("m-inf", bundle)
    assert robust.network is not None
    return Target(robust.network, robust.files)


@pytest.fixture
def attacks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many images each call of PGD attacked; it is replaced by something quick."""
    counts: list[int] = []

    def quick(psi, images, labels, attack, seeds):
        counts.append(len(images))
        return images

    monkeypatch.setattr(red_core.measure.attack_cache, "craft", quick)
    return counts


def test_images_and_labels_count_by_their_content(
    bundle: Bundle, tmp_path: Path, attacks: list[int]
) -> None:
    def fill(**changed: object) -> int:
        attacks.clear()
        examples = replace(bundle.examples, **changed)
        AttackCache(replace(bundle, examples=examples), ATTACK, 0, 4, tmp_path).fill()
        return sum(attacks)

    images, labels = bundle.examples.images, bundle.examples.labels
    assert fill() == 4
    assert fill() == 0
    assert fill(source="the same under another name") == 0
    assert fill(labels=labels.flip(0)) == 4
    assert fill(images=images.flip(0)) == 4
    elsewhere = images.clone()
    elsewhere[9] = 0
    assert fill(images=elsewhere) == 0, "an image that is not attacked"


def test_all_that_decides_an_attack_moves_its_folder(
    bundle: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def folder(attack: AttackSettings = ATTACK, seed: int = 0, bundle: Bundle = bundle) -> Path:
        return AttackCache(bundle, attack, seed, 4, tmp_path).folder

    folders = [
        folder(),
        folder(replace(ATTACK, steps=3)),
        folder(seed=1),
        folder(bundle=replace(bundle, device=torch.device("cuda"))),
    ]
    monkeypatch.setattr(red_core.measure.attack_cache, "code_digest", lambda name: "other code")
    assert len({*folders, folder()}) == 5


def test_every_network_has_attacks_of_its_own(
    bundle: Bundle, target: Target, tmp_path: Path
) -> None:
    psi = AttackCache(bundle, ATTACK, 0, 4, tmp_path)
    own = AttackCache(bundle, ATTACK, 0, 4, tmp_path, target)
    assert psi.folder != own.folder
    attacked = own.read(range(4))
    assert not torch.equal(attacked, psi.read(range(4)))
    labels = bundle.examples.labels[:4]

    def loss(images: torch.Tensor) -> float:
        return float(torch.nn.functional.cross_entropy(target.network(images), labels))

    assert loss(attacked) > loss(psi.read(range(4)))
    assert bundle.psi is not target.network  # the caller's bundle is as it was


def test_other_weights_are_attacked_anew(bundle: Bundle, target: Target, tmp_path: Path) -> None:
    before = AttackCache(bundle, ATTACK, 0, 4, tmp_path, target).folder
    made = {"command": "python -m red_core recipe mnist"}
    write_tensors("mnist", "robust-linf.safetensors", Table3CNN().state_dict(), **made)
    assert AttackCache(bundle, ATTACK, 0, 4, tmp_path, target).folder != before


def test_clean_images_are_those_of_the_bundle(
    bundle: Bundle, target: Target, tmp_path: Path
) -> None:
    clean = AttackCache(bundle, None, 0, 4, tmp_path, target).read(range(1, 4))
    assert torch.equal(clean, bundle.examples.images[1:4])

"""Attacked images on disk: whose they are, and when they are crafted anew."""

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from red_core.attacks.pgd import AttackSettings
from red_core.data.assets import write_tensors
from red_core.measure.attack_cache import Crafted, Target
from red_core.methods import fit
from red_core.models.classifiers import Table3CNN
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.provenance import asset_checksums

ATTACK = AttackSettings("linf", 0.3, 0.1, 2)


@pytest.fixture
def bundle(toy_tables: Path) -> Bundle:
    return load_bundle("mnist")


@pytest.fixture
def target(bundle: Bundle) -> Target:
    robust = fit("m-inf", bundle)
    assert robust.network is not None
    return Target(robust.network, robust.files)


def test_the_key_of_an_attack_on_psi_is_what_it_was(bundle: Bundle, tmp_path: Path) -> None:
    """Files that were crafted before other networks could be attacked stay of use."""
    files = asset_checksums("mnist")
    key = {
        "files": [files["classifier.safetensors"], files["examples.safetensors"]],
        "attack": asdict(ATTACK),
        "seed": 3,
        "source": bundle.examples.source,
    }
    digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:20]
    assert Crafted(bundle, ATTACK, 3, 4, tmp_path).folder == tmp_path / digest


def test_every_network_has_attacks_of_its_own(
    bundle: Bundle, target: Target, tmp_path: Path
) -> None:
    psi = Crafted(bundle, ATTACK, 0, 4, tmp_path)
    own = Crafted(bundle, ATTACK, 0, 4, tmp_path, target)
    assert psi.folder != own.folder
    attacked = own.read(range(4))
    assert not torch.equal(attacked, psi.read(range(4)))
    labels = bundle.examples.labels[:4]

    def loss(images: torch.Tensor) -> float:
        return float(torch.nn.functional.cross_entropy(target.network(images), labels))

    assert loss(attacked) > loss(psi.read(range(4)))
    assert bundle.psi is not target.network  # the caller's bundle is as it was


def test_other_weights_are_attacked_anew(bundle: Bundle, target: Target, tmp_path: Path) -> None:
    before = Crafted(bundle, ATTACK, 0, 4, tmp_path, target).folder
    made = {"command": "python -m red_core recipe mnist"}
    write_tensors("mnist", "robust-linf.safetensors", Table3CNN().state_dict(), **made)
    assert Crafted(bundle, ATTACK, 0, 4, tmp_path, target).folder != before


def test_clean_images_are_those_of_the_bundle(
    bundle: Bundle, target: Target, tmp_path: Path
) -> None:
    clean = Crafted(bundle, None, 0, 4, tmp_path, target).read(range(1, 4))
    assert torch.equal(clean, bundle.examples.images[1:4])

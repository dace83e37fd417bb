"""The files of CIFAR-10 that are bundled are what their manifest says of them."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import torch

from red_core.data.assets import MAX_BYTES, read_manifest, read_tensors
from red_core.recipes.cifar10 import photographs
from red_core.recipes.common import SCALES
from red_core.recipes.parts import parts_of
from red_core.run.cifar10_parts import (
    load_cifar10_dictionary,
    load_denoiser,
    load_encoder,
    load_generator,
    load_psi,
    load_reader,
    load_types,
)

FOLDER = Path(__file__).resolve().parents[4] / "assets" / "cifar10"
MANIFEST = read_manifest("cifar10")
WEIGHTS = sorted(name for name in MANIFEST if name.endswith(".safetensors"))
LOADERS = {
    "classifier.safetensors": load_psi,
    "generator.safetensors": load_generator,
    "encoder.safetensors": load_encoder,
    "diffusion.safetensors": load_denoiser,
    "dictionary.safetensors": load_cifar10_dictionary,
    "reader.safetensors": load_reader,
    "type-classifier.safetensors": load_types,
}
BY_OTHERS = {"generator.safetensors", "encoder.safetensors"}
MADE = sorted(name for name in MANIFEST if " recipe " in MANIFEST[name]["command"])


@pytest.mark.parametrize("name", sorted(MANIFEST))
def test_a_file_is_the_one_the_manifest_names(name: str) -> None:
    entry, blob = MANIFEST[name], (FOLDER / name).read_bytes()
    assert hashlib.sha256(blob).hexdigest() == entry["sha256"]
    assert len(blob) == entry["bytes"] <= MAX_BYTES


def test_no_file_is_without_an_entry() -> None:
    there = {path.name for path in FOLDER.iterdir() if not path.name.endswith(".part")}
    assert there == {"manifest.json", *MANIFEST}


@pytest.mark.parametrize("name", MADE)
def test_an_entry_says_how_its_file_was_made(name: str) -> None:
    entry = MANIFEST[name]
    assert entry["scale"] in SCALES[1:]  # a rehearsal is not shipped
    part = entry["command"].split("--only ")[1].split()[0]
    assert part in parts_of("cifar10")
    seed = entry["seed"]
    assert entry["command"] == (
        f"python -m red_core recipe cifar10 --only {part} --scale {entry['scale']} --seed {seed}"
    )
    assert entry["device"] in ("cpu", "cuda", "mps")
    # Whose pictures are not ours.
    others = name == "photographs.safetensors" or name.startswith("story-")
    assert entry["licence"] == (photographs.LICENCE if others else "MIT")


@pytest.mark.parametrize("name", WEIGHTS)
def test_weights_are_of_half_precision_and_finite(name: str) -> None:
    tensors, shapes = read_tensors("cifar10", name), MANIFEST[name]["shapes"]
    assert MANIFEST[name]["hours"] > 0
    assert shapes == {key: [str(t.dtype)[6:], *t.shape] for key, t in tensors.items()}
    for key, tensor in tensors.items():
        if tensor.is_floating_point():
            assert tensor.isfinite().all(), key
            # Norms, biases and the mean w of each class stay as they were trained.
            small = tensor.dim() < 2 or name == "evidence.safetensors"  # a few kB
            assert small or tensor.dtype == torch.float16, key


# G is measured by parts of their own, inversion and fidelity; E was trained beside it.
@pytest.mark.parametrize("name", sorted(set(LOADERS) & set(MANIFEST) - BY_OTHERS))
def test_an_entry_says_how_good_its_file_is(name: str) -> None:
    assert MANIFEST[name]["measured"]


@pytest.mark.parametrize("name", sorted(set(LOADERS) & set(MANIFEST)))
def test_a_bundled_file_is_read(name: str) -> None:
    LOADERS[name]()

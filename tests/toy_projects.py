"""Projects on disk as `project new` writes them, without the attacks that take its time."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from torch import nn

from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import assets_at, record, write_tensors

MODULE = """
from torch import nn

def build():
    return nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear({inputs}, {classes}))
"""


def write_toy(assets: Path, folder: Path, name: str, says: int) -> Path:
    """A project on MNIST whose psi always says one class, with the toy assets' G and examples."""
    made = {"command": f"python -m red_core project new {name}"}
    (folder / "mnist").mkdir(parents=True)
    for part in ("generator.safetensors", "examples.safetensors"):
        shutil.copy(assets / "mnist" / part, folder / "mnist" / part)
    torch.manual_seed(says)
    network = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(49, 10))
    with torch.no_grad():
        network[2].weight.mul_(0.01)
        network[2].bias.copy_(8.0 * torch.eye(10)[says])
    place = folder / "mnist"
    (place / "classifier.py").write_text(MODULE.format(inputs=49, classes=10))
    state = {key: value.contiguous() for key, value in network.state_dict().items()}
    save_file(state, place / "classifier.safetensors")
    with assets_at(folder):
        for part in ("generator.safetensors", "examples.safetensors", "classifier.py"):
            record("mnist", part, **made)
        record(
            "mnist",
            "classifier.safetensors",
            module="classifier.py",
            mean=[0.0],
            std=[1.0],
            **made,
        )
        deltas = {"deltas": 0.1 * torch.randn(10, 3, 4, 784)}
        write_tensors("mnist", "dictionary.safetensors", deltas, attacks=list(ATTACKS), **made)
    said = {"format": 1, "name": name, "dataset": "mnist", "origin": f"a toy that says {says}"}
    (folder / "project.json").write_text(json.dumps(said))
    return folder


def write_pictures(
    folder: Path,
    *,
    classes: int,
    side: int,
    count: int = 40,
    colour: bool = False,
    seed: int = 0,
    first: int = 0,
) -> Path:
    """A folder of pictures by class: a bright bar at a place of the class's own, and noise."""
    draw = np.random.default_rng(seed)
    for label in range(first, first + classes):
        place = folder / f"c{label:02d}"
        place.mkdir(parents=True, exist_ok=True)
        for number in range(count):
            pixels = draw.integers(0, 60, (side, side, 3), np.uint8)
            pixels[:, (label * side) // max(classes, 1) % side] += 180
            shown = Image.fromarray(pixels)
            (shown if colour else shown.convert("L")).save(place / f"{number:03d}.png")
    return folder

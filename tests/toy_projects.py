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


GENERATOR = """
import torch
from torch import nn

class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(6, {values})

    def forward(self, z):
        return self.layer(z).sigmoid().view(-1, {channels}, {side}, {side})

def build():
    return G()
"""


def write_toy_pictures(folder: Path, name: str, classes: int, channels: int, side: int) -> Path:
    """A project on pictures of its own, its networks untrained."""
    made = {"command": f"python -m red_core project new {name}"}
    place, values = folder / "pictures", channels * side * side
    place.mkdir(parents=True)
    torch.manual_seed(0)
    pooled = channels * (side // 4) ** 2
    network = nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(pooled, classes))
    (place / "classifier.py").write_text(
        f"from torch import nn\n\ndef build():\n    return nn.Sequential(nn.AvgPool2d(4), "
        f"nn.Flatten(), nn.Linear({pooled}, {classes}))\n"
    )
    save_file(network.state_dict(), place / "classifier.safetensors")
    code = GENERATOR.format(values=values, channels=channels, side=side)
    (place / "generator.py").write_text(code)
    layer = {"layer.weight": torch.randn(values, 6), "layer.bias": torch.zeros(values)}
    save_file(layer, place / "generator.safetensors")
    own = {"own": True, "latent_shape": [6], "prior": "normal", "module": "generator.py"}
    psi = {"module": "classifier.py", "mean": [0.0], "std": [1.0], "temperature": 1.0}
    with assets_at(folder):
        record("pictures", "classifier.py", **made)
        record("pictures", "generator.py", **made)
        record("pictures", "classifier.safetensors", **psi, **made)
        record("pictures", "generator.safetensors", **own, **made)
        deltas = {"deltas": 0.1 * torch.randn(classes, 3, 2, values)}
        write_tensors("pictures", "dictionary.safetensors", deltas, attacks=list(ATTACKS), **made)
        images = torch.randint(256, (2 * classes, channels, side, side), dtype=torch.uint8)
        labels = (torch.arange(2 * classes) % classes).byte()
        examples = {"images": images, "labels": labels}
        write_tensors("pictures", "examples.safetensors", examples, said="toys", **made)
    said = {"format": 1, "name": name, "dataset": "pictures", "origin": "a toy of pictures"}
    said |= {"classes": [f"c{c:02d}" for c in range(classes)], "shape": [channels, side, side]}
    (folder / "project.json").write_text(json.dumps(said))
    return folder

"""Undo one image: attack a bundled digit, recover signal and attack, look at both.

    python docs/undo_one_image.py --index 7 --attack linf --picture undone.png

Reads MNIST's bundled weights alone. The picture shows, from left to right: the clean image x, the
attacked image x', the recovered signal G(z), the recovered attack D_a c_a (grey is zero), and what
neither explains.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from PIL import Image

import red_core

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--index", type=int, default=7, help="which bundled digit, 0 to 399")
parser.add_argument("--attack", default="linf", choices=("linf", "l2", "l1"))
parser.add_argument("--preset", default="best", choices=tuple(red_core.presets("mnist")))
parser.add_argument("--picture", type=Path, metavar="OUT.png", help="file for the five images")
arguments = parser.parse_args()

# psi, G, D_a, the readers, and 400 digits that nothing was trained on.
parts = red_core.load("mnist")
clean = parts.examples.images[arguments.index : arguments.index + 1]  # [1, 1, 28, 28] in [0, 1]
label = parts.examples.labels[arguments.index : arguments.index + 1]  # [1]

# x': PGD with the paper's numbers (B.2), away from the true class.
attacked = red_core.craft(parts.psi, clean, label, arguments.attack)

# x' = G(z) + D_a c_a, solved by Algorithm 1, and the verdict.
found = red_core.undo(parts, attacked, arguments.preset)

print(f"the digit is a {label.item()}; psi reads x' as {parts.psi(attacked).argmax().item()}")
print(f"the recovered signal is a {found.labels.item()}, the attack {found.attacks[0]}")
distance = torch.linalg.vector_norm(found.signal - clean).item()
print(f"||G(z) - x|| = {distance:.2f}, where ||x' - x|| = {(attacked - clean).norm().item():.2f}")

if arguments.picture is not None:
    shown = (clean, attacked, found.signal, found.perturbation + 0.5, found.iterate.residual + 0.5)
    row = torch.cat([image[0, 0].clamp(0, 1) for image in shown], dim=1)
    picture = Image.fromarray((255 * row).byte().numpy())
    picture.resize((4 * picture.width, 4 * picture.height), Image.Resampling.NEAREST).save(
        arguments.picture
    )
    print(f"written {arguments.picture}")

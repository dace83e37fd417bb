"""A dictionary for your model: attack it, keep its attacks, and undo some that D_a never saw.

    python docs/dictionary_for_your_model.py --per-class 8 --tested 10

Reads MNIST's bundled weights alone. The model here is a small one that the script fits itself;
anything that takes images [B, 1, 28, 28] in [0, 1] to logits [B, 10] may take its place. The
generator G and its encoder are the bundled ones. `python -m red_core project new` does the same for
the app and the commands, with 200 images a class and more checks.
"""

from __future__ import annotations

import argparse
import dataclasses

import torch
from torch import Tensor, nn

import red_core

parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
parser.add_argument("--per-class", type=int, default=8, help="attacks of a class and type in D_a")
parser.add_argument("--tested", type=int, default=10, help="images that are attacked and undone")
parser.add_argument("--attack-steps", type=int, default=30, help="of PGD")
parser.add_argument("--steps", type=int, default=120, help="joint steps of Algorithm 1")
arguments = parser.parse_args()

parts = red_core.load("mnist")
images, labels = parts.examples.images, parts.examples.labels  # 400 digits, 40 of each


class YourModel(nn.Module):
    """Random features and a ridge regression on the digits' classes: fitted in a moment."""

    def __init__(self, images: Tensor, labels: Tensor, features: int = 600) -> None:
        super().__init__()
        draw = torch.Generator().manual_seed(0)
        self.inner = nn.Parameter(torch.randn(784, features, generator=draw) / 28)
        kept = self.features(images)
        targets = 20 * (nn.functional.one_hot(labels, 10).float() - 0.1)
        gram = kept.T @ kept + 1.0 * torch.eye(features)
        self.outer = nn.Parameter(torch.linalg.solve(gram, kept.T @ targets))

    def features(self, images: Tensor) -> Tensor:
        """[B, features], each at least 0."""
        return (images.flatten(1) @ self.inner).relu()

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, 10]."""
        return self.features(images) @ self.outer


# The last images of every class are for the test: the model and D_a see the others.
chosen = torch.stack([(labels == c).nonzero()[: arguments.per_class, 0] for c in range(10)])
tested = torch.stack([(labels == c).nonzero()[-4:, 0] for c in range(10)], dim=1).flatten()
seen = torch.ones(len(labels), dtype=torch.bool)
seen[tested] = False
psi = YourModel(images[seen], labels[seen]).eval().requires_grad_(False)
tested = tested[: arguments.tested]
right = (psi(images[tested]).argmax(1) == labels[tested]).float().mean()
print(f"your model reads {right:.0%} of the test digits right")

# D_a: perturbations [classes, attacks, m, n], with B.2's radii.
attacks = {
    "linf": red_core.Attack("linf", eps=0.3, step_size=0.02, steps=arguments.attack_steps),
    "l2": red_core.Attack("l2", eps=2.0, step_size=0.2, steps=arguments.attack_steps),
    "l1": red_core.Attack("l1", eps=10.0, step_size=1.0, steps=arguments.attack_steps),
}
flat = chosen.flatten()
made = [
    red_core.craft(psi, images[flat], labels[flat], attack, flat.tolist())
    for attack in attacks.values()
]
deltas = [(x - images[flat]).flatten(1).unflatten(0, chosen.shape) for x in made]
dictionary = red_core.Dictionary.from_attacks(torch.stack(deltas, dim=1), tuple(attacks))
print(f"D_a has {dictionary.size} columns; ||D_a||^2 = {dictionary.operator_norm_squared:.0f}")

# Your psi and D_a beside the bundled G; the bundled readers were trained for another psi.
readers = dataclasses.replace(parts.paper_readers(), psi=psi)
yours = dataclasses.replace(parts, readers=readers, dictionary=dictionary)
for kind, attack in attacks.items():
    attacked = red_core.craft(psi, images[tested], labels[tested], attack)
    fooled = (psi(attacked).argmax(1) != labels[tested]).float().mean()
    found = red_core.undo(yours, attacked, "best", steps=arguments.steps)
    signal = (found.labels == labels[tested]).float().mean()
    named = sum(answer == kind for answer in found.attacks) / len(tested)
    print(f"{kind:5} fools it on {fooled:.0%}; undone: signal {signal:.0%}, attack {named:.0%}")

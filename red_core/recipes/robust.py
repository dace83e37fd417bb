"""Adversarial training: M_inf, M_2, M_1 and MSD, the first baselines of Table 1.

Networks of psi's architecture, trained on attacks on themselves at the paper's eps (Madry et al.
2018; Maini et al. 2020). They begin at psi's weights and the attack grows to its full strength
over the first third, without which training within l-inf eps = 0.3 does not begin at all; MSD
begins at M_inf's, whose ball is the hardest, and is attacked in full at once.
"""

from __future__ import annotations

import torch
from torch import nn

from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, craft
from red_core.data.assets import read_tensors, write_tensors
from red_core.data.datasets import load_official
from red_core.models.channels_last import to_channels_last
from red_core.models.classifiers import Table3CNN
from red_core.recipes.common import RecipeContext, accuracy, shuffled_batches
from red_core.recipes.dictionary import load_classifier
from red_core.recipes.fitting import BATCH, Answered, fit
from red_core.recipes.steepest import Ball, attack
from red_core.run.settings import item_seed

NETWORKS = {"linf": ("linf",), "l2": ("l2",), "l1": ("l1",), "msd": ATTACKS}
EPOCHS = {"linf": 5, "l2": 2, "l1": 2, "msd": 2}  # half an hour of two cores for MNIST
LONGER = {"fashion": {"linf": 10}}  # clothes within 0.3 are harder to learn than digits
BEGUN = {"msd": "linf"}  # whose weights another's are the start of
STEPS = 4
RAMP = 1 / 3  # of the training, until eps is the paper's
OVERSHOOT = {"linf": 1.4, "l2": 1.6, "l1": 1.6}  # of eps: all steps together, in one direction
CHECKED = 200  # held-out images that the finished network is attacked on


def train_robust(context: RecipeContext) -> None:
    """Train the four networks and write `robust-{linf,l2,l1,msd}.safetensors`."""
    for name in NETWORKS:
        _train(context, name)


def _train(context: RecipeContext, name: str) -> None:
    train = load_official(context.dataset, "train")
    images, labels = train.images, train.labels
    epochs = (EPOCHS | LONGER.get(context.dataset, {}))[name]
    if context.tiny:
        images, labels, epochs = images[:512], labels[:512], 1
    device = context.device
    images, labels = images.to(device), labels.to(device)
    torch.manual_seed(context.seed)
    network = load_classifier(context)
    if name in BEGUN:
        network.load_state_dict(read_tensors(context.dataset, f"robust-{BEGUN[name]}.safetensors"))
    network = to_channels_last(network, device).requires_grad_(True)
    batches = -(-len(labels) // BATCH)

    def answered(epoch: int) -> Answered:
        torch.manual_seed(context.seed * 4513 + epoch)  # a resumed run draws the same starts
        for number, index in enumerate(shuffled_batches(len(labels), BATCH, context.seed, epoch)):
            done = (epoch + number / batches) / epochs
            chosen, truth = images[index.to(device)], labels[index.to(device)]
            scale = 1.0 if name in BEGUN else min(1.0, 0.2 + done / RAMP)
            yield network(_attack(network, context, name, chosen, truth, scale)), truth

    fit(
        *(context, f"robust-{name}", network, answered),
        epochs=epochs,
        count=len(labels),
        peak=2e-3,
    )
    network.eval().requires_grad_(False)
    write_tensors(
        context.dataset,
        f"robust-{name}.safetensors",
        network.state_dict(),
        command=context.command("robust"),
        seed=context.seed,
        device=device,
        measured=_measured(context, network),
        licence="MIT",
    )


def _attack(
    network: Table3CNN,
    context: RecipeContext,
    name: str,
    images: torch.Tensor,
    labels: torch.Tensor,
    scale: float,
) -> torch.Tensor:
    """x' at `scale` times the paper's eps, made with the weights held."""
    balls = []
    for kind in NETWORKS[name]:
        eps = PAPER_ATTACKS[context.dataset][kind].eps * scale
        balls.append(Ball(kind, eps, OVERSHOOT[kind] * eps / STEPS))
    network.requires_grad_(False)
    attacked = attack(network, images, labels, balls, STEPS)
    network.requires_grad_(True)
    return attacked


def _measured(context: RecipeContext, network: Table3CNN) -> dict[str, float]:
    """Accuracy on the test set, and on held-out images under the paper's white-box attacks."""
    test = load_official(context.dataset, "test")
    figures = {"test_accuracy": accuracy(network, test.images, test.labels, context.device)}
    return figures | accuracy_under_attack(context, network)


def accuracy_under_attack(context: RecipeContext, network: nn.Module) -> dict[str, float]:
    """Accuracy of a frozen network on held-out images under the paper's attacks on itself."""
    held_out = load_official(context.dataset, "held_out")
    count = 20 if context.tiny else CHECKED
    images = held_out.images[:count].to(context.device)
    labels = held_out.labels[:count].to(context.device)
    seeds = [item_seed(context.seed, i) for i in range(count)]
    figures = {}
    for kind in ATTACKS:
        attacked = craft(network, images, labels, PAPER_ATTACKS[context.dataset][kind], seeds)
        figures[f"{kind}_accuracy_of_{count}"] = accuracy(
            network, attacked.cpu(), labels.cpu(), context.device
        )
    return figures

"""The training loop of the small classifiers: Adam, one cycle of its rate, checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from tqdm import tqdm

from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint

BATCH = 128
Answered = Iterable[tuple[Tensor, Tensor]]
"""Logits [B, K] of the present network, and the labels [B] it should have given."""


def fit(
    context: RecipeContext,
    name: str,
    network: nn.Module,
    answered: Callable[[int], Answered],
    *,
    epochs: int,
    count: int,
    peak: float,
    weight_decay: float = 0.0,
    smoothing: float = 0.0,
) -> float:
    """Train in place, resuming from checkpoint `name`; the share right in the last epoch.

    answered(epoch): the network's answers to an epoch's batches of BATCH, made one at a time
    because the weights change between them; count: images an epoch; peak: the cycle's highest
    rate; smoothing: of the labels.
    """
    batches = -(-count // BATCH)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3, weight_decay=weight_decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, peak, total_steps=epochs * batches)
    path = context.checkpoint(name)
    first, share = 0, 0.0
    if state := load_checkpoint(path):
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first, share = state["epoch"], state["right"]
    bar = tqdm(range(first, epochs), desc=name, initial=first, total=epochs)
    for epoch in bar:
        right = seen = 0
        for logits, labels in answered(epoch):
            loss = F.cross_entropy(logits, labels, label_smoothing=smoothing)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            right += int((logits.argmax(1) == labels).sum())
            seen += len(labels)
        share = right / seen
        bar.set_postfix(right=f"{share:.3f}")
        save_checkpoint(
            path,
            network=network.state_dict(),
            optimiser=optimiser.state_dict(),
            schedule=schedule.state_dict(),
            epoch=epoch + 1,
            right=share,
        )
    return share

"""Train the surrogate: another CNN, for attacks that are made on it and shown to ψ."""

from __future__ import annotations

import torch
from torch.nn import functional as F
from tqdm import tqdm

from red_core.data.assets import write_tensors
from red_core.data.datasets import load_official
from red_core.models.placement import place
from red_core.recipes.common import (
    RecipeContext,
    accuracy,
    load_checkpoint,
    save_checkpoint,
    shuffled_batches,
)
from red_core.unknown.surrogate import FILE, Surrogate

EPOCHS = 4


def train_surrogate(context: RecipeContext) -> None:
    """Train on clean training images; write `surrogate.safetensors`."""
    train, test = load_official(context.dataset, "train"), load_official(context.dataset, "test")
    images, labels, epochs = train.images, train.labels, EPOCHS
    if context.tiny:
        images, labels, epochs = images[:512], labels[:512], 1
    torch.manual_seed(context.seed + 4)
    network = place(Surrogate(), context.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    steps = epochs * -(-len(labels) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    path = context.checkpoint("surrogate")
    first = 0
    if state := load_checkpoint(path):
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first = state["epoch"]
    for epoch in tqdm(range(first, epochs), desc="surrogate", initial=first, total=epochs):
        for index in shuffled_batches(len(labels), 128, context.seed + 4, epoch):
            logits = network(images[index].to(context.device))
            loss = F.cross_entropy(logits, labels[index].to(context.device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
        save_checkpoint(
            path,
            network=network.state_dict(),
            optimiser=optimiser.state_dict(),
            schedule=schedule.state_dict(),
            epoch=epoch + 1,
        )
    network.eval()
    write_tensors(
        context.dataset,
        FILE,
        network.state_dict(),
        command=context.command("surrogate"),
        seed=context.seed,
        device=context.device,
        measured={
            "test_accuracy": accuracy(network, test.images, test.labels, context.device),
        },
        licence="MIT",
    )

"""Train the surrogate: another CNN, for attacks that are made on it and shown to ψ."""

from __future__ import annotations

import torch

from red_core.data.assets import write_tensors
from red_core.data.datasets import load_official
from red_core.models.channels_last import to_channels_last
from red_core.models.surrogate import FILE, Surrogate
from red_core.recipes.common import RecipeContext, accuracy, shuffled_batches
from red_core.recipes.fitting import BATCH, Answered, fit

EPOCHS = 4


def train_surrogate(context: RecipeContext) -> None:
    """Train on clean training images; write `surrogate.safetensors`."""
    train, test = load_official(context.dataset, "train"), load_official(context.dataset, "test")
    images, labels, epochs = train.images, train.labels, EPOCHS
    if context.tiny:
        images, labels, epochs = images[:512], labels[:512], 1
    torch.manual_seed(context.seed + 4)
    network = to_channels_last(Surrogate(), context.device)

    def answered(epoch: int) -> Answered:
        for index in shuffled_batches(len(labels), BATCH, context.seed + 4, epoch):
            yield network(images[index].to(context.device)), labels[index].to(context.device)

    fit(context, "surrogate", network, answered, epochs=epochs, count=len(labels), peak=3e-3)
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

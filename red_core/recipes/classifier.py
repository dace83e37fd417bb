"""Train psi, the CNN of Table 3: SGD, 50 epochs, rate 0.1, momentum 0.5, batch 128 (B.2)."""

from __future__ import annotations

import torch
from torch.nn import functional as F
from tqdm import tqdm

from red_core.data.assets import write_tensors
from red_core.data.datasets import load_official
from red_core.models.channels_last import to_channels_last
from red_core.models.classifiers import Table3CNN
from red_core.recipes.common import (
    RecipeContext,
    accuracy,
    load_checkpoint,
    save_checkpoint,
    shuffled_batches,
)

EPOCHS = 50


def train_classifier(context: RecipeContext) -> None:
    """Train, measure on the test set, and write `classifier.safetensors`."""
    train, test = load_official(context.dataset, "train"), load_official(context.dataset, "test")
    images, labels = train.images, train.labels
    epochs = EPOCHS
    if context.tiny:
        images, labels, epochs = images[:512], labels[:512], 2
    device = context.device
    torch.manual_seed(context.seed)
    model = to_channels_last(Table3CNN(), device)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.5)
    first = 0
    if state := load_checkpoint(context.checkpoint("classifier")):
        model.load_state_dict(state["model"])
        optimiser.load_state_dict(state["optimiser"])
        first = state["epoch"]
    images, labels = images.to(device), labels.to(device)
    for epoch in tqdm(range(first, epochs), desc="classifier", initial=first, total=epochs):
        for index in shuffled_batches(len(labels), 128, context.seed, epoch):
            batch = images[index.to(device)].contiguous(memory_format=torch.channels_last)
            loss = F.cross_entropy(model(batch), labels[index.to(device)])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        save_checkpoint(
            context.checkpoint("classifier"),
            model=model.state_dict(),
            optimiser=optimiser.state_dict(),
            epoch=epoch + 1,
        )
    model.eval()
    write_tensors(
        context.dataset,
        "classifier.safetensors",
        model.state_dict(),
        command=context.command("classifier"),
        seed=context.seed,
        device=device,
        measured={"test_accuracy": accuracy(model, test.images, test.labels, device)},
        licence="MIT",
    )

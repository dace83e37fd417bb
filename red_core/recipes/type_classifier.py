"""Train the honest competitor of an attack detector: a CNN that reads the attack off x' itself."""

from __future__ import annotations

import torch
from torch.nn import functional as F
from tqdm import tqdm

from red_core.attacks import ATTACKS
from red_core.data.assets import write_tensors
from red_core.models.classifiers import Table3CNN
from red_core.models.placement import place
from red_core.recipes.common import RecipeContext, load_checkpoint, save_checkpoint
from red_core.recipes.typed_images import typed_images

EPOCHS = 3


def train_type_classifier(context: RecipeContext) -> None:
    """Train and write `type-classifier.safetensors`: logits over ATTACKS and none."""
    typed = typed_images(context)
    epochs = 1 if context.tiny else EPOCHS
    torch.manual_seed(context.seed + 3)
    network = place(Table3CNN(len(ATTACKS) + 1), context.device)
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-3)
    steps = epochs * -(-len(typed.kinds) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    path = context.checkpoint("type-classifier")
    first, right = 0, 0.0
    if state := load_checkpoint(path):
        network.load_state_dict(state["network"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first, right = state["epoch"], state["right"]
    bar = tqdm(range(first, epochs), desc="type classifier", initial=first, total=epochs)
    for epoch in bar:
        count = 0
        for images, kinds in typed.batches(128, context.seed + 3, epoch):
            logits = network(images.to(context.device))
            loss = F.cross_entropy(logits, kinds.to(context.device))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            count += int((logits.argmax(1).cpu() == kinds).sum())
        right = count / len(typed.kinds)
        bar.set_postfix(right=f"{right:.3f}")
        save_checkpoint(
            path,
            network=network.state_dict(),
            optimiser=optimiser.state_dict(),
            schedule=schedule.state_dict(),
            epoch=epoch + 1,
            right=right,
        )
    write_tensors(
        context.dataset,
        "type-classifier.safetensors",
        network.state_dict(),
        command=context.command("type_classifier"),
        seed=context.seed,
        device=context.device,
        measured={"right_in_the_last_epoch": round(right, 4)},
        licence="MIT",
    )

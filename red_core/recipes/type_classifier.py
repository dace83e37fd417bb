"""Train the honest competitor of an attack detector: a CNN that reads the attack off x' itself."""

from __future__ import annotations

import torch

from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import write_tensors
from red_core.models.channels_last import to_channels_last
from red_core.models.classifiers import Table3CNN
from red_core.recipes.common import RecipeContext
from red_core.recipes.fitting import BATCH, Answered, fit
from red_core.recipes.typed_images import typed_images

EPOCHS = 3


def train_type_classifier(context: RecipeContext) -> None:
    """Train and write `type-classifier.safetensors`: logits over ATTACKS and none."""
    typed = typed_images(context)
    epochs = 1 if context.tiny else EPOCHS
    torch.manual_seed(context.seed + 3)
    network = to_channels_last(Table3CNN(len(ATTACKS) + 1), context.device)

    def answered(epoch: int) -> Answered:
        for images, kinds in typed.batches(BATCH, context.seed + 3, epoch):
            yield network(images.to(context.device)), kinds.to(context.device)

    right = fit(
        *(context, "type-classifier", network, answered),
        epochs=epochs,
        count=len(typed.kinds),
        peak=2e-3,
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

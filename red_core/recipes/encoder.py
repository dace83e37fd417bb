"""Train E, the encoder whose guess is one of the starts of the preset `best`.

E maps x' to a z with G(z) close to the clean image: an amortised Defense-GAN start. G is frozen.
"""

from __future__ import annotations

import torch
from tqdm import tqdm

from red_core.data.assets import read_tensors, write_tensors
from red_core.models.channels_last import to_channels_last
from red_core.models.dcgan import DCGANGenerator, Encoder
from red_core.recipes.common import (
    RecipeContext,
    load_checkpoint,
    save_checkpoint,
    shuffled_batches,
)
from red_core.recipes.pool import attacked_pool, corrupt

EPOCHS = 6
PRIOR_WEIGHT = 2e-3  # keeps codes where G was trained, near N(0, I)


def load_generator(context: RecipeContext) -> DCGANGenerator:
    """The trained G, frozen, on the recipe's device."""
    generator = DCGANGenerator()
    generator.load_state_dict(read_tensors(context.dataset, "generator.safetensors"))
    return generator.to(context.device).eval().requires_grad_(False)


def train_encoder(context: RecipeContext) -> None:
    """Train E on attacked, noisy and clean training images; write `encoder.safetensors`."""
    pool = attacked_pool(context)
    generator = load_generator(context)
    epochs = 1 if context.tiny else EPOCHS
    torch.manual_seed(context.seed)
    encoder = to_channels_last(Encoder(), context.device)
    optimiser = torch.optim.Adam(encoder.parameters(), lr=1e-3)
    steps = epochs * -(-len(pool.labels) // 128)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 2e-3, total_steps=steps)
    path = context.checkpoint("encoder")
    first = 0
    if state := load_checkpoint(path):
        encoder.load_state_dict(state["encoder"])
        optimiser.load_state_dict(state["optimiser"])
        schedule.load_state_dict(state["schedule"])
        first = state["epoch"]
    error = 0.0
    bar = tqdm(range(first, epochs), desc="encoder", initial=first, total=epochs)
    for epoch in bar:
        draw = torch.Generator().manual_seed(context.seed * 7919 + epoch)
        encoder.train()
        for index in shuffled_batches(len(pool.labels), 128, context.seed, epoch):
            clean = pool.clean[index].to(context.device)
            given = corrupt(clean, pool.attacked[index].to(context.device), draw)
            z, _ = encoder(given)
            pixel = (generator(z) - clean).square().flatten(1).sum(1).mean()
            loss = pixel + PRIOR_WEIGHT * z.square().sum(1).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            error = 0.98 * error + 0.02 * pixel.item() if error else pixel.item()
        bar.set_postfix(pixel=f"{error:.2f}")
        save_checkpoint(
            path,
            encoder=encoder.state_dict(),
            optimiser=optimiser.state_dict(),
            schedule=schedule.state_dict(),
            epoch=epoch + 1,
        )
    write_tensors(
        context.dataset,
        "encoder.safetensors",
        {
            name: t.half() if t.is_floating_point() else t
            for name, t in encoder.state_dict().items()
        },
        command=context.command("encoder"),
        seed=context.seed,
        device=context.device,
        measured={"squared_l2_on_the_last_training_batches": round(error, 3)},
        licence="MIT",
    )

"""Train the reader: the classifier of G(z) that the preset `best` answers with.

It has psi's architecture and learns from reconstructions of attacked, noisy and clean training
images: the encoder's (cheap, many) and the solver's own (dear, few), beside clean images.
"""

from __future__ import annotations

import torch

from red_core.data.assets import read_tensors, write_tensors
from red_core.models.channels_last import to_channels_last
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import Encoder
from red_core.recipes.common import RecipeContext, accuracy, shuffled_batches
from red_core.recipes.encoder import load_generator
from red_core.recipes.fitting import BATCH, Answered, fit
from red_core.recipes.pool import attacked_pool, corrupt
from red_core.recipes.runs import finished_runs, fit_temperature

EPOCHS = 5
TRAIN_SHARE = 0.8  # of the finished runs; the rest calibrates and measures


def load_encoder(context: RecipeContext) -> Encoder:
    """The trained E, frozen, on the recipe's device."""
    encoder = Encoder()
    stored = read_tensors(context.dataset, "encoder.safetensors")
    encoder.load_state_dict(
        {k: t.float() if t.is_floating_point() else t for k, t in stored.items()}
    )
    return encoder.to(context.device).eval().requires_grad_(False)


def train_reader(context: RecipeContext) -> None:
    """Train, calibrate on held-out runs, and write `reader.safetensors`."""
    pool, runs = attacked_pool(context), finished_runs(context)
    learn, check = runs.part(0, TRAIN_SHARE), runs.part(TRAIN_SHARE, 1)
    generator, encoder = load_generator(context), load_encoder(context)
    epochs = 1 if context.tiny else EPOCHS
    torch.manual_seed(context.seed + 1)
    reader = to_channels_last(Table3CNN(), context.device)

    def answered(epoch: int) -> Answered:
        draw = torch.Generator().manual_seed(context.seed * 6151 + epoch)
        for index in shuffled_batches(len(pool.labels), BATCH, context.seed + 1, epoch):
            clean = pool.clean[index].to(context.device)
            given = corrupt(clean, pool.attacked[index].to(context.device), draw)
            with torch.no_grad():
                z, _ = encoder(given)
                near = z + 0.15 * torch.randn(z.shape, generator=draw).to(z)
                redrawn = generator(near)
            own = torch.randint(len(learn.labels), (32,), generator=draw)
            images = torch.cat((redrawn, clean[:32], learn.image[own].to(context.device)))
            labels = torch.cat((pool.labels[index], pool.labels[index][:32], learn.labels[own]))
            yield reader(images), labels.to(context.device)

    fit(
        *(context, "reader", reader, answered),
        epochs=epochs,
        count=len(pool.labels),
        peak=2e-3,
        weight_decay=1e-5,
        smoothing=0.02,
    )
    reader.eval()
    with torch.no_grad():
        temperature = fit_temperature(reader(check.image.to(context.device)).cpu(), check.labels)
    write_tensors(
        context.dataset,
        "reader.safetensors",
        {**reader.state_dict(), "temperature": torch.tensor(temperature)},
        command=context.command("reader"),
        seed=context.seed,
        device=context.device,
        measured={
            "accuracy_on_held_out_runs": accuracy(reader, check.image, check.labels, context.device)
        },
        licence="MIT",
    )

"""How well G inverts: the figure that a generator is judged by here."""

from __future__ import annotations

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.z_steps import Memory, adam_step, random_starts
from red_core.data.assets import read_manifest, record
from red_core.data.datasets import load_official
from red_core.models.channels_last import to_channels_last
from red_core.models.dcgan import DCGANGenerator
from red_core.recipes.common import RecipeContext
from red_core.recipes.dictionary import load_classifier
from red_core.recipes.encoder import load_generator
from red_core.run.settings import item_seed

COUNT = 1000
RESTARTS, START_STEPS, STEPS = 4, 60, 300
BATCH = 100


def _descend(generator: DCGANGenerator, images: Tensor, z: Tensor, steps: int) -> Tensor:
    """Adam on 1/2 ||x - G(z)||^2 for rows z [R, d] and images [R, n]."""
    z = z[:, None]  # rows, one start each
    memory: Memory = (torch.zeros_like(z), torch.zeros_like(z), z.new_zeros(z.shape[:2]))
    for _ in range(steps):
        leaf = z[:, 0].detach().requires_grad_()
        loss = 0.5 * (generator(leaf).flatten(1) - images).square().sum()
        (gradient,) = torch.autograd.grad(loss, leaf)
        z, memory = adam_step(z, gradient[:, None], memory, 0.1, steps)
    return z[:, 0]


def invert_held_out(context: RecipeContext, generator: DCGANGenerator) -> dict[str, float]:
    """Invert held-out clean digits with a frozen G in eval mode, whose norms are folded in place.

    Of four random starts the best after 60 steps goes on for 300. Reported are the mean of
    ||x - G(z)|| and psi's accuracy on G(z), beside psi's on x.
    """
    held_out = load_official(context.dataset, "held_out")
    count = BATCH if context.tiny else COUNT
    psi = load_classifier(context)
    generator = to_channels_last(generator.fold_norms(), context.device)
    right = plain = 0
    distances = []
    for first in tqdm(range(0, count, BATCH), desc="inversion"):
        images = held_out.images[first : first + BATCH].to(context.device)
        labels = held_out.labels[first : first + BATCH].to(context.device)
        flat = images.flatten(1)
        seeds = [item_seed(context.seed, first + i) for i in range(len(images))]
        starts = random_starts(seeds, RESTARTS, generator.latent).to(context.device)
        z = _descend(
            generator, flat.repeat_interleave(RESTARTS, 0), starts.flatten(0, 1), START_STEPS
        )
        with torch.no_grad():
            error = (generator(z).flatten(1) - flat.repeat_interleave(RESTARTS, 0)).norm(dim=1)
        best = error.unflatten(0, (-1, RESTARTS)).argmin(1)
        z = z.unflatten(0, (-1, RESTARTS))[torch.arange(len(images)), best]
        z = _descend(generator, flat, z, STEPS)
        with torch.no_grad():
            redrawn = generator(z)
            right += int((psi(redrawn).argmax(1) == labels).sum())
            plain += int((psi(images).argmax(1) == labels).sum())
        distances.append((redrawn.flatten(1) - flat).norm(dim=1))
    return {
        "inverted_digits": count,
        "mean_l2_distance": round(float(torch.cat(distances).mean()), 4),
        "psi_accuracy_on_inverted": right / count,
        "psi_accuracy_on_clean": plain / count,
    }


def measure_inversion(context: RecipeContext) -> None:
    """Write the figures of `invert_held_out` into the generator's manifest entry."""
    entry = read_manifest(context.dataset)["generator.safetensors"]
    measured = invert_held_out(context, load_generator(context))
    provenance = {k: v for k, v in entry.items() if k not in ("sha256", "bytes")}
    record(context.dataset, "generator.safetensors", **{**provenance, "measured": measured})

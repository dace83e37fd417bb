"""Train the reader of CIFAR-10: psi, taught to read what `best` and the purifier make of images.

It starts from psi's weights and sees clean images, attacked ones at every strength, images as the
encoder redraws them, alone or blended with what they were redrawn from, first guesses of the
denoiser, and, above all, G(w) of finished runs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import read_tensors, write_tensors
from red_core.data.datasets import ImageSet, load_official
from red_core.measure.intervals import share
from red_core.models.channels_last import to_channels_last
from red_core.models.style import StyleGenerator
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10.attacked import StoredAttacks, stored_attacks
from red_core.recipes.cifar10.held_out import HeldOut, held_out_runs
from red_core.recipes.cifar10.runs import Runs, finished_runs
from red_core.recipes.cifar10.training import (
    flipped_and_shifted,
    halved,
    learn,
    lowered,
    train,
)
from red_core.recipes.common import RecipeContext, accuracy
from red_core.recipes.runs import fit_temperature
from red_core.run.cifar10_parts import load_denoiser, load_encoder, load_generator, load_psi

NAME = "reader.safetensors"
# Shares of a batch; the first guesses of the denoiser are the rest.
CLEAN, ATTACKED, REDRAWN, FINISHED = 0.2, 0.2, 0.2, 0.3
SIGMA = (0.05, 0.25)  # of the noise before a first guess, on the [-1, 1] scale
STRONGEST = 1.2  # factor on D_a's perturbations
SMOOTHING = 0.05
MOMENTUM = 0.05  # of the norms' running moments: the mixture's, not psi's


@dataclass(frozen=True)
class Size:
    """One scale of the recipe.

    cycles: steps of each cycle of the rate, which begins anew at half of the last one's peak.
    """

    cycles: tuple[int, ...]
    batch: int = 128
    peak: float = 0.02

    def rate_at(self, step: int) -> float:
        """In each cycle: up along a line for a tenth of the steps, then down along a cosine."""
        peak = self.peak
        for steps in self.cycles:
            if step < steps:
                break
            step, peak = step - steps, peak / 2
        done = (step + 1) / steps
        rise = min(1.0, done / 0.1)
        fall = 0.5 * (1 + math.cos(math.pi * max(0.0, done - 0.1) / 0.9))
        return peak * rise * fall


SIZES = {
    "tiny": Size(cycles=(2,), batch=20),
    "cpu": Size(cycles=(300, 250)),
    "gpu": Size(cycles=(6000,), batch=256, peak=0.05),
}


@dataclass(frozen=True)
class Sources:
    """What the reader learns from: images, and the frozen networks that redraw them."""

    clean: ImageSet
    stored: StoredAttacks
    runs: Runs
    encoder: nn.Module
    generator: StyleGenerator
    denoiser: nn.Module


class ReaderTrainer:
    """The reader, which is `psi` at first, and its optimiser; one step a batch."""

    def __init__(
        self, size: Size, psi: WideResNet, sources: Sources, seed: int, device: str
    ) -> None:
        torch.manual_seed(seed)
        self.size, self.device, self.steps = size, device, sum(size.cycles)
        self.sources = sources
        for module in psi.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = MOMENTUM
        self.network = to_channels_last(psi, device).train()
        self.optimiser = torch.optim.SGD(
            self.network.parameters(), lr=0.1, momentum=0.9, weight_decay=5e-4, nesterov=True
        )

    def clean(self, count: int) -> tuple[Tensor, Tensor]:
        """Training images [count, 3, 32, 32] and their labels."""
        data = self.sources.clean
        index = torch.randint(len(data), (count,))
        return data.images[index].to(self.device), data.labels[index]

    def attacked(self, count: int) -> tuple[Tensor, Tensor]:
        """Images of D_a, with their perturbations at any strength up to STRONGEST."""
        stored = self.sources.stored
        label = torch.randint(len(stored.labels), (count,))
        column = torch.randint(stored.columns, (count,))
        attack = torch.randint(len(ATTACKS), (count,))
        strength = STRONGEST * torch.rand(count, 1, 1, 1)
        origin = stored.images[label, column]
        delta = stored.deltas[label, attack, column].float().view_as(origin)
        made = (origin + strength * delta).clamp(0, 1)
        return made.to(self.device), stored.labels[label]

    def either(self, count: int) -> tuple[Tensor, Tensor]:
        """Half clean, half attacked."""
        half = count // 2
        parts = self.clean(count - half), self.attacked(half)
        return torch.cat([p[0] for p in parts]), torch.cat([p[1] for p in parts])

    @torch.no_grad()
    def redrawn(self, count: int) -> tuple[Tensor, Tensor]:
        """t G(E(x)) + (1 - t) x with t in [0, 1], near 1 more often: like a run's way from E on."""
        images, labels = self.either(count)
        with lowered(self.device):
            made = self.sources.generator.synthesis(self.sources.encoder(images)).float()
        share = torch.rand(count, 1, 1, 1).sqrt().to(images)
        return share * made + (1 - share) * images, labels

    @torch.no_grad()
    def guessed(self, count: int) -> tuple[Tensor, Tensor]:
        """First guesses of the denoiser behind noise of any size in SIGMA."""
        images, labels = self.either(count)
        sigma = (SIGMA[0] + (SIGMA[1] - SIGMA[0]) * torch.rand(count)).to(images)
        noisy = 2 * images - 1 + sigma.view(-1, 1, 1, 1) * torch.randn_like(images)
        with lowered(self.device):
            made = self.sources.denoiser(noisy, sigma).float()
        return ((made + 1) / 2).clamp(0, 1), labels

    def finished(self, count: int) -> tuple[Tensor, Tensor]:
        """G(w) of runs, at their end or on the way."""
        runs = self.sources.runs
        index = torch.randint(len(runs.labels), (count,))
        mark = torch.randint(runs.images.shape[1], (count,))
        return runs.images[index, mark].float().to(self.device), runs.labels[index]

    def batch(self) -> tuple[Tensor, Tensor]:
        """Images [B, 3, 32, 32] and labels [B], drawn from torch's global generator."""
        counts = [int(part * self.size.batch) for part in (CLEAN, ATTACKED, REDRAWN, FINISHED)]
        parts = [
            make(count)
            for make, count in zip(
                (self.clean, self.attacked, self.redrawn, self.finished, self.guessed),
                (*counts, self.size.batch - sum(counts)),
                strict=True,
            )
        ]
        images = flipped_and_shifted(torch.cat([made for made, _ in parts]), margin=2)
        return images, torch.cat([labels for _, labels in parts]).to(self.device)

    def step(self, number: int) -> Mapping[str, float]:
        """One batch; the loss and the share right in it."""
        self.optimiser.param_groups[0]["lr"] = self.size.rate_at(number)
        images, labels = self.batch()
        return learn(self.network, self.optimiser, images, labels, self.device, SMOOTHING)

    def state_dict(self) -> dict[str, Any]:
        """Weights and momenta."""
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict()`."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])


def train_reader(context: RecipeContext) -> None:
    """Train, calibrate and measure on held-out runs, and write `reader.safetensors`."""
    size, device = SIZES[context.scale], context.device
    sources = Sources(
        *(load_official("cifar10", "train"), stored_attacks(), finished_runs(context)),
        *(load_encoder(device), load_generator(device), load_denoiser(device)),
    )
    psi = WideResNet.from_tensors(read_tensors("cifar10", "classifier.safetensors"))
    trainer = ReaderTrainer(size, psi, sources, context.seed, device)
    hours = train(context, "reader", trainer, trainer.steps)
    stored = halved(trainer.network.state_dict())
    reader = to_channels_last(WideResNet.from_tensors(stored), device).eval()
    held_out = held_out_runs(context)
    ends = held_out.runs.images[:, -1].float()
    with torch.no_grad():
        logits = torch.cat([reader(part.to(device)).cpu() for part in ends.split(100)])
    temperature = fit_temperature(logits, held_out.runs.labels)
    write_tensors(
        "cifar10",
        NAME,
        {**stored, "temperature": torch.tensor(temperature)},
        command=context.command("reader"),
        scale=context.scale,
        seed=context.seed,
        device=device,
        hours=round(hours, 3),
        parameters=sum(p.numel() for p in trainer.network.parameters()),
        measured={
            "held_out_images": len(ends),
            "reader_on_runs": _by_answer(reader, ends, held_out, device),
            "psi_on_runs": _by_answer(load_psi(device), ends, held_out, device),
            "reader_on_attacked": _by_answer(reader, held_out.observed, held_out, device),
        },
        licence="MIT",
    )


def _by_answer(
    network: nn.Module, images: Tensor, held_out: HeldOut, device: str
) -> dict[str, object]:
    """Share of `images` that a network gives their label, for every attack and none."""
    found: dict[str, object] = {}
    for number, name in enumerate((*ATTACKS, "none")):
        own = held_out.runs.attack == number
        right = accuracy(network, images[own], held_out.runs.labels[own], device)
        found[name] = share(round(right * int(own.sum())), int(own.sum()))
    return found

"""Train the second classifier of CIFAR-10, which answers for `best` and BSD-DP: the reader.

Its own architecture and initialisation, so that psi's weak directions are not its own. It is
trained on clean images first (`clean_reader.py`), then on what it will be asked to read: clean
images, attacked ones at any strength up to 1.5, what the denoiser makes of them, what the encoder
redraws, and G(w) of finished runs; in a first cycle half of every batch has moved one gradient-sign
step against the reader itself. How much each of the three pictures of a run counts is fitted on
held-out runs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from red_core.algorithm.verdict import SOURCES, combined
from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import write_tensors
from red_core.data.datasets import ImageSet, load_official
from red_core.measure.intervals import share
from red_core.models.airbench import AirbenchNet
from red_core.models.channels_last import to_channels_last
from red_core.models.denoiser import Denoiser
from red_core.models.style import StyleGenerator
from red_core.recipes.cifar10.attacked import StoredAttacks, stored_attacks
from red_core.recipes.cifar10.clean_reader import (
    CleanTrainer,
    airbench_optimiser,
    along,
    log_probabilities,
)
from red_core.recipes.cifar10.held_out import HeldOut, held_out_runs
from red_core.recipes.cifar10.pool import Pool, attacked_pool
from red_core.recipes.cifar10.runs import Runs, finished_runs
from red_core.recipes.cifar10.training import flipped_and_shifted, halved, learn, lowered, train
from red_core.recipes.common import RecipeContext, accuracy
from red_core.recipes.runs import fit_temperature
from red_core.run.cifar10_parts import (
    load_denoiser,
    load_encoder,
    load_generator,
    load_psi,
    purify_with,
)

NAME = "reader.safetensors"
# Shares of a batch; the first guesses of the denoiser are the rest.
CLEAN, ATTACKED, STORED, REDRAWN, FINISHED = 0.25, 0.2, 0.1, 0.1, 0.15
SIGMA = (0.05, 0.3)  # of the noise before a first guess, on the [-1, 1] scale
STRONGEST = 1.5  # factor on the perturbations
SMOOTHING = 0.1


@dataclass(frozen=True)
class Cycle:
    """Steps on the mixture: the rate rises for a tenth of them, then falls along a line to 0.

    peak: as a share of airbench's highest rate; against: the largest gradient-sign step against the
    reader itself, which half of the images take.
    """

    steps: int
    peak: float
    against: float = 0.0


@dataclass(frozen=True)
class Size:
    """One scale: channels, epochs on clean images, and the cycles on the mixture.

    images: of the clean training set, None for all.
    """

    widths: tuple[int, ...]
    epochs: float
    cycles: tuple[Cycle, ...]
    batch: int = 1024
    images: int | None = None

    @property
    def steps(self) -> int:
        """On the mixture, of all cycles."""
        return sum(cycle.steps for cycle in self.cycles)

    def at(self, step: int) -> tuple[Cycle, float]:
        """The cycle of a step, and the share of airbench's highest rate that it takes."""
        for cycle in self.cycles:
            if step < cycle.steps:
                break
            step -= cycle.steps
        line = ((0, 0.05), (0.1, 1), (1, 0))
        return cycle, cycle.peak * along(line, (step + 1) / cycle.steps)


AGAINST = 4 / 255  # the first cycle's; a second one without it reads better what psi's attacks left
SIZES = {
    "tiny": Size((8, 8, 8), 1, (Cycle(1, 0.35, AGAINST), Cycle(1, 0.2)), batch=64, images=1024),
    "cpu": Size((64, 256, 256), 10, (Cycle(300, 0.35, AGAINST), Cycle(200, 0.2))),
    "gpu": Size((128, 512, 512), 40, (Cycle(3000, 0.35, AGAINST), Cycle(2000, 0.2))),
}


@dataclass(frozen=True)
class Sources:
    """What the reader learns from: images, and the frozen networks that redraw them."""

    clean: ImageSet
    pool: Pool
    stored: StoredAttacks
    runs: Runs
    encoder: nn.Module
    generator: StyleGenerator
    denoiser: Denoiser


class ReaderTrainer:
    """The reader after its first training, and its optimiser; one step a batch of the mixture."""

    def __init__(
        self, size: Size, network: AirbenchNet, sources: Sources, seed: int, device: str
    ) -> None:
        torch.manual_seed(seed)
        self.size, self.device, self.sources = size, device, sources
        self.network = to_channels_last(network, device).train()
        self.optimiser, self.peaks = airbench_optimiser(self.network)

    def clean(self, count: int) -> tuple[Tensor, Tensor]:
        """Training images [count, 3, 32, 32] and their labels."""
        data = self.sources.clean
        index = torch.randint(len(data), (count,))
        return data.images[index].to(self.device), data.labels[index]

    def attacked(self, count: int) -> tuple[Tensor, Tensor]:
        """Images of the pool, under attacks of any strength up to STRONGEST."""
        drawn = self.sources.pool.drawn(count, strongest=STRONGEST)
        return drawn.attacked.to(self.device), drawn.labels

    def stored(self, count: int) -> tuple[Tensor, Tensor]:
        """Images of D_a, with their perturbations, full attacks, at any strength."""
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
        counts = [
            int(part * self.size.batch) for part in (CLEAN, ATTACKED, STORED, REDRAWN, FINISHED)
        ]
        makers = (self.clean, self.attacked, self.stored, self.redrawn, self.finished, self.guessed)
        counts.append(self.size.batch - sum(counts))
        parts = [make(count) for make, count in zip(makers, counts, strict=True)]
        images = flipped_and_shifted(torch.cat([made for made, _ in parts]), margin=2)
        return images, torch.cat([labels for _, labels in parts]).to(self.device)

    def against_itself(self, images: Tensor, labels: Tensor, most: float) -> Tensor:
        """Every other image after one gradient-sign step of any size up to `most`."""
        leaf = images[::2].clone().requires_grad_()
        with lowered(self.device):
            logits = self.network(leaf)
        loss = F.cross_entropy(logits.float(), labels[::2], reduction="sum")
        (slope,) = torch.autograd.grad(loss, leaf)
        size = most * torch.rand(len(leaf), 1, 1, 1).to(images)
        moved = images.clone()
        moved[::2] = (images[::2] + size * slope.sign()).clamp(0, 1)
        return moved

    def step(self, number: int) -> Mapping[str, float]:
        """One batch; the loss and the share right in it."""
        cycle, rate = self.size.at(number)
        for group, peak in zip(self.optimiser.param_groups, self.peaks, strict=True):
            group["lr"] = rate * peak
        images, labels = self.batch()
        if cycle.against:
            images = self.against_itself(images, labels, cycle.against)
        return learn(
            *(self.network, self.optimiser, images, labels, self.device, SMOOTHING), reduction="sum"
        )

    def state_dict(self) -> dict[str, Any]:
        """Weights and momenta."""
        return {"network": self.network.state_dict(), "optimiser": self.optimiser.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Continue from `state_dict()`."""
        self.network.load_state_dict(state["network"])
        self.optimiser.load_state_dict(state["optimiser"])


def train_reader(context: RecipeContext) -> None:
    """Train twice, weigh and measure on held-out runs, and write `reader.safetensors`."""
    size, device = SIZES[context.scale], context.device
    data = load_official("cifar10", "train")
    data = ImageSet(data.images[: size.images], data.labels[: size.images], data.source)
    torch.manual_seed(context.seed)
    first = CleanTrainer(AirbenchNet(size.widths), data, size.epochs, context.seed, device)
    hours = train(context, "clean-reader", first, first.steps)
    sources = Sources(
        *(data, attacked_pool(context), stored_attacks(), finished_runs(context)),
        *(load_encoder(device), load_generator(device), load_denoiser(device)),
    )
    trainer = ReaderTrainer(size, first.network, sources, context.seed, device)
    hours += train(context, "reader", trainer, size.steps)
    stored = halved(trainer.network.state_dict())
    reader = to_channels_last(AirbenchNet.from_tensors(stored), device).eval()
    held_out = held_out_runs(context)
    observed, labels = held_out.observed, held_out.runs.labels
    ends = held_out.runs.images[:, -1].float()
    purify = purify_with(sources.denoiser)
    purified = torch.cat([purify(part.to(device)).cpu() for part in observed.split(100)])
    pictures = (ends[:, None], purified, observed[:, None])  # in the order of SOURCES
    read = torch.stack([log_probabilities(reader, shown, device) for shown in pictures], 1)
    weights = fit_weights(read, labels)
    chosen = combined(read, weights).argmax(1)
    temperature = fit_temperature(read[:, 0], labels)
    write_tensors(
        "cifar10",
        NAME,
        {
            **stored,
            "weights": weights,
            "temperature": torch.tensor(temperature),
        },
        command=context.command("reader"),
        scale=context.scale,
        seed=context.seed,
        device=device,
        hours=round(hours, 3),
        parameters=sum(p.numel() for p in trainer.network.parameters()),
        measured={
            "held_out_images": len(labels),
            "clean_test_accuracy": _test_accuracy(context, reader),
            "weights": dict(zip(SOURCES, [round(w, 4) for w in weights.tolist()], strict=True)),
            "all_three_on_runs": _by_answer(chosen == labels, held_out),
            "reader_on_runs": _by_answer(read[:, 0].argmax(1) == labels, held_out),
            "reader_on_purified": _by_answer(read[:, 1].argmax(1) == labels, held_out),
            "reader_on_attacked": _by_answer(read[:, 2].argmax(1) == labels, held_out),
            "psi_on_runs": _by_answer(_answers(load_psi(device), ends, device) == labels, held_out),
        },
        licence="MIT",
    )


def fit_weights(read: Tensor, labels: Tensor) -> Tensor:
    """The weights [S], none negative, with which `combined` makes labels [N] likeliest.

    read: log-probabilities [N, S, classes].
    """
    raw = torch.full((read.shape[1],), -1.0, requires_grad=True)
    optimiser = torch.optim.LBFGS([raw], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        optimiser.zero_grad()
        loss = F.cross_entropy(combined(read, F.softplus(raw)).log(), labels)
        loss.backward()
        return loss

    optimiser.step(closure)
    return F.softplus(raw).detach()


def _test_accuracy(context: RecipeContext, reader: nn.Module) -> float:
    test = load_official("cifar10", "test")
    count = 200 if context.tiny else len(test)
    return accuracy(reader, test.images[:count], test.labels[:count], context.device)


@torch.no_grad()
def _answers(network: nn.Module, images: Tensor, device: str) -> Tensor:
    return torch.cat([network(part.to(device)).argmax(1).cpu() for part in images.split(100)])


def _by_answer(right: Tensor, held_out: HeldOut) -> dict[str, object]:
    """Share of held-out runs that are `right` [N], for every attack and none."""
    found: dict[str, object] = {}
    for number, name in enumerate((*ATTACKS, "none")):
        own = held_out.runs.attack == number
        found[name] = share(int(right[own].sum()), int(own.sum()))
    return found

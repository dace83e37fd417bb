"""What each part of `recipe cifar10` does, as steps of the real modules at a scale's sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Protocol

import torch
from torch import Tensor, nn

from red_core.attacks import ATTACKS, PAPER_ATTACKS, craft
from red_core.data.datasets import ImageSet
from red_core.models.denoiser import Denoiser
from red_core.models.placement import place
from red_core.models.reading import EvidenceModel
from red_core.models.style import StyleGenerator
from red_core.models.style_partners import StyleEncoder
from red_core.models.wide_resnet import WideResNet
from red_core.presets import CIFAR10_BEST
from red_core.problem import AttackDictionary, RedProblem
from red_core.purifier import BATCH as PURIFIED
from red_core.purifier import Purifier
from red_core.recipes.cifar10 import (
    attacked,
    classifier,
    dictionary,
    diffusion,
    evidence,
    examples,
    fidelity,
    generator,
    held_out,
    inversion,
    purification,
    reader,
    runs,
    type_classifier,
)
from red_core.recipes.cifar10.counting import weight_bytes
from red_core.recipes.cifar10.training import Shuffled
from red_core.solver import Solver

TRAIN_IMAGES, CLASSES, SHAPE = 48_000, 10, (3, 32, 32)
_ADAM, _SGD = 4, 3  # weights, gradients and moments


@dataclass(frozen=True)
class Job:
    """So many equal steps. probe: given a batch, a step to run; held: bytes besides activations."""

    what: str
    steps: int
    batch: int
    probe: Callable[[int], Callable[[], object]]
    held: int


class _Trains(Protocol):
    batches: Shuffled
    steps: int

    def step(self, number: int) -> object: ...


def jobs_of(part: str, scale: str, device: str) -> list[Job]:
    """The jobs of one part of `recipe cifar10` at a scale, on untrained networks and no data."""
    return _JOBS[part](scale, device)


def images_like(images: int | None) -> ImageSet:
    """As many training images as a recipe sees, all the same one."""
    count = images or TRAIN_IMAGES
    pixels = torch.rand(1, *SHAPE).expand(count, *SHAPE)
    return ImageSet(pixels, torch.arange(count) % CLASSES, "no images")


def untrained_psi(scale: str, device: str) -> WideResNet:
    """psi of a scale's size, frozen and folded."""
    size = classifier.SIZES[scale]
    network = WideResNet(size.depth, size.width).eval().fold_norms()
    return place(network, device).requires_grad_(False)


def _generator(scale: str, device: str) -> StyleGenerator:
    size = generator.SIZES[scale]
    network = StyleGenerator(size.channels, size.latent, size.width)
    return place(network, device).eval().requires_grad_(False)


def _trained(
    trainer: _Trains, batch: int, held: int, kinds: Sequence[tuple[str, int, int]]
) -> list[Job]:
    """kinds: (what, a step of that kind, how many of them there are)."""

    def probe(number: int, images: int) -> Callable[[], object]:
        def step() -> object:
            trainer.batches = Shuffled(trainer.batches.count, images, 0)
            return trainer.step(number)

        return step

    return [
        Job(what, count, batch, partial(probe, number), held)
        for what, number, count in kinds
        if count
    ]


def _classifier(scale: str, device: str) -> list[Job]:
    size = classifier.SIZES[scale]
    data = images_like(size.images)
    trainer = classifier.ClassifierTrainer(size, data, 0, device)
    small = ceil(size.small * trainer.steps)
    side = classifier.SMALL_SIDE
    kinds = [
        (f"steps at {side} x {side}", 0, small),
        ("steps at 32 x 32", trainer.steps - 1, trainer.steps - small),
    ]
    held = weight_bytes(trainer.network, copies=_SGD) + _bytes(data)
    return _trained(trainer, trainer.batches.size, held, kinds)


def _generator_jobs(scale: str, device: str) -> list[Job]:
    size = generator.SIZES[scale]
    data = images_like(size.images)
    trainer = generator.GeneratorTrainer(size, data, untrained_psi(scale, device), 0, device)
    penalised = ceil(trainer.steps / generator.PENALTY_EVERY)
    kinds = [
        ("steps with penalties", 0, penalised),
        ("other steps", 1, trainer.steps - penalised),
    ]
    held = weight_bytes(trainer.nets, copies=_ADAM) + weight_bytes(trainer.averages, copies=1)
    return _trained(trainer, trainer.batches.size, held + _bytes(data), kinds)


def _diffusion(scale: str, device: str) -> list[Job]:
    size = diffusion.SIZES[scale]
    data = images_like(size.images)
    trainer = diffusion.DiffusionTrainer(size, data, 0, device)
    held = weight_bytes(trainer.network, copies=_ADAM + 1) + _bytes(data)
    return _trained(trainer, trainer.batches.size, held, [("steps", 0, trainer.steps)])


def _dictionary(scale: str, device: str) -> list[Job]:
    size, psi = dictionary.SIZES[scale], untrained_psi(scale, device)
    rounds = ceil(size.per_class / size.together)
    reads = 2 * len(ATTACKS) * size.per_class * CLASSES
    return [
        *_attacks(psi, rounds, CLASSES * size.together, device),
        _reading("psi before and after", psi, reads, device),
    ]


def _attacks(psi: WideResNet, rounds: int, images: int, device: str) -> list[Job]:
    """PGD of every kind in bf16, `rounds` times on `images` at once."""
    attacked = dictionary.Lowered(psi, device)

    def ascent(kind: str, images: int) -> Callable[[], object]:
        settings = replace(PAPER_ATTACKS["cifar10"][kind], steps=1)
        x, y = _batch(images, device)
        return lambda: craft(attacked, x, y, settings, range(images))

    return [
        Job(
            f"{kind} steps of PGD",
            rounds * PAPER_ATTACKS["cifar10"][kind].steps,
            images,
            partial(ascent, kind),
            weight_bytes(psi, copies=1),
        )
        for kind in ATTACKS
    ]


def _type_classifier(scale: str, device: str) -> list[Job]:
    size = type_classifier.SIZES[scale]
    trainer = type_classifier.TypeTrainer(size, images_like(1000), _stored(scale), 0, device)

    def training(images: int) -> Callable[[], object]:
        trainer.size = replace(size, batch=images)
        return lambda: trainer.step(size.steps - 1)

    held = weight_bytes(trainer.network, copies=_SGD)
    count, psi = held_out.COUNTS[scale], untrained_psi(scale, device)
    batch = min(held_out.BATCH, count)
    return [
        Job("steps", size.steps, size.batch, training, held),
        *_attacks(psi, ceil(count / batch), batch, device),
        *_best(scale, device, 4 * ceil(count / batch), batch),
    ]


def _reader(scale: str, device: str) -> list[Job]:
    size, stored = reader.SIZES[scale], _stored(scale)
    count = 10
    images = torch.rand(count, len(runs.MARKS), *SHAPE).half()
    zeros = torch.zeros(count, dtype=torch.int64)
    finished = runs.Runs(images, zeros, zeros, zeros.float(), zeros, images, zeros.bool())
    shape = diffusion.SIZES[scale]
    network, encoder = _generator(scale, device), _encoder(scale, device)
    denoiser = place(Denoiser(shape.widths, shape.blocks, shape.embedding), device).eval()
    sources = reader.Sources(images_like(1000), stored, finished, encoder, network, denoiser)
    own = classifier.SIZES[scale]
    trainer = reader.ReaderTrainer(size, WideResNet(own.depth, own.width), sources, 0, device)

    def training(images: int) -> Callable[[], object]:
        trainer.size = replace(size, batch=images)
        return lambda: trainer.step(size.steps - 1)

    held = weight_bytes(trainer.network, copies=_SGD)
    jobs = runs.jobs_of(stored, runs.SIZES[scale])
    together = CLASSES * runs.SIZES[scale].together
    return [
        *_best(scale, device, len(jobs), together),
        Job("steps", size.steps, size.batch, training, held),
    ]


def _evidence(scale: str, device: str) -> list[Job]:
    stored, size = _stored(scale), type_classifier.SIZES[scale]
    network = place(WideResNet(size.depth, size.width, len(ATTACKS) + 1), device).eval()
    apart = [job for job in runs.jobs_of(stored, runs.SIZES[scale]) if job.apart]
    count = sum(len(stored.labels_of(job.columns)) for job in apart)
    model = EvidenceModel(31, len(ATTACKS) + 1)

    def training(rows: int) -> Callable[[], object]:
        return lambda: model(torch.rand(rows, 31)).sum().backward()

    steps = evidence.TINY_STEPS if scale == "tiny" else evidence.STEPS
    return [
        _reading("the type classifier on the runs", network, count, device),
        Job("steps", steps, evidence.BATCH, training, weight_bytes(model, copies=_ADAM)),
    ]


def _stored(scale: str) -> attacked.StoredAttacks:
    """As many attacks as D_a holds at a scale, all of them nothing."""
    count = dictionary.SIZES[scale].per_class
    return attacked.StoredAttacks(
        torch.rand(1, 1, *SHAPE).expand(CLASSES, count, *SHAPE),
        torch.zeros(1).half().expand(CLASSES, len(ATTACKS), count, torch.Size(SHAPE).numel()),
        torch.zeros(CLASSES, count, dtype=torch.int64),
        torch.arange(CLASSES),
    )


def _encoder(scale: str, device: str) -> StyleEncoder:
    size, network = generator.SIZES[scale], _generator(scale, device)
    made = StyleEncoder(network.layers, size.width, size.encoder)
    return place(made, device).eval().requires_grad_(False)


def _best(scale: str, device: str, batches: int, images: int) -> list[Job]:
    """Runs of `best`, `batches` times on `images` images: their steps in both phases."""
    network, columns = _generator(scale, device), 3 * CLASSES * dictionary.SIZES[scale].per_class
    atoms = torch.zeros(torch.Size(SHAPE).numel(), columns, device=device)
    atoms[0] = 1
    d_a = AttackDictionary(atoms, CLASSES, ATTACKS, torch.ones(columns))
    d_a.__dict__["operator_norm_squared"] = 1.0

    def stepping(start: bool, images: int) -> Callable[[], object]:
        w = torch.zeros(images, 1, network.layers, network.width, device=device)
        options = replace(CIFAR10_BEST, start_steps=int(start))
        solver = Solver(RedProblem(_batch(images, device)[0], network, d_a), w, options)
        return solver.step

    held = weight_bytes(network, copies=1) + 2 * atoms.numel() * atoms.element_size()
    phases = (("start", True, CIFAR10_BEST.start_steps), ("joint", False, CIFAR10_BEST.steps))
    return [
        Job(f"{name} steps of runs", batches * steps, images, partial(stepping, start), held)
        for name, start, steps in phases
    ]


def _purification(scale: str, device: str) -> list[Job]:
    size, psi = purification.SIZES[scale], untrained_psi(scale, device)
    shape = diffusion.SIZES[scale]
    network = place(Denoiser(shape.widths, shape.blocks, shape.embedding), device).eval()
    chosen = size.chosen_clean + len(ATTACKS) * size.chosen_attacked
    judged = size.test_clean + len(ATTACKS) * size.test_attacked
    ways = [
        Purifier(network, purification.SIGMAS[0], **vars(w)) for w in purification.WAYS.values()
    ]
    # The way that is judged is not known yet: the dearest.
    asked = len(purification.SIGMAS) * chosen * sum(way.evaluations for way in ways)
    asked += judged * max(way.evaluations for way in ways)

    def denoising(images: int) -> Callable[[], object]:
        x, level = _batch(images, device)[0], torch.full((images,), 0.1, device=device)
        return torch.no_grad()(lambda: network(x, level))

    counts = (size.chosen_attacked, size.test_attacked)
    together = min(purification.BATCH, *counts)
    reads = (1 + len(ways) * len(purification.SIGMAS)) * chosen + 2 * judged
    held = weight_bytes(network, copies=1)
    return [
        *_attacks(psi, sum(ceil(count / together) for count in counts), together, device),
        Job("calls of the denoiser", ceil(asked / PURIFIED), PURIFIED, denoising, held),
        _reading("psi on the results", psi, reads, device),
    ]


def _inversion(scale: str, device: str) -> list[Job]:
    size, network = inversion.SIZES[scale], _generator(scale, device)
    chosen = len(inversion.RATES) * size.chosen_by * ceil(size.chosen_on / size.batch)
    judged = sum(size.steps) * ceil(size.images / size.batch)

    def descent(images: int) -> Callable[[], object]:
        w = torch.zeros(images, network.layers, network.width, device=device, requires_grad=True)
        return lambda: network.synthesis(w).square().sum().backward()

    held = weight_bytes(network, copies=1)
    reads = (len(size.steps) + 1) * size.images
    return [
        Job("steps of Adam on w", chosen + judged, min(size.batch, size.images), descent, held),
        _reading("psi on the results", untrained_psi(scale, device), reads, device),
    ]


def _fidelity(scale: str, device: str) -> list[Job]:
    count, network = fidelity.COUNTS[scale], _generator(scale, device)
    drawn = count + fidelity.ROWS * CLASSES
    w = torch.zeros(1, network.layers, network.width, device=device)
    return [
        _forward("drawing", lambda n: network.synthesis(w.expand(n, -1, -1)), drawn, network),
        _reading("psi on drawn and real", untrained_psi(scale, device), 3 * count, device),
    ]


def _examples(scale: str, device: str) -> list[Job]:
    drawn, network = examples.SIZES[scale].draws * CLASSES, _generator(scale, device)
    w = torch.zeros(1, network.layers, network.width, device=device)
    return [
        _forward("drawing", lambda n: network.synthesis(w.expand(n, -1, -1)), drawn, network),
        _reading("psi on what was drawn", untrained_psi(scale, device), drawn, device),
    ]


def _reading(what: str, psi: WideResNet, images: int, device: str) -> Job:
    return _forward(what, lambda n: psi(_batch(n, device)[0]), images, psi)


def _forward(what: str, run: Callable[[int], Tensor], images: int, network: nn.Module) -> Job:
    """A network without gradients on `images` images, fidelity.BATCH at a time."""

    def probe(number: int) -> Callable[[], object]:
        return torch.no_grad()(lambda: run(number))

    batch = min(fidelity.BATCH, images)
    return Job(what, ceil(images / batch), batch, probe, weight_bytes(network, copies=1))


def _batch(images: int, device: str) -> tuple[Tensor, Tensor]:
    x = torch.rand(images, *SHAPE, device=device)
    return x, torch.arange(images, device=device) % CLASSES


def _bytes(data: ImageSet) -> int:
    return data.images.numel() * data.images.element_size()


_JOBS: dict[str, Callable[[str, str], list[Job]]] = {
    "classifier": _classifier,
    "generator": _generator_jobs,
    "diffusion": _diffusion,
    "dictionary": _dictionary,
    "type_classifier": _type_classifier,
    "reader": _reader,
    "evidence": _evidence,
    "examples": _examples,
    "inversion": _inversion,
    "fidelity": _fidelity,
    "purification": _purification,
}

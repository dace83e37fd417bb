"""What each part of `recipe cifar10` does, as steps of the real modules at a scale's sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import ceil
from typing import Protocol

import torch
from torch import Tensor, nn

from red_core.algorithm.presets import presets_of
from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, craft
from red_core.data.datasets import ImageSet
from red_core.measure.tradeoff import READERS
from red_core.models.channels_last import to_channels_last
from red_core.models.denoiser import Denoiser
from red_core.models.purifier import BATCH as PURIFIED
from red_core.models.style import StyleGenerator
from red_core.models.wide_resnet import WideResNet
from red_core.recipes import stories
from red_core.recipes.cifar10 import (
    classifier,
    dictionary,
    diffusion,
    examples,
    fidelity,
    generator,
    inversion,
    photographs,
    pool,
    purification,
    robust,
)
from red_core.recipes.cifar10.counting import weight_bytes
from red_core.recipes.cifar10.guided import GuidedTrainer
from red_core.recipes.cifar10.training import Shuffled
from red_core.recipes.robust import CHECKED

TRAIN_IMAGES, CLASSES, SHAPE = 48_000, 10, (3, 32, 32)
ADAM, SGD = 4, 3  # weights, gradients and moments


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


def images_like(images: int | None) -> ImageSet:
    """As many training images as a recipe sees, all the same one."""
    count = images or TRAIN_IMAGES
    pixels = torch.rand(1, *SHAPE).expand(count, *SHAPE)
    return ImageSet(pixels, torch.arange(count) % CLASSES, "no images")


def untrained_psi(scale: str, device: str) -> WideResNet:
    """psi of a scale's size, frozen and folded."""
    size = classifier.SIZES[scale]
    network = WideResNet(size.depth, size.width).eval().fold_norms()
    return to_channels_last(network, device).requires_grad_(False)


def untrained_generator(scale: str, device: str) -> StyleGenerator:
    """G of a scale's size, frozen."""
    size = generator.SIZES[scale]
    network = StyleGenerator(size.channels, size.latent, size.width)
    return to_channels_last(network, device).eval().requires_grad_(False)


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
    return _classifying(classifier.ClassifierTrainer, classifier.SIZES[scale], device)


def _surrogate(scale: str, device: str) -> list[Job]:
    return _classifying(classifier.ClassifierTrainer, classifier.SURROGATES[scale], device)


def _robust(scale: str, device: str) -> list[Job]:
    checked = 20 if scale == "tiny" else CHECKED
    return [
        *_classifying(robust.RobustTrainer, robust.SIZES[scale], device),
        *attacks(untrained_psi(scale, device), 1, checked, device),
    ]


def _classifying(
    kind: type[classifier.ClassifierTrainer], size: classifier.Size, device: str
) -> list[Job]:
    data = images_like(size.images)
    trainer = kind(size, data, 0, device)
    small = ceil(size.small * trainer.steps)
    side = classifier.SMALL_SIDE
    kinds = [
        (f"steps at {side} x {side}", 0, small),
        ("steps at 32 x 32", trainer.steps - 1, trainer.steps - small),
    ]
    held = weight_bytes(trainer.network, copies=SGD) + _bytes(data)
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
    held = weight_bytes(trainer.nets, copies=ADAM) + weight_bytes(trainer.averages, copies=1)
    return _trained(trainer, trainer.batches.size, held + _bytes(data), kinds)


def _diffusion(scale: str, device: str) -> list[Job]:
    size = diffusion.SIZES[scale]
    data = images_like(size.images)
    trainer = diffusion.DiffusionTrainer(size, data, 0, device)
    held = weight_bytes(trainer.network, copies=ADAM + 1) + _bytes(data)
    psi = untrained_psi(scale, device)
    made = torch.zeros(len(ATTACKS), len(data), *SHAPE).half()
    drawn = pool.Pool(data.images, made, data.labels, {})
    guided = GuidedTrainer(size.guidance, trainer.network, psi, drawn, 0, device)

    def guiding(images: int) -> Callable[[], object]:
        guided.size = replace(size.guidance, batch=images)
        return lambda: guided.step(0)

    return [
        *_trained(trainer, trainer.batches.size, held, [("steps", 0, trainer.steps)]),
        *pooled(psi, scale, device),
        Job("guided steps", size.guidance.steps, size.guidance.batch, guiding, held),
    ]


def pooled(psi: WideResNet, scale: str, device: str) -> list[Job]:
    """The pool's attacks, which the denoiser and the reader learn from."""
    rounds = ceil(pool.COUNTS[scale] / pool.BATCH)
    return attacks(psi, rounds, pool.BATCH, device, pool.STEPS)


def _dictionary(scale: str, device: str) -> list[Job]:
    size, psi = dictionary.SIZES[scale], untrained_psi(scale, device)
    rounds = ceil(size.per_class / size.together)
    reads = 2 * len(ATTACKS) * size.per_class * CLASSES
    return [
        *attacks(psi, rounds, CLASSES * size.together, device),
        reading("psi before and after", psi, reads, device),
    ]


def _dictionary_check(scale: str, device: str) -> list[Job]:
    images = len(ATTACKS) * dictionary.SIZES[scale].per_class * CLASSES
    return [reading("psi on the attacked images", untrained_psi(scale, device), images, device)]


def attacks(
    psi: WideResNet, rounds: int, images: int, device: str, steps: int | None = None
) -> list[Job]:
    """PGD of every kind in bf16, `rounds` times on `images` at once, in `steps` or the paper's."""
    attacked = dictionary.Lowered(psi, device)

    def ascent(kind: str, images: int) -> Callable[[], object]:
        settings = replace(PAPER_ATTACKS["cifar10"][kind], steps=1)
        x, y = batch_of(images, device)
        return lambda: craft(attacked, x, y, settings, range(images))

    return [
        Job(
            f"{kind} steps of PGD",
            rounds * (steps or PAPER_ATTACKS["cifar10"][kind].steps),
            images,
            partial(ascent, kind),
            weight_bytes(psi, copies=1),
        )
        for kind in ATTACKS
    ]


def _purification(scale: str, device: str) -> list[Job]:
    size, psi = purification.SIZES[scale], untrained_psi(scale, device)
    shape = diffusion.SIZES[scale]
    network = to_channels_last(Denoiser(shape.widths, shape.blocks, shape.embedding), device).eval()
    chosen = size.chosen_clean + len(ATTACKS) * size.chosen_attacked
    judged = size.test_clean + len(ATTACKS) * size.test_attacked
    ways, sigmas = purification.WAYS.values(), purification.SIGMAS
    draws = max(way.most for way in ways)
    calls = [way.calls(sigmas[0], way.most) for way in ways]
    # What is judged, once for each reader, is not known yet: the dearest.
    readers = len(READERS)
    asked = len(sigmas) * chosen * sum(calls) + readers * judged * max(calls)

    def denoising(images: int) -> Callable[[], object]:
        x, level = batch_of(images, device)[0], torch.full((images,), 0.1, device=device)
        return torch.no_grad()(lambda: network(x, level))

    counts = (size.chosen_attacked, size.test_attacked)
    together = min(purification.BATCH, *counts)
    means = sum(c.kind == "mean" for c in purification.COMBINATIONS) - 1  # the first is a draw's
    reads = (1 + len(sigmas) * (sum(way.most for way in ways) + means)) * chosen
    reads += (1 + readers * draws) * judged
    held = weight_bytes(network, copies=1)
    return [
        *attacks(psi, sum(ceil(count / together) for count in counts), together, device),
        Job("calls of the denoiser", ceil(asked / PURIFIED), PURIFIED, denoising, held),
        # The second classifier, whose size is its file's, is counted as another psi.
        reading("psi and the second classifier on the results", psi, readers * reads, device),
    ]


def _inversion(scale: str, device: str) -> list[Job]:
    size, network = inversion.SIZES[scale], untrained_generator(scale, device)
    chosen = len(inversion.RATES) * size.chosen_by * ceil(size.chosen_on / size.batch)
    judged = sum(size.steps) * ceil(size.images / size.batch)

    reads = (len(size.steps) + 1) * size.images
    return [
        descents(network, chosen + judged, min(size.batch, size.images), device),
        reading("psi on the results", untrained_psi(scale, device), reads, device),
    ]


def descents(network: StyleGenerator, steps: int, images: int, device: str) -> Job:
    """Steps of Adam on w."""

    def step(images: int) -> Callable[[], object]:
        w = torch.zeros(images, network.layers, network.width, device=device, requires_grad=True)
        return lambda: network.synthesis(w).square().sum().backward()

    return Job("steps of Adam on w", steps, images, step, weight_bytes(network, copies=1))


def _photograph_stories(scale: str, device: str) -> list[Job]:
    images = 4 if scale == "tiny" else stories.IMAGES
    options = presets_of("cifar10")["best"]
    steps = len(ATTACKS) * (options.start_steps + options.steps)
    network = untrained_generator(scale, device)
    crafted = attacks(untrained_psi(scale, device), 1, images, device)
    return [*crafted, descents(network, steps, images, device)]


def _fidelity(scale: str, device: str) -> list[Job]:
    count, network = fidelity.COUNTS[scale], untrained_generator(scale, device)
    drawn = count + fidelity.ROWS * CLASSES
    w = torch.zeros(1, network.layers, network.width, device=device)
    return [
        _forward("drawing", lambda n: network.synthesis(w.expand(n, -1, -1)), drawn, network),
        reading("psi on drawn and real", untrained_psi(scale, device), 3 * count, device),
    ]


def _examples(scale: str, device: str) -> list[Job]:
    drawn, network = examples.SIZES[scale].draws * CLASSES, untrained_generator(scale, device)
    w = torch.zeros(1, network.layers, network.width, device=device)
    return [
        _forward("drawing", lambda n: network.synthesis(w.expand(n, -1, -1)), drawn, network),
        reading("psi on what was drawn", untrained_psi(scale, device), drawn, device),
    ]


def _photographs(scale: str, device: str) -> list[Job]:
    psi = untrained_psi(scale, device)
    return [reading("psi on the photographs", psi, len(photographs.PICTURES), device)]


def reading(what: str, psi: WideResNet, images: int, device: str) -> Job:
    """A Wide ResNet without gradients on `images` images."""
    return _forward(what, lambda n: psi(batch_of(n, device)[0]), images, psi)


def _forward(what: str, run: Callable[[int], Tensor], images: int, network: nn.Module) -> Job:
    """A network without gradients on `images` images, fidelity.BATCH at a time."""

    def probe(number: int) -> Callable[[], object]:
        return torch.no_grad()(lambda: run(number))

    batch = min(fidelity.BATCH, images)
    return Job(what, ceil(images / batch), batch, probe, weight_bytes(network, copies=1))


def batch_of(images: int, device: str) -> tuple[Tensor, Tensor]:
    """Made-up images [images, 3, 32, 32] and labels."""
    x = torch.rand(images, *SHAPE, device=device)
    return x, torch.arange(images, device=device) % CLASSES


def _bytes(data: ImageSet) -> int:
    return data.images.numel() * data.images.element_size()


JOBS: dict[str, Callable[[str, str], list[Job]]] = {
    "classifier": _classifier,
    "generator": _generator_jobs,
    "diffusion": _diffusion,
    "dictionary": _dictionary,
    "examples": _examples,
    "photographs": _photographs,
    "inversion": _inversion,
    "fidelity": _fidelity,
    "purification": _purification,
    "robust": _robust,
    "surrogate": _surrogate,
    "dictionary_check": _dictionary_check,
    "photograph_stories": _photograph_stories,
}

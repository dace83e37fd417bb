"""What the parts of `recipe cifar10` that train the preset `best` do, as steps like `work`'s."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from math import ceil

import torch

from red_core.algorithm.algorithm1 import begin, step
from red_core.algorithm.presets import CIFAR10_BEST
from red_core.algorithm.problem import AttackDictionary, RedProblem
from red_core.attacks.pgd import ATTACKS
from red_core.models.airbench import AirbenchNet
from red_core.models.channels_last import to_channels_last
from red_core.models.denoiser import Denoiser
from red_core.models.evidence_model import EvidenceModel
from red_core.models.style_partners import StyleEncoder
from red_core.models.wide_resnet import WideResNet
from red_core.recipes.cifar10 import (
    attacked,
    dictionary,
    diffusion,
    drawn_runs,
    evidence,
    generator,
    held_out,
    pool,
    reader,
    runs,
    type_classifier,
)
from red_core.recipes.cifar10.clean_reader import CleanTrainer
from red_core.recipes.cifar10.counting import weight_bytes
from red_core.recipes.cifar10.work import (
    ADAM,
    CLASSES,
    SGD,
    SHAPE,
    Job,
    attacks,
    batch_of,
    images_like,
    pooled,
    reading,
    untrained_generator,
    untrained_psi,
)

PIXELS = torch.Size(SHAPE).numel()


def _type_classifier(scale: str, device: str) -> list[Job]:
    size = type_classifier.SIZES[scale]
    pictures = torch.rand(10, *SHAPE)
    trainer = type_classifier.TypeTrainer(
        size, images_like(1000), _stored(scale), pictures, 0, device
    )

    def training(images: int) -> Callable[[], object]:
        trainer.size = replace(size, batch=images)
        return lambda: trainer.step(size.steps - 1)

    held = weight_bytes(trainer.network, copies=SGD)
    count, psi = held_out.COUNTS[scale], untrained_psi(scale, device)
    batch = min(held_out.BATCH, count)
    return [
        Job("steps", size.steps, size.batch, training, held),
        *attacks(psi, ceil(count / batch), batch, device),
        *_best(scale, device, 4 * ceil(count / batch), batch),
    ]


def _reader(scale: str, device: str) -> list[Job]:
    size, stored = reader.SIZES[scale], _stored(scale)
    count = 10
    images = torch.rand(count, len(runs.MARKS), *SHAPE).half()
    zeros = torch.zeros(count, dtype=torch.int64)
    finished = runs.Runs(images, zeros, zeros, zeros.float(), zeros, images, zeros.bool())
    shape = diffusion.SIZES[scale]
    network, encoder = untrained_generator(scale, device), _encoder(scale, device)
    denoiser = to_channels_last(
        Denoiser(shape.widths, shape.blocks, shape.embedding), device
    ).eval()
    clean, attacks_made = images_like(1000), torch.zeros(len(ATTACKS), 1000, *SHAPE).half()
    drawn = pool.Pool(clean.images, attacks_made, clean.labels, {})
    sources = reader.Sources(clean, drawn, stored, finished, encoder, network, denoiser)
    first = CleanTrainer(AirbenchNet(size.widths), clean, size.epochs, 0, device)
    trainer = reader.ReaderTrainer(size, first.network, sources, 0, device)

    def training(images: int) -> Callable[[], object]:
        trainer.size = replace(size, batch=images)
        return lambda: trainer.step(0)

    def clean_training(images: int) -> Callable[[], object]:
        first.batches.size = images
        return lambda: first.step(0)

    held = weight_bytes(trainer.network, copies=SGD)
    jobs = runs.jobs_of(stored, runs.SIZES[scale])
    together = CLASSES * runs.SIZES[scale].together
    return [
        *_best(scale, device, len(jobs), together),
        *pooled(untrained_psi(scale, device), scale, device),
        Job("clean steps", first.steps, first.batches.size, clean_training, held),
        Job("steps", size.steps, size.batch, training, held),
    ]


def _evidence(scale: str, device: str) -> list[Job]:
    stored, size = _stored(scale), type_classifier.SIZES[scale]
    network = to_channels_last(WideResNet(size.depth, size.width, len(ATTACKS) + 1), device).eval()
    apart = [job for job in runs.jobs_of(stored, runs.SIZES[scale]) if job.apart]
    count = sum(len(stored.labels_of(job.columns)) for job in apart)
    model = EvidenceModel(31, len(ATTACKS) + 1)

    def training(rows: int) -> Callable[[], object]:
        return lambda: model(torch.rand(rows, 31)).sum().backward()

    steps = evidence.TINY_STEPS if scale == "tiny" else evidence.STEPS
    answers, pictures = len(ATTACKS) + 1, drawn_runs.COUNTS[scale]
    return [
        *_best(scale, device, answers, pictures),
        reading("the type classifier on the runs", network, count + answers * pictures, device),
        Job("steps", steps, evidence.BATCH, training, weight_bytes(model, copies=ADAM)),
    ]


def _stored(scale: str) -> attacked.StoredAttacks:
    """As many attacks as D_a holds at a scale, all of them nothing."""
    count = dictionary.SIZES[scale].per_class
    return attacked.StoredAttacks(
        torch.rand(1, 1, *SHAPE).expand(CLASSES, count, *SHAPE),
        torch.zeros(1).half().expand(CLASSES, len(ATTACKS), count, PIXELS),
        torch.zeros(CLASSES, count, dtype=torch.int64),
        torch.arange(CLASSES),
    )


def _encoder(scale: str, device: str) -> StyleEncoder:
    size, network = generator.SIZES[scale], untrained_generator(scale, device)
    made = StyleEncoder(network.layers, size.width, size.encoder)
    return to_channels_last(made, device).eval().requires_grad_(False)


def _best(scale: str, device: str, batches: int, images: int) -> list[Job]:
    """Runs of `best`, `batches` times on `images` images: their steps in both phases."""
    network, columns = (
        untrained_generator(scale, device),
        3 * CLASSES * dictionary.SIZES[scale].per_class,
    )
    atoms = torch.zeros(PIXELS, columns, device=device)
    atoms[0] = 1
    d_a = AttackDictionary(atoms, CLASSES, ATTACKS, torch.ones(columns))
    d_a = d_a.with_operator_norm_squared(1.0)

    def stepping(start: bool, images: int) -> Callable[[], object]:
        w = torch.zeros(images, 1, network.layers, network.width, device=device)
        options = replace(CIFAR10_BEST, start_steps=int(start))
        problem = RedProblem(batch_of(images, device)[0], network, d_a)
        return partial(step, problem, begin(problem, w, options), options)

    held = weight_bytes(network, copies=1) + 2 * atoms.numel() * atoms.element_size()
    phases = (("start", True, CIFAR10_BEST.start_steps), ("joint", False, CIFAR10_BEST.steps))
    return [
        Job(f"{name} steps of runs", batches * steps, images, partial(stepping, start), held)
        for name, start, steps in phases
    ]


JOBS: dict[str, Callable[[str, str], list[Job]]] = {
    "type_classifier": _type_classifier,
    "reader": _reader,
    "evidence": _evidence,
}

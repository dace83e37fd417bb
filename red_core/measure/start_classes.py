"""In which class an inversion begins and in which it ends (Section 5.2.2 and B.7).

Where the generator knows classes (CIFAR-10), every image is inverted from the mean w of each class
in turn, without any pull back to it. Elsewhere every image is inverted once, by preset `paper`
from one random z, and the class of the start is what psi reads in the first G(z).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.algorithm1 import defense_gan
from red_core.algorithm.batch import run_to_end
from red_core.algorithm.observe import observe
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import OWN, files_of, presets_of
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.verdict import NO_ATTACK
from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.measure.attack_cache import AttackCache
from red_core.measure.intervals import share
from red_core.measure.result_store import Key, images_digest, keep, result_key
from red_core.measure.tables.means import mean_share
from red_core.run.bundle import Bundle
from red_core.run.code_digest import changed_values, code_digest
from red_core.run.experiment import begin_run
from red_core.run.prior import StylePrior
from red_core.run.provenance import asset_checksums, provenance
from red_core.run.settings import SettingsError, item_seed

STARTS = "starts.json"
STEPS = 100
BATCH = 50
FROM_CLASSES = ("cifar10",)  # the data sets whose generator is given the class to draw


@dataclass(frozen=True)
class Inversions:
    """Inversions of n images from R starts each: classes that psi reads, [R, n] long on the CPU.

    began: class of the start; ended: psi's class of the last G(z); distance: ||x - G(z)|| there.
    """

    began: Tensor
    ended: Tensor
    distance: Tensor


def inversion_options(dataset: str, steps: int) -> SolverOptions:
    """How `best` moves z from its start, but for the pull back, and without an attack's code."""
    best = presets_of(dataset)["best"]
    return replace(
        best, start_steps=steps, carry=1, halve_at=(), latent_weight=0.0, feature_weight=0.0
    )


def random_options(dataset: str) -> SolverOptions:
    """Preset `paper` with one random start, so that no choice among starts favours a class."""
    return replace(presets_of(dataset)["paper"], restarts=1)


def options_of(dataset: str) -> SolverOptions:
    """The options of a data set's inversions."""
    known = dataset in FROM_CLASSES
    return inversion_options(dataset, STEPS) if known else random_options(dataset)


def steps_of(dataset: str) -> int:
    """The steps of one inversion."""
    return STEPS if dataset in FROM_CLASSES else options_of(dataset).total


@torch.no_grad()
def _read(bundle: Bundle, images: Tensor) -> Tensor:
    answer: Tensor = bundle.psi(images).argmax(1)
    return answer


def ended_from(
    bundle: Bundle,
    images: Tensor,
    start: Tensor,
    steps: int,
    tick: Callable[[], object] = lambda: None,
) -> tuple[Tensor, Tensor]:
    """psi's class of G(w) where inversions of images [B, C, H, W] from one `start` [*latent] end.

    Returns classes [B] and the distances ||x - G(w)|| [B].
    """
    problem = RedProblem(images.to(bundle.device), bundle.generator, bundle.dictionary)
    starts = start.to(bundle.device).expand(len(images), 1, *start.shape).clone()
    options = inversion_options(bundle.dataset, steps)
    state = defense_gan(problem, starts, options, starts, tick)
    made = observe(problem, state, options).image
    away = torch.linalg.vector_norm((made - problem.observed).flatten(1), dim=1)
    return _read(bundle, made), away


def _from_every_class(bundle: Bundle, images: Tensor) -> Inversions:
    """Every image from the mean w of each class: R = classes."""
    assert isinstance(bundle.prior, StylePrior)
    centres, parts = bundle.prior.class_centres(), images.split(BATCH)
    classes, distances = [], []
    total = len(centres) * len(parts) * STEPS
    with tqdm(total=total, desc="starts", unit="step", mininterval=0.5) as bar:
        for centre in centres:
            found = [ended_from(bundle, part, centre, STEPS, bar.update) for part in parts]
            classes.append(torch.cat([answer for answer, _ in found]).cpu())
            distances.append(torch.cat([away for _, away in found]).cpu())
    began = torch.arange(len(centres))[:, None].expand(-1, len(images))
    return Inversions(began, torch.stack(classes), torch.stack(distances))


def _from_random(bundle: Bundle, images: Tensor, seed: int) -> Inversions:
    """Every image from one random z of its own seed: R = 1."""
    options, places = random_options(bundle.dataset), range(len(images))
    began, ended, distances = [], [], []
    chunks = [places[first : first + BATCH] for first in range(0, len(images), BATCH)]
    total = len(chunks) * options.total
    with tqdm(total=total, desc="starts", unit="step", mininterval=0.5) as bar:
        for number, items in enumerate(chunks, start=1):
            part = images[items.start : items.stop]
            seeds = [item_seed(seed, index) for index in items]
            problem, state = begin_run(bundle, part, options, seeds)
            began.append(_read(bundle, observe(problem, state, options).image).cpu())
            last = run_to_end(problem, state, options, lambda *_: bar.update())
            bar.update(number * options.total - bar.n)  # the steps that settled images left out
            ended.append(_read(bundle, last.image).cpu())
            away = torch.linalg.vector_norm((last.image - problem.observed).flatten(1), dim=1)
            distances.append(away.cpu())
    joined = (torch.cat(each)[None] for each in (began, ended, distances))
    return Inversions(*joined)


def measure(
    bundle: Bundle, examples: int, seed: int, work: Path, attack: str = NO_ATTACK
) -> dict[str, Any]:
    """Invert the first `examples` images and count in which class they begin and end; the report.

    {"dataset", "generator", "n", "attack", "steps", "seen": psi's class of each start's own G(w)
    [classes] (where the class is read in the first G(z), that class itself), "begun": counts of
    (start class, true class), "right": those of them that ended right, "ended": counts of (start
    class, class psi reads at the end), "images": images of each true class [classes], "share": of
    all inversions that ended right (its interval allows for shared images), "same": the part of
    the inversions that began in the image's class, "kept": the part of those from another class
    that ended in the start's class, "clean": share of the images that psi reads right as they
    are, "mean_distance" [classes]: by start, None where none began there, "source", "seed",
    "command", "files", "provenance"}. Raises SettingsError for more images than there are.
    """
    names = bundle.class_names
    if examples > len(bundle.examples):
        raise SettingsError(
            f"{examples} examples were asked for, and there are {len(bundle.examples)} "
            f"({bundle.examples.source})"
        )
    chosen = None if attack == NO_ATTACK else PAPER_ATTACKS[bundle.dataset][attack]
    crafted = AttackCache(bundle, chosen, seed, len(bundle.examples), work / "attacks")
    images, true = crafted.read(range(examples)), bundle.examples.labels[:examples]
    known = bundle.dataset in FROM_CLASSES
    made = _from_every_class(bundle, images) if known else _from_random(bundle, images, seed)
    began, rows = made.began, made.ended == true
    aim = true.expand_as(began)
    others = began != aim
    seen = list(range(len(names)))
    if isinstance(bundle.prior, StylePrior):
        seen = _read(bundle, bundle.generator(bundle.prior.class_centres())).tolist()
    distances = [made.distance[began == start] for start in range(len(names))]
    command = f"python -m red_core starts --dataset {bundle.dataset} --examples {examples}"
    if bundle.generator_name != OWN:
        command += f" --generator {bundle.generator_name}"
    used = files_of("paper", bundle.generator_name)
    return {
        "dataset": bundle.dataset,
        "generator": bundle.generator_name,
        "n": examples,
        "attack": attack,
        "steps": steps_of(bundle.dataset),
        "seen": seen,
        "begun": _counts(began, aim, len(names)),
        "right": _counts(began[rows], aim[rows], len(names)),
        "ended": _counts(began, made.ended, len(names)),
        "images": torch.bincount(true, minlength=len(names)).tolist(),
        "share": mean_share(rows.tolist()),
        "same": int((~others).sum()) / others.numel(),
        "kept": int((others & (made.ended == began)).sum()) / max(1, int(others.sum())),
        "clean": share(int((_read(bundle, images).cpu() == true).sum()), examples),
        "mean_distance": [round(float(d.mean()), 4) if len(d) else None for d in distances],
        "source": bundle.examples.source,
        "seed": seed,
        "command": f"{command} --attack {attack} --seed {seed}",
        "files": {k: v for k, v in asset_checksums(bundle.dataset).items() if k in used},
        "key": {
            **report_key(bundle.dataset, attack, seed, bundle.device.type, bundle.generator_name),
            "images": images_digest(bundle.examples, examples),
        },
        "provenance": provenance(bundle.device),
    }


def _counts(first: Tensor, second: Tensor, classes: int) -> list[list[int]]:
    """How often each pair of classes occurs, [classes, classes]: a row for each first one."""
    pairs = first.flatten() * classes + second.flatten()
    table: list[list[int]] = pairs.bincount(minlength=classes**2).view(classes, -1).tolist()
    return table


def report_key(dataset: str, attack: str, seed: int, device: str, generator: str = OWN) -> Key:
    """The key of a report, but for the content of its images (None here)."""
    values = {
        "attack": None if attack == NO_ATTACK else asdict(PAPER_ATTACKS[dataset][attack]),
        "options": changed_values(options_of(dataset)),
        **{"seed": seed, "device": device},
        **({} if generator == OWN else {"generator": generator}),
    }
    return result_key([code_digest(__name__)], values, None)


def keep_report(report: dict[str, Any]) -> None:
    """Write a report into the assets as `starts.json`."""
    keep(report["dataset"], STARTS, report, f"{report['command']} --keep")

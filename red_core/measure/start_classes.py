"""Section 5.2.2's claim, measured: an inversion ends in the right class whatever class it began in.

Every image is inverted from the mean w of each class in turn, without any pull back to it. What
counts is which class psi reads in the start's own G(w), and in G(w) where the inversion ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.algorithm1 import defense_gan
from red_core.algorithm.observe import observe
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import PAPER_FILES, presets_of
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.verdict import NO_ATTACK
from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.measure.attack_cache import AttackCache
from red_core.measure.intervals import share
from red_core.measure.result_store import Key, images_digest, keep, result_key
from red_core.measure.tables.means import mean_share
from red_core.run.bundle import Bundle
from red_core.run.code_digest import changed_values, code_digest
from red_core.run.prior import StylePrior
from red_core.run.provenance import asset_checksums, provenance
from red_core.run.settings import SettingsError

STARTS = "starts.json"
STEPS = 100
BATCH = 50


def inversion_options(dataset: str, steps: int) -> SolverOptions:
    """How `best` moves z from its start, but for the pull back, and without an attack's code."""
    best = presets_of(dataset)["best"]
    return replace(
        best, start_steps=steps, carry=1, halve_at=(), latent_weight=0.0, feature_weight=0.0
    )


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


def measure(
    bundle: Bundle, examples: int, seed: int, work: Path, attack: str = NO_ATTACK
) -> dict[str, Any]:
    """Invert the first `examples` images from the mean w of each class; the report.

    {"dataset", "n", "attack", "steps", "seen": psi's class of each start's own G(w) [classes],
    "right": counts of (start class, true class) that ended right, "ended": counts of (start class,
    class psi reads at the end), "images": images of each true class [classes], "share": of all
    inversions that ended right (its interval allows for shared images), "kept": the part
    of the inversions from another class than the image's that ended in the start's class, "clean":
    share of the images that psi reads right as they are, "mean_distance" [classes]: by start,
    "source", "seed", "command", "files", "provenance"}. Raises SettingsError for a generator
    without classes and for more images than there are.
    """
    prior, names = bundle.prior, bundle.class_names
    if not isinstance(prior, StylePrior):
        raise SettingsError(f"the generator of {bundle.dataset} knows no classes to start from")
    if examples > len(bundle.examples):
        raise SettingsError(
            f"{examples} examples were asked for, and there are {len(bundle.examples)} "
            f"({bundle.examples.source})"
        )
    chosen = None if attack == NO_ATTACK else PAPER_ATTACKS[bundle.dataset][attack]
    crafted = AttackCache(bundle, chosen, seed, len(bundle.examples), work / "attacks")
    images, true = crafted.read(range(examples)), bundle.examples.labels[:examples]
    parts = images.split(BATCH)
    centres = prior.class_centres()
    right, ended = ([[0] * len(names) for _ in names] for _ in range(2))
    distances, kept, rows = [], 0, []
    total = len(names) * len(parts) * STEPS
    with tqdm(total=total, desc="starts", unit="step", mininterval=0.5) as bar:
        for start, centre in enumerate(centres):
            found = [ended_from(bundle, part, centre, STEPS, bar.update) for part in parts]
            classes = torch.cat([answer for answer, _ in found]).cpu()
            distances.append(round(float(torch.cat([away for _, away in found]).mean()), 4))
            rows.append((classes == true).tolist())
            for label, answer in zip(true.tolist(), classes.tolist(), strict=True):
                right[start][label] += answer == label
                ended[start][answer] += 1
                kept += label != start and answer == start
    counted = torch.bincount(true, minlength=len(names)).tolist()
    others = sum(examples - counted[start] for start in range(len(names)))
    command = f"python -m red_core starts --dataset {bundle.dataset} --examples {examples}"
    return {
        "dataset": bundle.dataset,
        "n": examples,
        "attack": attack,
        "steps": STEPS,
        "seen": _read(bundle, bundle.generator(centres)).tolist(),
        "right": right,
        "ended": ended,
        "images": counted,
        "share": mean_share(rows),
        "kept": kept / max(1, others),
        "clean": share(int((_read(bundle, images).cpu() == true).sum()), examples),
        "mean_distance": distances,
        "source": bundle.examples.source,
        "seed": seed,
        "command": f"{command} --attack {attack} --seed {seed}",
        "files": {k: v for k, v in asset_checksums(bundle.dataset).items() if k in PAPER_FILES},
        "key": {
            **report_key(bundle.dataset, attack, seed, bundle.device.type),
            "images": images_digest(bundle.examples, examples),
        },
        "provenance": provenance(bundle.device),
    }


def report_key(dataset: str, attack: str, seed: int, device: str) -> Key:
    """The key of a report, but for the content of its images (None here)."""
    values = {
        "attack": None if attack == NO_ATTACK else asdict(PAPER_ATTACKS[dataset][attack]),
        "options": changed_values(inversion_options(dataset, STEPS)),
        **{"seed": seed, "device": device},
    }
    return result_key([code_digest(__name__)], values, None)


def keep_report(report: dict[str, Any]) -> None:
    """Write a report into the assets as `starts.json`."""
    keep(report["dataset"], STARTS, report, f"{report['command']} --keep")

"""The tables: one attack on many images, one preset, judged by all rules.

Attacks are crafted once per classifier, attack and seed and kept in the work folder, so that
every preset sees the same x'; verdicts are kept there batch by batch, so that a stopped
evaluation goes on where it was. A kept verdict is used only while the images and labels, the
options, the trained files and the code are those that made it (`run/code_digest.py`).
"""

from __future__ import annotations

import json
import time
from collections import Counter
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import torch
from tqdm import tqdm

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.presets import OWN, files_of
from red_core.algorithm.verdict import judge, silent
from red_core.attacks.pgd import AttackSettings
from red_core.data.atomic import write_atomically
from red_core.measure.attack_cache import AttackCache
from red_core.measure.intervals import share
from red_core.measure.result_store import Key, images_digest, read_kept, result_key
from red_core.parse import written
from red_core.run.bundle import Bundle
from red_core.run.code_digest import changed_values, code_digest, digest_of, tensor_digest
from red_core.run.experiment import begin_run, readers_for
from red_core.run.provenance import asset_checksums, provenance
from red_core.run.settings import RunSettings, SettingsError, item_seed

MAX_BATCH = 1000
_ANSWERS = ("true", "adversarial", "signal", "psi", "attack", "block", "distance", "gap")


@dataclass(frozen=True)
class EvaluationSettings:
    """One row of a table.

    run: data set, attack, preset, generator, solver options, seed and device (its index and source
    are not used); examples: the first N images; eps_scale: factor on the attack's eps and step
    size; batch: images solved together, which changes speed and memory, not answers (up to
    rounding).
    Raises SettingsError.
    """

    run: RunSettings = field(default_factory=RunSettings)
    examples: int = 100
    eps_scale: float = 1.0
    batch: int = 50

    def __post_init__(self) -> None:
        if self.examples < 1:
            raise SettingsError(f"examples must be at least 1, not {self.examples}")
        if not 1 <= self.batch <= MAX_BATCH:
            raise SettingsError(f"batch must lie between 1 and {MAX_BATCH}, not {self.batch}")
        try:
            self.attack_settings()
        except ValueError as error:
            raise SettingsError(str(error)) from error

    def attack_settings(self) -> AttackSettings | None:
        """The attack at `eps_scale` times its eps; None for attack "none"."""
        attack = self.run.attack_settings()
        return None if attack is None else attack.scaled(self.eps_scale)

    def as_command(self) -> str:
        """The command that repeats the row."""
        words = ["python -m red_core evaluate", f"--dataset {self.run.dataset}"]
        words += [f"--attack {self.run.attack}", f"--examples {self.examples}"]
        words += [f"--preset {self.run.preset}"]
        if self.run.generator != OWN:
            words.append(f"--generator {self.run.generator}")
        if self.eps_scale != 1:
            words.append(f"--eps-scale {self.eps_scale:g}")
        words += [f"--set {name}={written(value)}" for name, value in self.run.solver]
        return " ".join((*words, f"--seed {self.run.seed}"))


def report_key(settings: EvaluationSettings, device: str, images: str | None) -> Key:
    """The key of a row; device: "cpu", "cuda" or "mps"; images: `images_digest` of its images."""
    values = _values(settings, range(settings.examples)) | {"device": device}
    return result_key([code_digest(__name__)], values, images)


def _values(settings: EvaluationSettings, items: range) -> dict[str, Any]:
    """The settings that decide the answers on some images."""
    attack, run = settings.attack_settings(), settings.run
    generator = {} if run.generator == OWN else {"generator": run.generator}
    return generator | {
        "attack": None if attack is None else asdict(attack),
        "preset": run.preset,  # it decides which classifier reads G(z)
        "options": changed_values(run.solver_options()),
        "seeds": [item_seed(run.seed, index) for index in items],
    }


def files_used(run: RunSettings) -> dict[str, str]:
    """Checksums of the trained files that the preset uses with the run's generator."""
    used = files_of(run.preset, run.generator)
    return {name: sha for name, sha in asset_checksums(run.dataset).items() if name in used}


def evaluate(bundle: Bundle, settings: EvaluationSettings, work: Path) -> dict[str, Any]:
    """Attack, solve and judge the first N of the bundle's examples.

    Returns the report of `python -m red_core evaluate`: shares in [0, 1] with Wilson's 95%
    interval, counts of the attack answers, and what made them. seconds: from x' to the verdicts,
    summed over batches. work: folder of what is kept. Raises SettingsError for more images than
    there are, and for a bundle with another generator than the run's.
    """
    if bundle.generator_name != settings.run.generator:
        raise SettingsError(
            f"the run wants generator {settings.run.generator}, and the bundle holds "
            f"{bundle.generator_name}"
        )
    n = settings.examples
    if n > len(bundle.examples):
        raise SettingsError(
            f"{n} examples were asked for, and there are {len(bundle.examples)} "
            f"({bundle.examples.source})"
        )
    crafted = AttackCache(
        bundle, settings.attack_settings(), settings.run.seed, n, work / "attacks"
    )
    crafted.fill()
    made_by = provenance(bundle.device)
    key, files = report_key(settings, bundle.device.type, None), files_used(settings.run)
    starts = range(0, n, settings.batch)
    steps = settings.run.solver_options()
    total = len(starts) * steps.total
    batches = []
    name = f"{settings.run.preset} on {settings.run.attack}"
    with tqdm(total=total, desc=name, unit="step", mininterval=0.5) as bar:
        for start in starts:
            items = range(start, min(start + settings.batch, n))
            path = work / "evaluations" / _batch_name(bundle, settings, items, key, files)
            kept = read_kept(path, len(items), _ANSWERS)
            if kept is None:
                kept = _solve_batch(bundle, settings, crafted, items, bar)
                write_atomically(path, json.dumps(kept).encode())
            else:
                bar.update(steps.total)
            batches.append(kept)
    check = crafted.check()
    return {
        **_summary(batches, settings),
        "attack_check": None if check is None else check.shares(),
        **_provenance(bundle, settings, files),
        "key": {**key, "images": images_digest(bundle.examples, n)},
        "provenance": made_by,
    }


def _batch_name(
    bundle: Bundle, settings: EvaluationSettings, items: range, key: Key, files: dict[str, str]
) -> str:
    """The file of one batch's verdicts: named by all that decides them, wherever the row ends."""
    part = slice(items.start, items.stop)
    decides = _values(settings, items) | {
        "code": key["code"],
        "device": bundle.device.type,
        "files": files,
        "images": tensor_digest(bundle.examples.images[part], bundle.examples.labels[part]),
    }
    return f"{items.start:05d}-{items.stop:05d}-{digest_of(decides)}.json"


def _solve_batch(
    bundle: Bundle, settings: EvaluationSettings, crafted: AttackCache, items: range, bar: tqdm[Any]
) -> dict[str, Any]:
    """Answers of some images, item by item."""
    attacked = crafted.read(items)
    seeds = [item_seed(settings.run.seed, index) for index in items]
    began = time.perf_counter()
    options, before = settings.run.solver_options(), bar.n
    problem, state = begin_run(bundle, attacked, options, seeds)
    iterate = run_to_end(problem, state, options, lambda problem, state: bar.update())
    bar.update(before + options.total - bar.n)  # the steps that settled images did not need
    verdict = judge(problem, iterate, readers_for(bundle, settings.run.preset))
    answers = [verdict.attack_names[i] for i in verdict.attack_label.tolist()]
    blocks = [
        "none" if nothing else verdict.attack_names[i]
        for i, nothing in zip(verdict.block_label.tolist(), silent(iterate).tolist(), strict=True)
    ]
    seconds = time.perf_counter() - began
    clean = bundle.examples.images[items.start : items.stop].to(bundle.device)
    distance = torch.linalg.vector_norm((iterate.image - clean).flatten(1), dim=1)
    return {
        "seconds": seconds,
        "true": bundle.examples.labels[items.start : items.stop].tolist(),
        "adversarial": verdict.adversarial_label.tolist(),
        "signal": verdict.signal_label.tolist(),
        "psi": verdict.psi_label.tolist(),
        "attack": answers,
        "block": blocks,
        "distance": distance.tolist(),
        "gap": (iterate.gap / iterate.loss.clamp_min(1e-12)).tolist(),
    }


def _summary(batches: list[dict[str, Any]], settings: EvaluationSettings) -> dict[str, Any]:
    every = {
        name: [value for batch in batches for value in batch[name]]
        for name in batches[0]
        if name != "seconds"
    }
    n, attack = len(every["true"]), settings.run.attack

    def right(answer: str, truth: list[Any]) -> dict[str, float]:
        return share(sum(a == t for a, t in zip(every[answer], truth, strict=True)), n)

    return {
        "n": n,
        "seconds": round(sum(batch["seconds"] for batch in batches), 2),
        "signal_accuracy": right("signal", every["true"]),
        "psi_signal_accuracy": right("psi", every["true"]),
        "attack_accuracy": right("attack", [attack] * n),
        "block_attack_accuracy": right("block", [attack] * n),
        "adversarial_accuracy": right("adversarial", every["true"]),
        "attack_answers": dict(sorted(Counter(every["attack"]).items())),
        "block_answers": dict(sorted(Counter(every["block"]).items())),
        "mean_distance": sum(every["distance"]) / n,
        "mean_relative_gap": sum(every["gap"]) / n,
    }


def _provenance(
    bundle: Bundle, settings: EvaluationSettings, files: dict[str, str]
) -> dict[str, Any]:
    run, attack = replace(settings.run, index=0), settings.attack_settings()
    solver = json.loads(json.dumps(asdict(run.solver_options())))
    return {
        "source": bundle.examples.source,
        "settings": {
            "dataset": run.dataset,
            "attack": run.attack,
            "preset": run.preset,
            "generator": run.generator,
            "eps_scale": settings.eps_scale,
            "batch": settings.batch,
            "seed": run.seed,
            "solver_overrides": dict(run.solver),
        },
        "resolved": {"attack": None if attack is None else asdict(attack), "solver": solver},
        "command": settings.as_command(),
        "assets": files,
    }

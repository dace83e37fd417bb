"""Tables measured on nothing: answers drawn by chance, kept by the core's own code.

They have the shape of real ones and none of their worth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from red_core.data.datasets import CLASSES
from red_core.measure.assumption import ASSUMPTION, SPANS
from red_core.measure.intervals import share
from red_core.measure.result_store import keep
from red_core.measure.start_classes import STARTS
from red_core.measure.tables import Request, keep_answers
from red_core.measure.tables.spec import PSI, has_own_network
from red_core.measure.unknown import GROUPS, unseen_attacks
from red_core.measure.unknown.measure_unknown import REPORT, summarise
from red_core.methods import ANSWERS, METHODS
from red_core.run.provenance import asset_checksums

RIGHT = {"linf": 0.7, "l2": 0.8, "l1": 0.85, "none": 0.97}
MADE_BY = {"commit": "0123456789abcdef", "device": "cpu", "hardware": "toy", "torch": "2.0"}


def toy_answers(request: Request, labels: np.ndarray, where: str) -> dict[str, Any]:
    """Answers of every method of a table on images of these classes."""
    files, spec = asset_checksums(request.spec.dataset), request.spec
    blocks: dict[str, Any] = {}
    for block in spec.blocks:
        for attack in spec.attacks:
            for place, key in enumerate(spec.methods):
                if key not in METHODS:
                    continue
                if block != PSI and (not has_own_network(key) or attack == "none"):
                    continue
                for entry in (key, *(f"{key}/{name}" for name in METHODS[key].readings)):
                    seed = [int(spec.number), place, len(entry), len(block)]
                    draw = np.random.default_rng([*seed, len(ANSWERS), spec.attacks.index(attack)])
                    cell = _cell(draw, METHODS[key], labels, attack, len(CLASSES[spec.dataset]))
                    known = {name: files[name] for name in METHODS[key].files if name in files}
                    cell |= {"n": len(labels), "seconds": 0.1, "files": known, "run": 0}
                    blocks.setdefault(block, {}).setdefault(attack, {})[entry] = cell
    return {
        "table": request.number,
        "source": where,
        "seed": request.seed,
        "runs": [{"command": request.as_command(), "provenance": MADE_BY}],
        "missing": {},
        "blocks": blocks,
        "true": "".join(map(str, labels.tolist())),
    }


def _cell(
    draw: np.random.Generator, method: Any, labels: np.ndarray, attack: str, classes: int
) -> dict[str, str | None]:
    count = len(labels)
    hit = draw.random(count) < RIGHT[attack]
    read = np.where(hit, labels, draw.integers(classes, size=count))
    named = np.where(hit, ANSWERS.index(attack), draw.integers(len(ANSWERS), size=count))
    return {
        "signal": "".join(map(str, read.tolist())) if method.answers_signal else None,
        "attack": "".join(map(str, named.tolist())) if method.answers_attack else None,
    }


def keep_toys(number: str, labels: np.ndarray, *sources: str) -> None:
    """Write a toy table, and its answers, into the present assets."""
    for source in sources:
        request = Request(number, examples=len(labels), source=source)
        where = "a toy test set" if source == "official" else f"{len(labels)} toy examples"
        keep_answers(request, toy_answers(request, labels, where))


def toy_unknown(dataset: str, count: int = 20) -> dict[str, Any]:
    """A report of attacks nobody trained for, its answers drawn by chance."""
    draw = np.random.default_rng(5)
    attacks = {}
    for key, attack in unseen_attacks(dataset).items():
        true = draw.integers(10, size=count)
        said = {who: np.where(draw.random(count) < 0.8, true, 0) for who in ("psi", "signal")}
        named = draw.choice(ANSWERS, size=count).tolist()
        answers = {
            "true": true.tolist(),
            **{who: labels.tolist() for who, labels in said.items()},
            "signal_psi": true.tolist(),
            "answer": named,
            "nearest": ["linf"] * count,
            **{kind: [1.0] * count for kind in ("linf", "l2", "l1")},
        }
        attacks[key] = {
            "title": attack.title,
            "group": attack.group,
            "family": attack.family,
            "words": attack.words,
            "n": count,
            "source": "a toy test set",
            "command": f"python -m red_core unknown --attacks {key}",
            "provenance": MADE_BY,
            **summarise(answers, attack),
        }
    return {
        "dataset": dataset,
        "titles": GROUPS,
        "answers": list(ANSWERS),
        "threshold": {"wrongly_flagged": 0.02, "held_out_runs": 900},
        "missing": {"ddn": "a file is not made yet"},
        "attacks": attacks,
    }


def toy_assumption(dataset: str) -> dict[str, Any]:
    """A report of Section 3's assumption, made of nothing: the later the span, the larger."""

    def spread(value: float) -> dict[str, Any]:
        cuts = {str(cut): round(value * cut / 100, 4) for cut in (5, 25, 50, 75, 95)}
        return {"mean": value, "quantiles": cuts}

    spans = {
        name: {"columns": 200, "rank": 199.0, **spread(0.1 * place + 0.1), "random": spread(0.86)}
        for place, name in enumerate(SPANS)
    }
    attack = {"n": 9, "norm": 2.0, "spans": spans, "nearer": share(8, 9)}
    return {
        "dataset": dataset,
        "n": 9,
        "seed": 0,
        "source": "a toy test set",
        "command": f"python -m red_core assumption --dataset {dataset}",
        "provenance": MADE_BY,
        "titles": SPANS,
        "classifiers": {
            "psi": {"title": "ψ", "attacks": dict.fromkeys(("linf", "l2", "l1"), attack)}
        },
    }


def toy_random_starts() -> dict[str, Any]:
    """A report of 20 inversions of digits, two of each class, made of nothing.

    Of each class one begins in its own class and one in the next; one of all of them stays there.
    """
    begun = [[int(true in (start, (start - 1) % 10)) for true in range(10)] for start in range(10)]
    right = [[*row] for row in begun]
    right[1][0] = 0
    ended = [[*row] for row in right]
    ended[1][1] += 1
    return {
        **toy_starts(),
        "dataset": "mnist",
        "generator": "dcgan",
        "n": 20,
        "attack": "linf",
        "steps": 600,
        "seen": list(range(10)),
        "begun": begun,
        "right": right,
        "ended": ended,
        "images": [2] * 10,
        "share": share(19, 20),
        "same": 0.5,
        "kept": 0.1,
        "mean_distance": [1.5, None, *([2.0] * 8)],
        "command": "python -m red_core starts --dataset mnist --examples 20",
    }


def toy_starts(right: int = 4, stayed: int = 1) -> dict[str, Any]:
    """A report of inversions of 5 images a class from every class, made of nothing.

    right: of those 5 that end right from another class; stayed: that stay where they began.
    """
    classes = len(CLASSES["cifar10"])
    others = classes - 1
    return {
        "dataset": "cifar10",
        "n": 5 * classes,
        "attack": "none",
        "steps": 100,
        "seen": [1, *range(1, classes)],
        "right": [[5 if i == j else right for j in range(classes)] for i in range(classes)],
        "ended": [
            [5 + others * stayed if i == j else 5 - stayed for j in range(classes)]
            for i in range(classes)
        ],
        "begun": [[5] * classes for _ in range(classes)],
        "images": [5] * classes,
        "share": share(5 + others * right, 5 * classes),
        "kept": stayed / 5,
        "clean": share(49, 50),
        "mean_distance": [3.0 + 0.1 * start for start in range(classes)],
        "source": "a toy test set",
        "seed": 0,
        "command": "python -m red_core starts --dataset cifar10 --examples 50",
        "files": {},
        "provenance": MADE_BY,
    }


def keep_starts(report: dict[str, Any]) -> None:
    """Write it into the present assets."""
    keep(report["dataset"], STARTS, report, "python -m red_core starts")


def keep_reports(dataset: str) -> None:
    """Write both reports into the present assets."""
    keep(dataset, REPORT, toy_unknown(dataset), "python -m red_core unknown")
    keep(dataset, ASSUMPTION, toy_assumption(dataset), "python -m red_core assumption")

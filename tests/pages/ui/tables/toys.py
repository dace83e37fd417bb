"""Tables measured on nothing: answers drawn by chance, kept by the core's own code.

They have the shape of real ones and none of their worth.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from red_core.data.datasets import CLASSES
from red_core.methods import ANSWERS, METHODS
from red_core.provenance import asset_checksums
from red_core.tables import Request, keep_answers
from red_core.tables.spec import PSI, has_own_network

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

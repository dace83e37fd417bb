"""From the answers on every image to a table's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from red_core.algorithm.verdict import NO_ATTACK
from red_core.attacks.pgd import ATTACKS
from red_core.data.datasets import CLASSES
from red_core.measure.intervals import share
from red_core.measure.tables.means import mean_share
from red_core.measure.tables.paired import difference
from red_core.measure.tables.spec import TABLES, TableSpec
from red_core.methods import ANSWERS


def summarise(answers: dict[str, Any]) -> dict[str, Any]:
    """The table's report: a cell for every entry of the answers, means and differences.

    answers: as `load_answers` returns them. A cell holds n, seconds, signal and attack (shares
    with Wilson's 95% interval, None where the method does not answer), signal_confusion (counts,
    one row a true class), attack_answers (counts by answer), files (checksums of what its
    answers hang on) and run (index into `runs`).
    """
    spec = TABLES[answers["table"]]
    true = [int(digit) for digit in answers["true"]]
    blocks = {
        block: {
            attack: {
                entry: _cell(stored, true, attack, len(CLASSES[spec.dataset]))
                for entry, stored in by_entry.items()
            }
            for attack, by_entry in by_attack.items()
        }
        for block, by_attack in answers["blocks"].items()
    }
    counts = [
        cell["n"] for each in blocks.values() for row in each.values() for cell in row.values()
    ]
    runs = answers["runs"]
    return {
        "table": spec.number,
        "dataset": spec.dataset,
        "n": max(counts, default=0),
        "seed": answers["seed"],
        "command": runs[-1]["command"],
        "provenance": runs[-1]["provenance"],
        "source": answers["source"],
        "runs": runs,
        "missing": answers["missing"],
        "blocks": blocks,
        "means": _means(answers, true),
        "differences": _differences(spec, answers, true),
    }


def rights(stored: dict[str, Any], question: str, true: Sequence[int], attack: str) -> list[bool]:
    """Whether each answer is right; question: "signal" or "attack", which must be answered."""
    given = [int(digit) for digit in stored[question]]
    if question == "attack":
        return [answer == ANSWERS.index(attack) for answer in given]
    return [answer == label for answer, label in zip(given, true, strict=False)]


def _cell(stored: dict[str, Any], true: Sequence[int], attack: str, classes: int) -> dict[str, Any]:
    cell: dict[str, Any] = {
        "n": stored["n"],
        "seconds": stored["seconds"],
        "signal": None,
        "attack": None,
        "signal_confusion": None,
        "attack_answers": None,
        "files": stored["files"],
        "run": stored["run"],
    }
    for question in ("signal", "attack"):
        if stored[question] is not None:
            cell[question] = share(sum(rights(stored, question, true, attack)), stored["n"])
    if stored["signal"] is not None:
        confusion = [[0] * classes for _ in range(classes)]
        for label, answer in zip(true, stored["signal"], strict=False):
            confusion[label][int(answer)] += 1
        cell["signal_confusion"] = confusion
    if stored["attack"] is not None:
        counts = Counter(ANSWERS[int(answer)] for answer in stored["attack"])
        cell["attack_answers"] = {name: counts[name] for name in ANSWERS if counts[name]}
    return cell


def _means(answers: dict[str, Any], true: Sequence[int]) -> dict[str, Any]:
    """block -> entry -> {n, signal, attack, overall}, for entries that have all attacks.

    n: the images that every attack was measured on; signal, attack: the means over the attacks;
    overall: the attack's type over the attacks and the same images left clean, so that who calls
    everything attacked does not win; None where clean images were not asked.
    """
    means: dict[str, Any] = {}
    for block, by_attack in answers["blocks"].items():
        rows = [by_attack.get(attack, {}) for attack in ATTACKS]
        means[block] = {}
        for entry in rows[0]:
            if not all(entry in row for row in rows):
                continue
            stored = [row[entry] for row in rows]
            n = min(part["n"] for part in stored)
            means[block][entry] = {
                "n": n,
                "signal": _mean(dict(zip(ATTACKS, stored, strict=True)), "signal", true, n),
                "attack": _mean(dict(zip(ATTACKS, stored, strict=True)), "attack", true, n),
                "overall": None,
            }
            clean = by_attack.get(NO_ATTACK, {}).get(entry)
            if clean is not None and clean["n"] >= n:
                every = dict(zip((*ATTACKS, NO_ATTACK), (*stored, clean), strict=True))
                means[block][entry]["overall"] = _mean(every, "attack", true, n)
    return means


def _mean(
    stored: dict[str, dict[str, Any]], question: str, true: Sequence[int], n: int
) -> dict[str, float] | None:
    """Over several attacks, on the first n images; None where one is not answered."""
    if any(part[question] is None for part in stored.values()):
        return None
    return mean_share([rights(part, question, true, attack)[:n] for attack, part in stored.items()])


def _differences(spec: TableSpec, answers: dict[str, Any], true: Sequence[int]) -> dict[str, Any]:
    """attack -> first entry of a pair -> {signal, attack}: paired, on the images of both."""
    found: dict[str, Any] = {}
    for attack, by_entry in answers["blocks"].get("psi", {}).items():
        for first, second, _ in spec.pairs:
            if first in by_entry and second in by_entry:
                one, two = by_entry[first], by_entry[second]
                n = min(one["n"], two["n"])
                found.setdefault(attack, {})[first] = {
                    question: difference(
                        rights(one, question, true, attack)[:n],
                        rights(two, question, true, attack)[:n],
                    )
                    for question in ("signal", "attack")
                }
    return found

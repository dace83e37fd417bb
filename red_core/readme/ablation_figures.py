"""What decides the accuracy of preset `paper`, in docs/results.md: from each `ablation.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from red_core.data.datasets import TITLES
from red_core.measure.strengths import ABLATION, ablation_rows, changes_of, command_of

BLOCK = "ablation"  # the markers of its document
_COLUMNS = ("l-inf", "l2", "l1", "mean")
_RULES = {"signal": "psi_signal_accuracy", "attack": "block_attack_accuracy"}


def render(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """The Markdown between the markers: a table for each measured data set; "" for none.

    reports: `ablation.json` by data set, {} where it was not measured. A change is shown once all
    its attacks are measured.
    """
    return "\n\n".join(_table(dataset, found) for dataset, found in reports.items() if found)


def _table(dataset: str, found: Mapping[str, Any]) -> str:
    counts = sorted({report["n"] for report in found.values()})
    seeds = {report["settings"]["seed"] for report in found.values()}
    command = f"{command_of(ABLATION)} --dataset {dataset} --examples {counts[-1]}"
    lines = [
        f"**{TITLES[dataset]}.** The first {' or '.join(f'{count:,}' for count in counts)} test "
        f"images an attack; percent right, and below each figure its 95% interval. By "
        f"`{command} --seed {' '.join(map(str, sorted(seeds)))}`.",
        "",
        f"| | {' | '.join(f'{rule} {name}' for rule in _RULES for name in _COLUMNS)} |",
        "|---|" + "---:|" * len(_RULES) * len(_COLUMNS),
    ]
    for change, (words, _) in changes_of(dataset).items():
        rows = [found.get(row.key) for row in ablation_rows(dataset) if row.change == change]
        if all(rows):
            cells = [_cells(rows, name) for name in _RULES.values()]
            lines.append(f"| {words} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _cells(rows: list[Any], rule: str) -> str:
    """The attacks' shares, each with its interval, and their mean."""
    shares = [row[rule] for row in rows]
    each = [
        f"{100 * share['value']:.1f}<br><sub>{100 * share['low']:.1f} to "
        f"{100 * share['high']:.1f}</sub>"
        for share in shares
    ]
    mean = sum(share["value"] for share in shares) / len(shares)
    return " | ".join((*each, f"{100 * mean:.1f}"))

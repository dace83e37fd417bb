"""The preset `best` at other strengths than the paper's: the rows, measured and kept.

The paper's strength is the tables' (`evaluate --table`).
`assets/<dataset>/results.json` holds one report of `evaluate` per row, each with the command
that repeats it; it is written after every row, so that a stopped measurement goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from red_core.attacks.pgd import ATTACKS
from red_core.measure.accuracy import EvaluationSettings, evaluate, files_used, report_key
from red_core.measure.result_store import images_digest, keep, stored
from red_core.run.bundle import Bundle
from red_core.run.settings import RunSettings

RESULTS, SPEED = "results.json", "benchmark.json"


@dataclass(frozen=True)
class Row:
    """One row: a preset against one attack at `eps_scale` times the paper's eps."""

    preset: str
    attack: str
    eps_scale: float = 1.0

    @property
    def key(self) -> str:
        """Its name in results.json."""
        return f"{self.preset}/{self.attack}/{self.eps_scale:g}"

    def settings(self, dataset: str, examples: int, batch: int, seed: int) -> EvaluationSettings:
        """What `evaluate` needs to measure it."""
        run = RunSettings(dataset=dataset, attack=self.attack, preset=self.preset, seed=seed)
        return EvaluationSettings(run, examples, self.eps_scale, batch)


ROWS = tuple(Row("best", attack, scale) for scale in (0.5, 1.5) for attack in ATTACKS)


def is_current(report: dict[str, Any] | None, bundle: Bundle, settings: EvaluationSettings) -> bool:
    """Whether a kept row was measured by this code, from these images, options and trained files.

    Its settings hold the device: a row of another one is measured again.
    """
    if report is None or report["n"] != settings.examples:
        return False
    key = report_key(settings, bundle.device.type, images_digest(bundle.examples, report["n"]))
    files = files_used(settings.run)
    return report.get("key") == key and files == {k: report["assets"].get(k) for k in files}


def measure(
    bundle: Bundle,
    rows: Sequence[Row],
    examples: int,
    batch: int,
    seed: int,
    work: Path,
    again: bool = False,
    announce: Callable[[dict[str, Any]], object] = lambda report: None,
) -> dict[str, Any]:
    """Measure the rows that are not current (all of them, if `again`); returns all of the table.

    announce: called with the report of each row as it is written.
    """
    dataset = bundle.dataset
    table = stored(dataset, RESULTS)
    command = f"python -m red_core results --dataset {dataset} --examples {examples} --seed {seed}"
    for row in rows:
        settings = row.settings(dataset, examples, batch, seed)
        if again or not is_current(table.get(row.key), bundle, settings):
            report = evaluate(bundle, settings, work)
            table[row.key] = report
            keep(dataset, RESULTS, table, command)
            announce(report)
    return table

"""The preset `best` at other strengths than the paper's: the rows, measured and kept.

The paper's strength is the tables' (`evaluate --table`).
`assets/<dataset>/results.json` holds one report of `evaluate` per row, each with the command
that repeats it; it is written after every row, so that a stopped measurement goes on.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from red_core.algorithm.options import SolverOptions
from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import assets_root, read_json, read_manifest, record
from red_core.measure.accuracy import EvaluationSettings, evaluate, identity
from red_core.measure.attack_cache import write_whole
from red_core.run.bundle import Bundle
from red_core.run.settings import RunSettings

_DEFAULTS = json.loads(json.dumps(asdict(SolverOptions())))
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


def stored(dataset: str, name: str) -> dict[str, Any]:
    """A measured file of the assets, its checksum verified; {} where nothing was measured yet."""
    return read_json(dataset, name) if name in read_manifest(dataset) else {}


def keep(dataset: str, name: str, content: dict[str, Any], command: str) -> None:
    """Write a measured file into the assets and record it in the manifest."""
    path = assets_root() / dataset / name
    write_whole(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    record(dataset, name, command=command, licence="MIT")


def is_current(report: dict[str, Any] | None, bundle: Bundle, settings: EvaluationSettings) -> bool:
    """Whether a kept row was measured with these images, options and trained files."""
    if report is None or report["n"] != settings.examples:
        return False
    who = identity(bundle, settings)
    # An option that there was not yet had the effect of its default.
    solver = {**_DEFAULTS, **report["resolved"]["solver"]}
    return (
        report["source"] == who["source"]
        and report["resolved"]["attack"] == who["attack"]
        and solver == who["solver"]
        and report["settings"]["seed"] == who["seed"]
        and report["assets"] == who["assets"]
    )


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

"""Single rows, measured and kept: `best` at other strengths, and what decides `paper`'s accuracy.

The paper's strength is the tables' (`evaluate --table`).
`assets/<dataset>/results.json` and `ablation.json` hold one report of `evaluate` per row, each with
the command that repeats it; they are written after every row, so a stopped measurement goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from red_core.algorithm.presets import DCGAN, OWN, presets_of
from red_core.attacks.pgd import ATTACKS
from red_core.data.datasets import TWO_GENERATORS
from red_core.measure.accuracy import EvaluationSettings, evaluate, files_used, report_key
from red_core.measure.result_store import images_digest, keep, stored
from red_core.run.bundle import Bundle
from red_core.run.settings import RunSettings

RESULTS, SPEED, ABLATION = "results.json", "benchmark.json", "ablation.json"


@dataclass(frozen=True)
class Row:
    """One row: a preset against one attack at `eps_scale` times the paper's eps.

    change: name of what differs from the preset, "" for nothing; generator: key of GENERATORS;
    solver: options that differ, (name, value) each.
    """

    preset: str
    attack: str
    eps_scale: float = 1.0
    change: str = ""
    generator: str = OWN
    solver: tuple[tuple[str, Any], ...] = ()

    @property
    def key(self) -> str:
        """Its name in the file of its kind."""
        name = f"{self.preset}-{self.change}" if self.change else self.preset
        return f"{name}/{self.attack}/{self.eps_scale:g}"

    def settings(self, dataset: str, examples: int, batch: int, seed: int) -> EvaluationSettings:
        """What `evaluate` needs to measure it."""
        run = RunSettings(
            dataset=dataset,
            attack=self.attack,
            preset=self.preset,
            generator=self.generator,
            solver=self.solver,
            seed=seed,
        )
        return EvaluationSettings(run, examples, self.eps_scale, batch)


_PRESETS = {"mnist": ("best",), "fashion": ("best",), "cifar10": ("best", "bsd-dp")}


def rows_of(dataset: str) -> tuple[Row, ...]:
    """The rows of `results.json`: half and one and a half times the paper's eps."""
    return tuple(
        Row(preset, attack, scale)
        for preset in _PRESETS[dataset]
        for scale in (0.5, 1.5)
        for attack in ATTACKS
    )


_PUBLISHED = presets_of("mnist")["paper-published"]
Changes = dict[str, tuple[str, dict[str, Any]]]
"""What a row is called, and what differs from preset `paper`, by the change's name."""
_GREY: Changes = {
    "": ("`paper`, the paper's generator", {}),
    "own": ("our generator", {"generator": OWN}),
    "start": (
        "the published start: 100 draws, descent with momentum",
        {
            name: getattr(_PUBLISHED, name)
            for name in ("start_draws", "start_step", "start_rate", "start_momentum")
        },
    ),
    "frozen": ("z frozen after the start", {"signal_step": "frozen"}),
    "slow": ("rate of z a third, 0.001", {"signal_rate": 0.001}),
    "fast": ("rate of z three times, 0.01", {"signal_rate": 0.01}),
    "lambda": ("lambda = 0.1 lambda_max", {"lambda_fraction": 0.1}),
    "each": ("lambda anew at every step", {"lambda_every_step": True}),
    "order": ("c_a after z, from its new value", {"c_a_after_z": True}),
    "inner": ("five steps on c_a for each on z", {"inner": 5}),
}


_CIFAR10: Changes = {
    "": ("`paper`", {}),
    "perceptual": (
        "the published start's loss, with ψ's maps",
        {"start_loss": "perceptual", "start_l1_weight": 0.5},
    ),
    "plus": ("each layer's w by itself (W+)", {"one_w": False}),
    "random": ("a random w as the start", {"class_start": False, "restarts": 1}),
    "mean": ("the mean w of all classes as the start", {"class_start": False, "mean_start": True}),
    "long": ("1,000 steps of the start instead of 150", {"start_steps": 1000}),
    "frozen": ("w frozen after the start", {"signal_step": "frozen"}),
    "fast": ("rate of w ten times, 0.01", {"signal_rate": 0.01}),
    "lambda": ("lambda = 0.1 lambda_max", {"lambda_fraction": 0.1}),
}


def changes_of(dataset: str) -> Changes:
    """What differs from `paper`, one thing at a time; with the paper's own G where there is one."""
    return _GREY if dataset in TWO_GENERATORS else _CIFAR10


def ablation_rows(dataset: str) -> tuple[Row, ...]:
    """The rows of `ablation.json`."""
    plain = DCGAN if dataset in TWO_GENERATORS else OWN
    return tuple(
        Row(
            "paper",
            attack,
            1.0,
            change,
            options.get("generator", plain),
            tuple(each for each in options.items() if each[0] != "generator"),
        )
        for change, (_, options) in changes_of(dataset).items()
        for attack in ATTACKS
    )


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
    bundles: Mapping[str, Bundle],
    rows: Sequence[Row],
    examples: int,
    batch: int,
    seed: int,
    work: Path,
    again: bool = False,
    announce: Callable[[dict[str, Any]], object] = lambda report: None,
    name: str = RESULTS,
) -> dict[str, Any]:
    """Measure the rows that are not current (all of them, if `again`); returns all of the table.

    bundles: of one data set, by generator; announce: called with the report of each row as it is
    written; name: the file, RESULTS or ABLATION.
    """
    (dataset,) = {bundle.dataset for bundle in bundles.values()}
    table = stored(dataset, name)
    command = f"{command_of(name)} --dataset {dataset} --examples {examples} --seed {seed}"
    for row in rows:
        bundle = bundles[row.generator]
        settings = row.settings(dataset, examples, batch, seed)
        if again or not is_current(table.get(row.key), bundle, settings):
            report = evaluate(bundle, settings, work)
            table[row.key] = report
            keep(dataset, name, table, command)
            announce(report)
    return table


def command_of(name: str) -> str:
    """The command that measures a file of rows, RESULTS or ABLATION."""
    return "python -m red_core results" + (" --ablation" if name == ABLATION else "")

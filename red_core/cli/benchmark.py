"""`benchmark`: throughput, share of the machine's peak, seconds for one image."""

from __future__ import annotations

import argparse
import shlex
from typing import Any

from red_core.algorithm.presets import DEFAULT_PRESET
from red_core.cli.common import (
    DEFAULT_DATASET,
    Subparsers,
    add_common,
    add_project,
    add_solver,
    as_json,
    check_writable,
    count,
    finish,
    labelled,
    load_parts,
    pick_device,
    refuse_keep,
    solver_overrides,
)
from red_core.data.own_datasets import dataset_words
from red_core.measure.result_store import keep, stored
from red_core.measure.speed import BenchmarkSettings, benchmark
from red_core.measure.strengths import SPEED
from red_core.measure.theory_speed import theory_speed
from red_core.parse import written
from red_core.run.settings import RunSettings

_BATCH, _TURNS, _SINGLES = 32, 4, 5


def add(subparsers: Subparsers) -> None:
    """The arguments of `benchmark`."""
    parser = subparsers.add_parser("benchmark", help="speed, as ratios within one run")
    add_common(parser)
    add_project(parser)
    parser.add_argument("--batch", type=count, default=_BATCH, help="images together (default: 32)")
    parser.add_argument("--turns", type=count, default=_TURNS, help="repetitions (default: 4)")
    parser.add_argument(
        "--singles", type=count, default=_SINGLES, help="single images (default: 5)"
    )
    parser.add_argument(
        "--keep", action="store_true", help="store the report in assets/ for docs/results.md"
    )
    parser.add_argument("--only", choices=("solver", "theory"), help="one part (default: both)")
    parser.add_argument("--steps", type=count, help=argparse.SUPPRESS)  # for a quick check
    add_solver(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Measure and report."""
    overrides = dict(solver_overrides(arguments))
    if arguments.steps is not None:
        overrides["steps"] = arguments.steps
    run = RunSettings(
        dataset=arguments.dataset or DEFAULT_DATASET,
        preset=arguments.preset,
        solver=tuple(sorted(overrides.items())),
        seed=arguments.seed,
        device=arguments.device,
    )
    refuse_keep(arguments)
    settings = BenchmarkSettings(run, arguments.batch, arguments.turns, arguments.singles)
    check_writable(arguments.json)
    device = pick_device(arguments.device)
    report: dict[str, Any] = {}
    lines: list[str] = []
    if arguments.only != "theory":
        report = benchmark(bundle := load_parts(arguments, run, device), settings)
        lines += (*labelled(bundle, report), *summary(report))
    if arguments.only != "solver":
        report["theory"] = theory_speed()
        lines += theory_summary(report["theory"])

    def keep_speed() -> None:
        command = _command(settings, arguments.only)
        repeated_by = {} if arguments.only == "theory" else {"command": command}
        content = {**stored(run.dataset, SPEED), **report, **repeated_by}
        keep(run.dataset, SPEED, content, f"{command} --keep")

    finish(lines, (arguments.json, as_json(report)), keep=keep_speed if arguments.keep else None)
    return 0


def _command(settings: BenchmarkSettings, only: str | None) -> str:
    """The command that repeats the report: what differs from the defaults is said."""
    run = settings.run
    words = [f"python -m red_core benchmark {shlex.join(dataset_words(run.dataset))}"]
    if run.preset != DEFAULT_PRESET:
        words.append(f"--preset {run.preset}")
    if only:
        words.append(f"--only {only}")
    for name, default in (("batch", _BATCH), ("turns", _TURNS), ("singles", _SINGLES)):
        if getattr(settings, name) != default:
            words.append(f"--{name} {getattr(settings, name)}")
    words += [f"--set {name}={written(value)}" for name, value in run.solver]
    return " ".join(words)


def summary(report: dict[str, Any]) -> list[str]:
    """The figures in a few lines for a person."""
    made, where = report["details"], report["provenance"]
    return [
        f"{report['device']}, {where['threads']} threads; preset {made['preset']}, "
        f"batch of {made['batch']}, median of {made['turns']} turns",
        f"  {report['throughput_ratio']:8.2f}  times the throughput of the plain loop "
        f"({made['batch_images_per_second']:.2f} against "
        f"{made['loop_images_per_second']:.2f} images a second)",
        f"  {report['objective_ratio']:8.4f}  times its mean final objective",
        f"  {report['peak_share']:8.1%}  of the measured matrix-product peak "
        f"({made['peak_flops_per_second'] / 1e9:.0f} GFLOP/s)",
        f"  {report['paper_seconds']:8.2f}  s from x' to the verdict, one image, preset paper",
        f"  {report['best_seconds']:8.2f}  s the same, preset best",
        *(
            f"  {ratio:8.2f}  of a step's time to observe an iterate, preset {preset}"
            for preset, ratio in report["observe_ratio"].items()
        ),
        *(
            f"  {ratio:8.2f}  times the time of one image beside one busy process, "
            f"{threads} thread{'s' if threads != '1' else ''}"
            for threads, ratio in report["busy_ratio"].items()
        ),
    ]


def theory_summary(speed: dict[str, Any]) -> list[str]:
    """The theory lab's figures in a few lines."""
    return [
        f"theory lab, {speed['instances']} instances, {speed['provenance']['threads']} threads",
        f"  {speed['batch_ratio']:8.1f}  times the throughput of one instance at a time",
        f"  {speed['figure1_seconds']:8.1f}  s for the whole of Figure 1",
    ]

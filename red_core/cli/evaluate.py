"""`evaluate`: one attack on many images, one preset; or one of the paper's tables."""

from __future__ import annotations

import argparse
from typing import Any

import red_core.cli.tables as tables
from red_core.algorithm.presets import DEFAULT_PRESET, OWN
from red_core.cli.common import (
    DEFAULT_DATASET,
    Subparsers,
    UsageError,
    add_common,
    add_generator,
    add_project,
    add_solver,
    add_work,
    as_json,
    check_writable,
    count,
    finish,
    labelled,
    load_parts,
    make_folder,
    pick_device,
    positive,
    solver_overrides,
)
from red_core.measure.accuracy import EvaluationSettings, evaluate
from red_core.run.bundle import with_official_test
from red_core.run.settings import RunSettings

_ROWS = (
    ("signal_accuracy", "signal"),
    ("psi_signal_accuracy", "signal, the attacked classifier reading G(z)"),
    ("attack_accuracy", "attack type"),
    ("block_attack_accuracy", "attack type, block residuals alone"),
    ("adversarial_accuracy", "the attacked classifier reading x'"),
)


def add(subparsers: Subparsers) -> None:
    """The arguments of `evaluate`."""
    parser = subparsers.add_parser("evaluate", help="one attack on many images, one preset")
    add_common(parser)
    add_project(parser)
    parser.add_argument("--attack", help="linf (default), l2, l1 or none")
    parser.add_argument("--examples", type=count, default=100, help="the first N (default: 100)")
    parser.add_argument("--eps-scale", type=positive, help="times the paper's eps (default: 1)")
    parser.add_argument("--batch", type=count, default=50, help="solved together (default: 50)")
    add_solver(parser)
    add_generator(parser)
    add_work(parser)
    tables.add(parser)
    # What a table does not take is told from what was not given; `execute` knows the defaults.
    parser.set_defaults(dataset=None, preset=None, generator=None)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Evaluate and report."""
    if arguments.table:
        if arguments.project is not None:
            raise UsageError("--project does not go with --table: the tables are of bundled parts")
        return tables.execute(arguments)
    tables.check_unused(arguments)
    run = RunSettings(
        dataset=arguments.dataset or DEFAULT_DATASET,
        attack=arguments.attack or "linf",
        preset=arguments.preset or DEFAULT_PRESET,
        generator=arguments.generator or OWN,
        solver=solver_overrides(arguments),
        seed=arguments.seed,
        device=arguments.device,
    )
    scale = 1.0 if arguments.eps_scale is None else arguments.eps_scale
    settings = EvaluationSettings(run, arguments.examples, scale, arguments.batch)
    check_writable(arguments.json)
    work = make_folder(arguments.work)
    device = pick_device(arguments.device)
    bundle = with_official_test(load_parts(arguments, run, device))
    report = evaluate(bundle, settings, work)
    named = labelled(bundle, report)
    finish((*named, *summary(report)), (arguments.json, as_json(report)))
    return 0


def summary(report: dict[str, Any]) -> list[str]:
    """The figures in a few lines for a person."""
    made = report["settings"]
    lines = [
        f"{made['preset']} on {made['attack']} (eps x {made['eps_scale']:g}): "
        f"{report['n']} images of {report['source']}, {report['seconds']:.0f} s"
    ]
    for key, words in _ROWS:
        part = report[key]
        span = f"{part['low']:6.1%} to {part['high']:6.1%}"
        lines.append(f"  {part['value']:6.1%}  ({span})  {words}")
    if check := report.get("attack_check"):
        lines.append(
            f"  {check['fooled']:6.1%}  of the attacks fool the attacked classifier; "
            f"{check['still']:.1%} did not move from their random start; "
            f"their norm is {check['mean_share_of_eps']:.1%} of eps"
        )
    return lines

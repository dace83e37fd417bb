"""`starts`: in which class an inversion begins and in which it ends (Section 5.2.2 and B.7)."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from red_core.algorithm.verdict import NO_ATTACK
from red_core.attacks.pgd import ATTACKS
from red_core.cli.common import (
    Subparsers,
    add_generator,
    add_measuring,
    as_json,
    finish,
    labelled,
    measured_on,
)
from red_core.measure.start_classes import FROM_CLASSES, keep_report, measure
from red_core.run.settings import RunSettings


def add(subparsers: Subparsers) -> None:
    """The arguments of `starts`."""
    parser = subparsers.add_parser(
        "starts", help="in which class an inversion begins and in which it ends (5.2.2, B.7)"
    )
    add_measuring(parser, "of attacks", "write it into the assets")
    parser.add_argument(
        "--attack", default=NO_ATTACK, choices=(*ATTACKS, NO_ATTACK), help="on the images (none)"
    )
    add_generator(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Measure and report; SettingsError for a generator that the data set has not."""
    dataset = arguments.dataset or "cifar10"
    if arguments.project is None:
        RunSettings(dataset=dataset, preset="paper", generator=arguments.generator)
    bundle, work = measured_on(arguments, dataset, arguments.generator)
    report = measure(bundle, arguments.examples, arguments.seed, work, arguments.attack)
    keep = partial(keep_report, report) if arguments.keep else None
    named = labelled(bundle, report)
    finish(
        (*named, *summary(report, bundle.class_names)), (arguments.json, as_json(report)), keep=keep
    )
    return 0


def summary(report: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    """The shares in a few lines for a person."""
    right, kept = report["share"], report["kept"]
    where = "from each class" if report["dataset"] in FROM_CLASSES else "from a random z"
    lines = [
        f"{report['n']} images of {report['source']}, {report['steps']} steps {where}:",
        f"  {report['same']:6.1%}  of all inversions begin in the image's class",
        f"  {right['value']:6.1%}  ({right['low']:6.1%} to {right['high']:6.1%})  "
        "of all inversions end in the image's class",
        f"  {kept:6.1%}  of those from another class end where they began",
    ]
    for start, (row, begun) in enumerate(zip(report["right"], report["begun"], strict=True)):
        if sum(begun):
            lines.append(f"  from {names[start]:11}{sum(row) / sum(begun):7.1%} right")
    return lines

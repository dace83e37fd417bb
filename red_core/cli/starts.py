"""`starts`: in which class an inversion ends, from the mean w of every class (Section 5.2.2)."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from red_core.algorithm.verdict import NO_ATTACK
from red_core.attacks.pgd import ATTACKS
from red_core.cli.common import Subparsers, add_measuring, as_json, finish, labelled, measured_on
from red_core.measure.start_classes import keep_report, measure


def add(subparsers: Subparsers) -> None:
    """The arguments of `starts`."""
    parser = subparsers.add_parser(
        "starts", help="in which class an inversion ends, from every class (Section 5.2.2)"
    )
    add_measuring(parser, "of attacks", "write it into the assets")
    parser.add_argument(
        "--attack", default=NO_ATTACK, choices=(*ATTACKS, NO_ATTACK), help="on the images (none)"
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Measure and report."""
    bundle, work = measured_on(arguments, "cifar10")
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
    lines = [
        f"{report['n']} images of {report['source']}, {report['steps']} steps from each class:",
        f"  {right['value']:6.1%}  ({right['low']:6.1%} to {right['high']:6.1%})  "
        "of all inversions end in the image's class",
        f"  {kept:6.1%}  of those from another class end where they began",
    ]
    for start, row in enumerate(report["right"]):
        lines.append(f"  from {names[start]:11}{sum(row) / report['n']:7.1%} right")
    return lines

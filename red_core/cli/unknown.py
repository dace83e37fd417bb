"""`unknown`: attacks nobody trained for, and how often the verdict says so."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from red_core.cli.common import Subparsers, UsageError, add_measuring, as_json, finish, measured_on
from red_core.measure.unknown import MEASURED, keep_report, measure
from red_core.measure.unknown.registry import BEST


def add(subparsers: Subparsers) -> None:
    """The arguments of `unknown`."""
    parser = subparsers.add_parser("unknown", help="attacks nobody trained for (resumable)")
    add_measuring(parser, "of attacks and starts", "merge it into the assets")
    parser.add_argument("--attacks", default="", metavar="A,B", help="some of them (default: all)")
    parser.add_argument(
        "--method",
        default=BEST,
        metavar="KEY",
        help="key of the method that is measured, on CIFAR-10 also "
        f"{', '.join(MEASURED['cifar10'][1:])} (default: %(default)s)",
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Measure and report."""
    if arguments.project is not None:
        raise UsageError(
            "--project does not go with unknown: it measures the networks of preset best, which a "
            "project has not"
        )
    bundle, work = measured_on(arguments)
    only = [key.strip() for key in arguments.attacks.split(",") if key.strip()]
    report = measure(bundle, arguments.examples, arguments.seed, work, only, arguments.method)
    keep = partial(keep_report, report) if arguments.keep else None
    finish(summary(report), (arguments.json, as_json(report)), keep=keep)
    return 0


def summary(report: dict[str, Any]) -> list[str]:
    """The shares in a few lines for a person."""
    made = report["threshold"]
    lines = ["there is no threshold: nothing is called unknown"]
    if made is not None:
        lines = [
            f"called unknown: as strange as the strangest {made['wrongly_flagged']:.1%} "
            f"of {made['held_out_runs']} known runs"
        ]
    lines.append(f"{'':22}{'n':>6}{'psi on x':>10}{'signal':>9}{'unknown':>9}  answers")
    for entry in report["attacks"].values():
        psi, signal = (entry[name]["value"] for name in ("psi", "signal"))
        flagged = f"{entry['unknown']['value']:9.1%}" if "unknown" in entry else " " * 9
        answers = ", ".join(f"{name} {times}" for name, times in entry.get("answers", {}).items())
        if "signal_reader" in entry:
            answers = f"by our second classifier {entry['signal_reader']['value']:.1%}"
        lines.append(
            f"{entry['title']:22}{entry['n']:6}{psi:10.1%}{signal:9.1%}{flagged}  {answers}"
        )
    lines += [f"missing   {key}: {why}" for key, why in report["missing"].items()]
    return lines

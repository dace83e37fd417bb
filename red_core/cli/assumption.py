"""`assumption`: how well held-out attacks lie in the spans of D_a (Section 3)."""

from __future__ import annotations

import argparse
from functools import partial
from typing import Any

from red_core.cli.common import Subparsers, add_measuring, as_json, finish, labelled, measured_on
from red_core.measure.assumption import keep_report, measure


def add(subparsers: Subparsers) -> None:
    """The arguments of `assumption`."""
    parser = subparsers.add_parser(
        "assumption", help="how well held-out attacks lie in the spans of D_a (Section 3)"
    )
    add_measuring(parser, "of attacks and draws", "write it into the assets")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Measure and report."""
    bundle, work = measured_on(arguments)
    report = measure(bundle, arguments.examples, arguments.seed, work)
    keep = partial(keep_report, report) if arguments.keep else None
    named = labelled(bundle, report)
    if named:
        report["classifiers"]["psi"]["title"] = "ψ, the project's classifier"
    finish((*named, *summary(report)), (arguments.json, as_json(report)), keep=keep)
    return 0


def summary(report: dict[str, Any]) -> list[str]:
    """The mean residuals in a few lines for a person."""
    lines = [f"{report['n']} images of {report['source']}: mean residual (on a random subspace)"]
    for made in report["classifiers"].values():
        attacks = made["attacks"]
        lines += [made["title"], "  " + "".join(f"{kind:>16}" for kind in attacks)]
        for span, words in report["titles"].items():
            cells = [attacks[kind]["spans"][span] for kind in attacks]
            shown = (f"{c['mean']:.3f} ({c['random']['mean']:.3f})" for c in cells)
            lines.append("  " + "".join(f"{cell:>16}" for cell in shown) + f"  {words}")
        nearer = (f"{made['attacks'][kind]['nearer']['value']:.1%}" for kind in attacks)
        lines.append("  " + "".join(f"{cell:>16}" for cell in nearer) + "  nearer its own attack")
    return lines

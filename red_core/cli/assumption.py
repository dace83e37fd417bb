"""`assumption`: how well held-out attacks lie in the spans of D_a (Section 3)."""

from __future__ import annotations

import argparse
from typing import Any

from red_core.assumption import keep_report, measure
from red_core.bundle import load_bundle, with_official_test
from red_core.cli.common import (
    Subparsers,
    add_common,
    add_work,
    check_dataset,
    check_writable,
    count,
    make_folder,
    pick_device,
    write_json,
)


def add(subparsers: Subparsers) -> None:
    """The arguments of `assumption`."""
    parser = subparsers.add_parser(
        "assumption", help="how well held-out attacks lie in the spans of D_a (Section 3)"
    )
    add_common(parser)
    parser.add_argument("--examples", type=count, default=100, help="the first N (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help="of attacks and draws (default: 0)")
    parser.add_argument("--keep", action="store_true", help="write it into the assets")
    add_work(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Measure and report."""
    check_dataset(arguments.dataset)
    check_writable(arguments.json)
    work = make_folder(arguments.work)
    bundle = with_official_test(load_bundle(arguments.dataset, pick_device(arguments.device)))
    report = measure(bundle, arguments.examples, arguments.seed, work)
    print("\n".join(summary(report)))
    write_json(arguments.json, report)
    if arguments.keep:
        keep_report(report)
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

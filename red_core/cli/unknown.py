"""`unknown`: attacks nobody trained for, and how often the verdict says so."""

from __future__ import annotations

import argparse
from typing import Any

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
from red_core.unknown import keep_report, measure


def add(subparsers: Subparsers) -> None:
    """The arguments of `unknown`."""
    parser = subparsers.add_parser("unknown", help="attacks nobody trained for (resumable)")
    add_common(parser)
    parser.add_argument("--examples", type=count, default=100, help="the first N (default: 100)")
    parser.add_argument("--attacks", default="", metavar="A,B", help="some of them (default: all)")
    parser.add_argument("--seed", type=int, default=0, help="of attacks and starts (default: 0)")
    parser.add_argument("--keep", action="store_true", help="merge it into the assets")
    add_work(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Measure and report."""
    check_dataset(arguments.dataset)
    check_writable(arguments.json)
    work = make_folder(arguments.work)
    bundle = with_official_test(load_bundle(arguments.dataset, pick_device(arguments.device)))
    only = [key.strip() for key in arguments.attacks.split(",") if key.strip()]
    report = measure(bundle, arguments.examples, arguments.seed, work, only)
    print("\n".join(summary(report)))
    write_json(arguments.json, report)
    if arguments.keep:
        keep_report(report)
    return 0


def summary(report: dict[str, Any]) -> list[str]:
    """The shares in a few lines for a person."""
    made = report["threshold"]
    lines = ["the evidence has no threshold: nothing is called unknown"]
    if made is not None:
        lines = [
            f"called unknown: as strange as the strangest {made['wrongly_flagged']:.1%} "
            f"of {made['held_out_runs']} known runs"
        ]
    lines.append(f"{'':22}{'n':>6}{'psi on x':>10}{'signal':>9}{'unknown':>9}  answers")
    for entry in report["attacks"].values():
        psi, signal, flagged = (entry[name]["value"] for name in ("psi", "signal", "unknown"))
        answers = ", ".join(f"{name} {times}" for name, times in entry["answers"].items())
        lines.append(
            f"{entry['title']:22}{entry['n']:6}{psi:10.1%}{signal:9.1%}{flagged:9.1%}  {answers}"
        )
    lines += [f"missing   {key}: {why}" for key, why in report["missing"].items()]
    return lines

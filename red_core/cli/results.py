"""`results`: measure `best` at other strengths or what decides `paper`, and write the documents."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from red_core.cli.common import (
    DATASET,
    Subparsers,
    UsageError,
    add_threads,
    add_work,
    check_dataset,
    count,
    make_folder,
    pick_device,
    reading_kept,
)
from red_core.cli.evaluate import summary as evaluation_summary
from red_core.measure.strengths import ABLATION, RESULTS, ablation_rows, measure, rows_of
from red_core.readme.documents import ROOT, write
from red_core.run.bundle import load_bundle, with_official_test


def add(subparsers: Subparsers) -> None:
    """The arguments of `results`."""
    parser = subparsers.add_parser(
        "results",
        help="measure `best` at other strengths, or what decides the accuracy of `paper` "
        "(--ablation), row by row (resumable); write the documents' figures",
    )
    parser.add_argument("--dataset", default="mnist", help=DATASET)
    parser.add_argument("--examples", type=count, default=1000, help="per row (default: 1000)")
    parser.add_argument("--batch", type=count, default=50, help="solved together (default: 50)")
    parser.add_argument("--seed", type=int, default=0, help="of attacks and starts (default: 0)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="ROW",
        help="one row, such as best/linf/1, or all that begin so, such as best/; may be repeated",
    )
    parser.add_argument(
        "--ablation",
        action="store_true",
        help="preset `paper`, with the paper's own generator where there is one, and one thing "
        "changed at a time",
    )
    parser.add_argument("--again", action="store_true", help="measure also what is current")
    parser.add_argument("--list", action="store_true", help="list the rows, measure nothing")
    parser.add_argument(
        "--render",
        action="store_true",
        help="only write the figures of README.md and docs/, measure nothing",
    )
    parser.add_argument("--root", type=Path, default=ROOT, help=argparse.SUPPRESS)
    add_threads(parser)
    add_work(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Measure, keep, render."""
    check_dataset(arguments.dataset)
    all_rows = (ablation_rows if arguments.ablation else rows_of)(arguments.dataset)
    rows = [
        row
        for row in all_rows
        if not arguments.only or any(_names(only, row.key) for only in arguments.only)
    ]
    if not rows:
        raise UsageError(f"no row begins with {' or '.join(arguments.only)}: see --list")
    if arguments.list:
        for row in rows:
            print(row.key)
        return 0
    if not arguments.render:
        work = make_folder(arguments.work)
        device = pick_device(arguments.device)
        bundles = {
            generator: with_official_test(load_bundle(arguments.dataset, device, generator))
            for generator in {row.generator for row in rows}
        }
        measure(
            bundles,
            rows,
            arguments.examples,
            arguments.batch,
            arguments.seed,
            work,
            arguments.again,
            lambda report: _announce(report, arguments.root),
            ABLATION if arguments.ablation else RESULTS,
        )
    for path in _write(arguments.root):
        print(f"written   {path}")
    return 0


def _announce(report: dict[str, Any], root: Path) -> None:
    """Show a row, and keep the documents in step with what is stored."""
    print("\n".join(evaluation_summary(report)), flush=True)
    _write(root)


def _write(root: Path) -> list[Path]:
    try:
        with reading_kept():
            return write(root)
    except (OSError, ValueError) as error:
        raise UsageError(str(error)) from error


def _names(only: str, key: str) -> bool:
    """Whether --only names a row: its whole key, or whole parts that it begins with."""
    return f"{key}/".startswith(f"{only.rstrip('/')}/")

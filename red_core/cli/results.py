"""`results`: measure `best` at other strengths, row by row, and draw the README's figures."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from red_core.cli.common import (
    DATASET,
    Subparsers,
    UsageError,
    add_work,
    check_dataset,
    count,
    make_folder,
    pick_device,
)
from red_core.cli.evaluate import summary as evaluation_summary
from red_core.data.assets import read_manifest
from red_core.measure import tables
from red_core.measure.result_store import stored
from red_core.measure.start_classes import STARTS
from red_core.measure.strengths import RESULTS, ROWS, SPEED, measure
from red_core.readme import cifar10_figures as cifar10_numbers
from red_core.readme import evidence_figures as evidence_numbers
from red_core.readme import theory_figures as theory_numbers
from red_core.readme.render import block, insert, render
from red_core.run.bundle import load_bundle, with_official_test

README = Path(__file__).resolve().parents[2] / "README.md"


def add(subparsers: Subparsers) -> None:
    """The arguments of `results`."""
    parser = subparsers.add_parser(
        "results", help="measure `best` at other strengths (resumable); write the README's figures"
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
    parser.add_argument("--again", action="store_true", help="measure also what is current")
    parser.add_argument("--list", action="store_true", help="list the rows, measure nothing")
    parser.add_argument(
        "--render", action="store_true", help="only write the README's figures, measure nothing"
    )
    parser.add_argument("--readme", type=Path, default=README, help=argparse.SUPPRESS)
    add_work(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Measure, keep, render."""
    check_dataset(arguments.dataset)
    rows = [
        row
        for row in ROWS
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
        bundle = with_official_test(load_bundle(arguments.dataset, device))
        measure(
            bundle,
            rows,
            arguments.examples,
            arguments.batch,
            arguments.seed,
            work,
            arguments.again,
            lambda report: _announce(report, arguments.readme),
        )
    _write_readme(arguments.dataset, arguments.readme)
    print(f"written   {arguments.readme}")
    return 0


def _announce(report: dict[str, Any], readme: Path) -> None:
    """Show a row, and keep the README in step with what is stored."""
    print("\n".join(evaluation_summary(report)), flush=True)
    _write_readme(report["settings"]["dataset"], readme)


def _write_readme(dataset: str, readme: Path) -> None:
    numbers = render(dataset, stored(dataset, RESULTS), stored(dataset, SPEED))
    theory = {part: stored(theory_numbers.FOLDER, f"{part}.json") for part in theory_numbers.PARTS}
    try:
        text = insert(readme.read_text(encoding="utf-8"), numbers, block(dataset))
        text = insert(text, theory_numbers.render(theory), theory_numbers.BLOCK)
        text = insert(text, tables.render(), tables.BLOCK)
        text = insert(text, evidence_numbers.render(), evidence_numbers.BLOCK)
        starts = stored("cifar10", STARTS)
        models = cifar10_numbers.render(read_manifest("cifar10"), starts)
        text = insert(text, models, cifar10_numbers.BLOCK)
    except ValueError as error:
        raise UsageError(str(error)) from error
    readme.write_text(text, encoding="utf-8")


def _names(only: str, key: str) -> bool:
    """Whether --only names a row: its whole key, or whole parts that it begins with."""
    return f"{key}/".startswith(f"{only.rstrip('/')}/")

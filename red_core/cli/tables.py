"""`evaluate --table`: one of the paper's tables, or a part of it."""

from __future__ import annotations

import argparse
from functools import partial

from red_core.cli.common import (
    OneLineParser,
    UsageError,
    as_json,
    check_writable,
    finish,
    make_folder,
    pick_device,
)
from red_core.data.datasets import has_official, load_official
from red_core.measure.tables import (
    TABLES,
    Cell,
    Layout,
    Request,
    Section,
    check_keepable,
    joined,
    keep_answers,
    layout,
    measure,
    summarise,
)
from red_core.run.bundle import load_bundle, with_official_test

_ROW_OPTIONS = ("attack", "preset", "generator", "eps_scale", "set", "dataset")


def add(parser: OneLineParser) -> None:
    """The arguments of a table, in a group of their own."""
    group = parser.add_argument_group("one of the paper's tables instead")
    group.add_argument("--table", choices=tuple(TABLES), help="measure this table of the paper")
    group.add_argument("--methods", type=_names, metavar="A,B", help="some of its methods")
    group.add_argument("--attacks", type=_names, metavar="A,B", help="some of linf,l2,l1,none")
    group.add_argument("--blocks", type=_names, metavar="A,B", help="psi or white-box alone")
    group.add_argument(
        "--source", help="official test set (default), or bundled: the examples that come along"
    )
    group.add_argument(
        "--keep", action="store_true", help="merge what was measured into the assets"
    )


def check_unused(arguments: argparse.Namespace) -> None:
    """Refuse a table's options without --table."""
    for name in ("methods", "attacks", "blocks", "source", "keep"):
        if getattr(arguments, name):
            raise UsageError(f"--{name} goes with --table")


def execute(arguments: argparse.Namespace) -> int:
    """Measure, report, and keep where asked; one process of a torchrun prints and writes."""
    for name in _ROW_OPTIONS:
        if getattr(arguments, name):
            raise UsageError(f"--{name.replace('_', '-')} does not go with --table")
    request = Request(
        arguments.table,
        examples=arguments.examples,
        methods=arguments.methods or (),
        attacks=arguments.attacks or (),
        blocks=arguments.blocks or (),
        source=arguments.source or "official",
        seed=arguments.seed,
        batch=arguments.batch,
    )
    check_writable(arguments.json)
    if arguments.keep:
        check_keepable(request)
    work = make_folder(arguments.work)
    with joined() as ranks:
        device = pick_device(arguments.device)
        bundle = load_bundle(request.spec.dataset, device)
        if request.source == "official":
            if not has_official(request.spec.dataset):
                load_official(request.spec.dataset, "test")  # says what is missing, and where
            bundle = with_official_test(bundle)
        answers = measure(bundle, request, work, ranks)
        if ranks.leads:
            report = summarise(answers)
            lines = _lines(layout(report))
            if arguments.keep:
                lines.append(f"kept      table {request.number} of {request.spec.dataset}")
            keep = partial(keep_answers, request, answers) if arguments.keep else None
            finish(lines, (arguments.json, as_json(report)), keep=keep)
    return 0


def _names(text: str) -> tuple[str, ...]:
    """Words with commas between them."""
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise argparse.ArgumentTypeError("names none")
    return names


def _lines(made: Layout) -> list[str]:
    """The table for a terminal."""
    lines = [f"Table {made.number}: {made.n} images of {made.source}"]
    for section in made.sections:
        lines += ["", *_section(section)]
    lines += [f"missing   {key}: {why}" for key, why in made.missing.items()]
    return lines


def _section(section: Section) -> list[str]:
    wide = max(len(line.title) for line in section.lines)
    titles = {"none": "clean"}
    head = "  ".join(f"{titles.get(column, column):>20}" for column in section.columns)
    lines = [f"{section.title}:", f"  {'':{wide}}  {head}"]
    for line in section.lines:
        cells = "  ".join(
            _cell(line.cells.get(column), section.difference) for column in section.columns
        )
        lines.append(f"  {line.title:{wide}}  {cells}".rstrip())
    if any(cell.through_psi for line in section.lines for cell in line.cells.values()):
        lines.append("  *: attacked through ψ, having no network of its own")
    return lines


def _cell(cell: Cell | None, difference: bool) -> str:
    if cell is None:
        return f"{'':>20}"
    form = "+.1f" if difference else ".1f"
    value, low, high = (format(100 * part, form) for part in (cell.value, cell.low, cell.high))
    return f"{value + ('*' if cell.through_psi else ' ') + f'({low} to {high})':>20}"

"""`recipe`: make the files of an assets folder."""

from __future__ import annotations

import argparse

from red_core.cli.common import (
    Subparsers,
    UsageError,
    add_work,
    check_dataset,
    make_folder,
    pick_device,
)
from red_core.data.datasets import CLASSES
from red_core.recipes.common import RecipeContext
from red_core.recipes.parts import PARTS, make


def add(subparsers: Subparsers) -> None:
    """The arguments of `recipe`."""
    parser = subparsers.add_parser("recipe", help="make the files of assets/; resumable")
    parser.add_argument("dataset", help=f"data set: {', '.join(CLASSES)}")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PART",
        help=f"one part, or several with commas: {', '.join(PARTS)} (default: all)",
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")
    parser.add_argument(
        "--tiny",
        action="store_true",
        help="a rehearsal on a few hundred images; its files go to the work folder",
    )
    add_work(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Make the parts."""
    check_dataset(arguments.dataset)
    only = [part for text in arguments.only for part in text.split(",")]
    for part in only:
        if part not in PARTS:
            raise UsageError(f"unknown part {part!r}: choose {', '.join(PARTS)}")
    if arguments.seed < 0:
        raise UsageError(f"the seed must not be negative, but is {arguments.seed}")
    device = pick_device(arguments.device).type
    work = make_folder(arguments.work)
    context = RecipeContext(arguments.dataset, device, arguments.seed, work, arguments.tiny)
    make(context, only, lambda part: print(f"part      {part}", flush=True))
    return 0

"""`recipe`: make the files of an assets folder."""

from __future__ import annotations

import argparse
from pathlib import Path

from red_core.cli.common import (
    Subparsers,
    UsageError,
    add_threads,
    add_work,
    as_json,
    check_writable,
    finish,
    make_folder,
    pick_device,
)
from red_core.data.datasets import DATASETS
from red_core.recipes.common import SCALED, SCALES, RecipeContext
from red_core.recipes.parts import make, parts_of


def add(subparsers: Subparsers) -> None:
    """The arguments of `recipe`."""
    parser = subparsers.add_parser("recipe", help="make the files of assets/; resumable")
    parser.add_argument("dataset", help=f"data set: {', '.join(DATASETS)}")
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="PART",
        help=f"one part, or several with commas (default: all); {_parts()}",
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")
    parser.add_argument(
        "--scale",
        choices=SCALES,
        help="tiny: a trial on a few hundred images, its files go to the work folder; gpu: "
        "CIFAR-10's networks in full; cpu: smaller ones, trained as far as a few hours carry. "
        "MNIST and Fashion-MNIST know one full size: there cpu and gpu mean the same. (default: "
        "gpu on cuda, else cpu)",
    )
    add_work(parser)
    parser.add_argument(
        "--estimate",
        action="store_true",
        help="make nothing: count the operations of cifar10's parts, and say how long they take",
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="file to write the estimate to")
    add_threads(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Make the parts."""
    if arguments.dataset not in DATASETS:
        raise UsageError(f"unknown data set {arguments.dataset!r}: choose {', '.join(DATASETS)}")
    parts = parts_of(arguments.dataset)
    only = [part for text in arguments.only for part in text.split(",")]
    for part in only:
        if part not in parts:
            raise UsageError(
                f"unknown part {part!r} of {arguments.dataset}: choose {', '.join(parts)}"
            )
    if arguments.seed < 0:
        raise UsageError(f"the seed must not be negative, but is {arguments.seed}")
    device = pick_device(arguments.device).type
    scale = arguments.scale or ("gpu" if device == "cuda" else "cpu")
    if arguments.estimate:
        return _estimate(arguments, scale, device, [p for p in parts if not only or p in only])
    if arguments.json:
        raise UsageError("--json goes with --estimate")
    work = make_folder(arguments.work)
    context = RecipeContext(arguments.dataset, device, arguments.seed, work, scale)
    make(context, only, lambda part: print(f"part      {part}", flush=True))
    return 0


def _estimate(arguments: argparse.Namespace, scale: str, device: str, parts: list[str]) -> int:
    if arguments.dataset not in SCALED:
        raise UsageError(f"there is no estimate for {arguments.dataset}: only for cifar10")
    check_writable(arguments.json)
    from red_core.recipes.cifar10.estimate import estimate, lines  # the networks, if asked for

    found = estimate(scale, device, parts)
    finish(lines(found), (arguments.json, as_json(found)))
    return 0


def _parts() -> str:
    """Every data set's parts, for the help; data sets with the same parts share a line."""
    sharing: dict[tuple[str, ...], list[str]] = {}
    for dataset in DATASETS:
        sharing.setdefault(parts_of(dataset), []).append(dataset)
    return "; ".join(f"{' and '.join(of)}: {', '.join(parts)}" for parts, of in sharing.items())

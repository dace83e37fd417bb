"""`download`: fetch a data set that may not be bundled into the data root."""

from __future__ import annotations

import argparse

from tqdm import tqdm

from red_core.cli.common import Subparsers
from red_core.data.archive import DOWNLOADABLE, is_there
from red_core.data.datasets import TITLES, data_root
from red_core.data.download import download


def add(subparsers: Subparsers) -> None:
    """The arguments of `download`."""
    parser = subparsers.add_parser(
        "download", help="fetch a data set into the data root (RED_DATA); resumable"
    )
    parser.add_argument("dataset", choices=DOWNLOADABLE, help=f"data set: {DOWNLOADABLE[0]}")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Fetch it and say where it is."""
    title = TITLES[arguments.dataset]
    if is_there(arguments.dataset):
        print(f"{title} is in {data_root()} already")
        return 0
    with tqdm(desc="download", unit="B", unit_scale=True, mininterval=0.5) as bar:

        def show(done: int, total: int | None) -> None:
            bar.total = total
            if bar.n == 0:
                bar.initial = done  # of an earlier try: it does not count as speed
            bar.update(done - bar.n)

        download(arguments.dataset, show)
    print(f"{title} is in {data_root()}")
    return 0

"""`rekey`: write today's keys into the kept results, after equal answers were shown."""

from __future__ import annotations

import argparse

from red_core.cli.common import Subparsers, reading_kept
from red_core.measure.kept_results import kept_results, rekey


def add(subparsers: Subparsers) -> None:
    """The arguments of `rekey`."""
    words = "write today's keys into the kept results of assets/; measures nothing"
    parser = subparsers.add_parser(
        "rekey",
        help=words,
        description=f"{words}. Only code may have changed, in a way that changes no answer: show "
        "that first. Results of other trained files, settings or images are refused.",
    )
    parser.add_argument("--check", action="store_true", help="list what is not current, and stop")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Check, or re-key."""
    with reading_kept():
        return _rekey(arguments)


def _rekey(arguments: argparse.Namespace) -> int:
    if arguments.check:
        stale = [(result, result.differences()) for result in kept_results()]
        stale = [(result, other) for result, other in stale if other]
        for result, other in stale:
            print(f"{result.where}: other {', '.join(other)}")
        print(f"{len(stale)} results are not current")
        return 1 if stale else 0
    changed = rekey()
    for name in changed:
        print(f"re-keyed  {name}")
    print(f"{len(changed)} files changed")
    return 0

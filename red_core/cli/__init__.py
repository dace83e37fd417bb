"""The command line: one file a command, each with `add` (its arguments) and `execute`.

Files are written before anything is printed, and nothing that is printed can end a command. Exit
status: 0; 2, in one line on stderr, for bad input and for a file that cannot be read or written; 1
for a bad or missing asset, a download that fails, a device that runs out of memory, and output that
could not be printed (a full disk; a pipe that its reader has closed is no error); 130 after an
interrupt.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import nullcontext

import torch

import red_core.cli.assumption as assumption
import red_core.cli.benchmark as benchmark
import red_core.cli.convert as convert
import red_core.cli.doctor as doctor
import red_core.cli.download as download
import red_core.cli.evaluate as evaluate
import red_core.cli.project as project
import red_core.cli.recipe as recipe
import red_core.cli.rekey as rekey
import red_core.cli.results as results
import red_core.cli.run as run
import red_core.cli.starts as starts
import red_core.cli.theory as theory
import red_core.cli.undo as undo
import red_core.cli.unknown as unknown
from red_core.cli.common import OneLineParser, UsageError, opened_project
from red_core.cli.terminal import guarded
from red_core.data.assets import AssetError
from red_core.data.download import DownloadError
from red_core.data.intake import IntakeError
from red_core.run.project import ProjectError
from red_core.run.settings import SettingsError
from red_core.threads import computing_on

COMMANDS = (
    run, undo, evaluate, unknown, assumption, starts, benchmark, theory, results, rekey, recipe,
    project, convert, download, doctor,
)  # fmt: skip


def build_parser() -> OneLineParser:
    """The parser of all commands; the chosen one's function is stored as `execute`."""
    parser = OneLineParser(
        prog="python -m red_core",
        description="Reverse engineering of deceptions: which signal, which attack.",
        epilog="Exit status: 0; 1 for a bad or missing asset, a failed download, too little memory "
        "and output that could not be printed; 2 for bad input and for files that cannot be read "
        "or written; 130 after an interrupt.",
    )
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(subparsers)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status. Arguments default to the process's own."""
    with guarded() as out:
        status = _run(argv)
        out.flush()
        if out.fault is not None and not isinstance(out.fault, BrokenPipeError):
            why = out.fault.strerror or out.fault
            return status or _fail(1, f"not everything could be printed: {why}")
        return status


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = build_parser().parse_args(argv)
        arguments.words = list(sys.argv[1:] if argv is None else argv)
        threads = getattr(arguments, "threads", None)
        on = nullcontext() if threads is None else computing_on(threads)
        with on, opened_project(arguments):
            return int(arguments.execute(arguments))
    except (UsageError, SettingsError, IntakeError, ProjectError) as error:
        return _fail(2, error)
    except OSError as error:  # a missing file or data set, a full disk
        named = error.filename is not None and error.strerror is not None
        return _fail(2, f"{error.filename}: {error.strerror}" if named else error)
    except (AssetError, DownloadError) as error:
        return _fail(1, error)
    except torch.OutOfMemoryError:
        return _fail(1, "the device ran out of memory: try a smaller --batch, or --device cpu")
    except KeyboardInterrupt:
        return _fail(130, "interrupted")


def _fail(status: int, message: object) -> int:
    print("error: " + " ".join(str(message).split()), file=sys.stderr)
    return status

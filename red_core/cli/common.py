"""What the commands share: one-line errors, checked argument types, files before words."""

from __future__ import annotations

import argparse
import json
import math
import os
import shlex
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import torch

from red_core.algorithm.presets import DEFAULT_PRESET, OWN
from red_core.data import datasets
from red_core.data.assets import AssetError, assets_root
from red_core.data.atomic import write_atomically
from red_core.data.datasets import DATASETS
from red_core.data.own_datasets import dataset_words, opened, own_dataset
from red_core.run.bundle import Bundle, choose_device, load_bundle, with_official_test
from red_core.run.project import ProjectBundle, close_project, open_project
from red_core.run.settings import RunSettings, parse_solver_option

Subparsers: TypeAlias = "argparse._SubParsersAction[OneLineParser]"
DEFAULT_DATASET = "mnist"
# The help of --dataset.
DATASET = f"{', '.join(DATASETS[:-1])} or {DATASETS[-1]} (default: {DEFAULT_DATASET})"


class UsageError(ValueError):
    """A command line that cannot be obeyed; the message is one sentence for the user."""


class OneLineParser(argparse.ArgumentParser):
    """argparse, but an error is one line on stderr, without the usage text above it."""

    def error(self, message: str) -> NoReturn:
        """Raise UsageError instead of leaving the process."""
        raise UsageError(f"{message} (see {self.prog} --help)")


def count(text: str) -> int:
    """A whole number from 1."""
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1, not {text!r}")
    return value


def positive(text: str) -> float:
    """A finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError(f"must be a number above 0, not {text!r}")
    return value


def add_common(parser: argparse.ArgumentParser) -> None:
    """--dataset, --device, --json and --threads, which most commands have."""
    parser.add_argument("--dataset", help=DATASET)
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")
    parser.add_argument("--json", type=Path, metavar="OUT", help="file to write the report to")
    add_threads(parser)


def add_project(parser: argparse.ArgumentParser) -> None:
    """--project, which `main` opens."""
    parser.add_argument(
        "--project",
        type=Path,
        metavar="DIR",
        help="the parts of a project (`project new`); this runs the code that it holds",
    )


@contextmanager
def opened_project(arguments: argparse.Namespace) -> Iterator[None]:
    """The context of a command: the project of --project is open, and its key is --dataset's value.

    Raises UsageError where --dataset named another data set.
    """
    if getattr(arguments, "project", None) is None:
        yield
        return
    before = {own.key for own in opened()}
    own = open_project(arguments.project)
    try:
        if arguments.dataset not in (None, own.within):
            raise UsageError(
                f"{arguments.project} is a project of {own.within}, not {arguments.dataset}"
            )
        arguments.dataset = own.key
        yield
    finally:
        if own.key not in before:
            close_project(own)


def refuse_keep(arguments: argparse.Namespace) -> None:
    """UsageError for --keep with --project: what is kept is of the bundled parts."""
    if arguments.project is not None and arguments.keep:
        raise UsageError("--keep does not go with --project: what is kept is of the bundled parts")


def load_parts(arguments: argparse.Namespace, run: RunSettings, device: torch.device) -> Bundle:
    """The parts of --project, or the bundled ones of a run's data set.

    Raises UsageError for options that the project's parts cannot serve.
    """
    parts, options = load_bundle(run.dataset, device, run.generator), run.solver_options()
    if not isinstance(parts, ProjectBundle):
        return parts
    if parts.encoder is None and not (options.restarts or options.mean_start):
        raise UsageError("the project has no encoder: ask for --set restarts=1 or more")
    return parts


def labelled(bundle: Bundle, report: dict[str, Any]) -> list[str]:
    """Name the project of a bundle in a report; returns the line that is printed."""
    if not isinstance(bundle, ProjectBundle):
        return []
    own = own_dataset(bundle.dataset)
    report["project"] = bundle.project.label() if own is None else own.label
    if own is not None and "command" in report:
        named = shlex.join(dataset_words(own.key))
        report["command"] = report["command"].replace(f"--dataset {own.key}", named)
    return [f"project   {report['project']}"]


def add_threads(parser: argparse.ArgumentParser) -> None:
    """--threads, which `main` sets for the whole command."""
    parser.add_argument(
        "--threads",
        type=count,
        metavar="N",
        help="threads of torch on the CPU (default: 1 for a single image, else every core)",
    )


def add_solver(parser: argparse.ArgumentParser) -> None:
    """--preset, --set and --seed."""
    parser.add_argument("--preset", default=DEFAULT_PRESET, help=f"default: {DEFAULT_PRESET}")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="one number of the preset changed, such as steps=100; may be repeated",
    )
    parser.add_argument("--seed", type=int, default=0, help="of attacks and starts (default: 0)")


def add_generator(parser: argparse.ArgumentParser) -> None:
    """--generator, of the commands that run a preset."""
    parser.add_argument(
        "--generator",
        default=OWN,
        help="own (default), or dcgan, the paper's: on MNIST and Fashion-MNIST, with its presets",
    )


def solver_overrides(arguments: argparse.Namespace) -> tuple[tuple[str, Any], ...]:
    """The --set options, parsed; the last of a name holds."""
    return tuple(sorted(dict(parse_solver_option(text) for text in arguments.set).items()))


def check_dataset(name: str) -> None:
    """UsageError for a data set that there is not."""
    try:
        datasets.check_dataset(name)
    except ValueError as error:
        raise UsageError(str(error)) from error


def pick_device(name: str) -> torch.device:
    """The device of that name; UsageError where this machine has none."""
    try:
        return choose_device(name)
    except ValueError as error:
        raise UsageError(str(error)) from error


def check_writable(path: Path | None) -> None:
    """Refuse an output path before the work is done rather than after."""
    if path is None:
        return
    folder = path.absolute().parent
    if not folder.is_dir():
        raise UsageError(f"cannot write {path}: the folder {folder} does not exist")
    if path.is_dir():
        raise UsageError(f"cannot write {path}: it is a folder")
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise UsageError(f"cannot write {path}: permission denied")


def make_folder(path: Path) -> Path:
    """Make the folder of what is kept, or refuse it before the work is done."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot use {path} as a folder: {error.strerror}") from error
    if not os.access(path, os.W_OK):
        raise UsageError(f"cannot write into {path}: permission denied")
    return path


def add_work(parser: argparse.ArgumentParser) -> None:
    """--work, the folder that makes a stopped command resumable."""
    parser.add_argument(
        "--work", type=Path, default=Path(".work"), help="folder of what is kept (default: .work)"
    )


def add_measuring(parser: argparse.ArgumentParser, seed: str, keep: str) -> None:
    """What a measurement on the first test images takes; seed, keep: the helps of these two."""
    add_common(parser)
    parser.add_argument("--examples", type=count, default=100, help="the first N (default: 100)")
    parser.add_argument("--seed", type=int, default=0, help=f"{seed} (default: 0)")
    parser.add_argument("--keep", action="store_true", help=keep)
    add_project(parser)
    add_work(parser)


def measured_on(
    arguments: argparse.Namespace, default: str = DEFAULT_DATASET, generator: str = OWN
) -> tuple[Bundle, Path]:
    """The bundle with its test images, and the folder of what is kept; UsageError first.

    default: the data set where neither --dataset nor --project names one; generator: key of
    GENERATORS.
    """
    arguments.dataset = arguments.dataset or default
    check_dataset(arguments.dataset)
    refuse_keep(arguments)
    check_writable(arguments.json)
    work = make_folder(arguments.work)
    device = pick_device(arguments.device)
    return with_official_test(load_bundle(arguments.dataset, device, generator)), work


@contextmanager
def reading_kept() -> Iterator[None]:
    """AssetError, one sentence, where a kept result that the body reads has a wrong shape."""
    try:
        yield
    except (KeyError, TypeError, AttributeError, IndexError) as error:
        why = f"{type(error).__name__}: {error}"
        raise AssetError(
            f"a kept result of {assets_root()} has not the shape it should have ({why}): restore "
            "it with git"
        ) from error


# A file that was asked for, or None, and what makes its content.
Output: TypeAlias = "tuple[Path | None, Callable[[], bytes]]"


def as_json(report: Any) -> Callable[[], bytes]:
    """What makes a report strict JSON (no NaN)."""
    return lambda: (json.dumps(report, indent=1, allow_nan=False) + "\n").encode()


def finish(
    lines: Iterable[str],
    *outputs: Output,
    keep: Callable[[], object] | None = None,
) -> None:
    """What every command does last: write its files, and then print.

    lines: for a person; outputs: files, where a path was given; keep: stores the results in the
    assets. Raises UsageError, after everything else was written and printed, where a file could
    not be written.
    """
    faults = []
    written = []
    for path, content in outputs:
        if path is not None:
            try:
                write_file(path, content())
                written.append(path)
            except OSError as error:
                faults.append(f"cannot write {path}: {error.strerror or error}")
    if keep is not None:
        try:
            keep()
        except OSError as error:
            faults.append(f"cannot keep the results: {error.strerror or error}")
    for line in lines:
        print(line)
    for path in written:
        print(f"written   {path}")
    if faults:
        raise UsageError("; ".join(faults))


def write_file(path: Path, content: bytes) -> None:
    """Write a file in one step where that can be done; what is no plain file is written into."""
    target = path.resolve()  # a link keeps pointing where it did
    plain = target.is_file() or not target.exists()
    if plain and os.access(target.parent, os.W_OK):
        write_atomically(target, content)
    else:
        path.write_bytes(content)

"""`convert`: somebody else's weights to a safetensors file."""

from __future__ import annotations

import argparse
from pathlib import Path

from red_core.cli.common import Subparsers, UsageError, check_writable
from red_core.models.model_file import ARCHITECTURE, CLASS_NAME, ModelFileError
from red_core.run.convert import DEFAULT_KEY, convert


def add(subparsers: Subparsers) -> None:
    """The arguments of `convert`."""
    parser = subparsers.add_parser("convert", help="a network's weights to safetensors")
    parser.add_argument("source", type=Path, help="a .safetensors file, a torch file or a pickle")
    parser.add_argument("target", type=Path, metavar="OUT.safetensors", help="file to write")
    parser.add_argument(
        "--key",
        help=f"the part of the file to take (default: {DEFAULT_KEY} where there is one, or all)",
    )
    parser.add_argument(
        "--unpickle",
        action="store_true",
        help="read the file even if that runs code it holds; only for files from people you trust",
    )
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Write the file, and say what it holds."""
    check_writable(arguments.target)
    try:
        made = convert(arguments.source, arguments.target, arguments.key, arguments.unpickle)
    except ModelFileError as error:
        raise UsageError(str(error)) from error
    print(f"tensors   {made.tensors}, {made.numbers:,} numbers")
    if made.metadata[ARCHITECTURE] == "foreign":
        name = made.metadata.get(CLASS_NAME, "unknown class")
        print(f"network   {name}: `project new` needs a Python file that builds it")
    else:
        print("network   a generator of this repository")
    if made.left_out:
        print(f"left out  {', '.join(made.left_out)}: its build() has to know them")
    print(f"written   {arguments.target}")
    return 0

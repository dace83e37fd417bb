"""`doctor`: versions, device, every asset's checksum."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from red_core.cli.common import Subparsers, as_json, check_writable, finish
from red_core.run.doctor import examine


def add(subparsers: Subparsers) -> None:
    """The arguments of `doctor`."""
    parser = subparsers.add_parser("doctor", help="versions, device, every asset's checksum")
    parser.add_argument("--json", type=Path, metavar="OUT", help="file to write the report to")
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Print what was found; 1 only where an asset is bad or missing, or official data are bad."""
    check_writable(arguments.json)
    found = examine()
    finish(_lines(found), (arguments.json, as_json(found)))
    return 0 if found["sound"] else 1


def _lines(found: dict[str, Any]) -> list[str]:
    """What was found, for a person."""
    lines = [f"{name:12} {version}" for name, version in found["versions"].items()]
    lines.append(f"{'commit':12} {found['commit'] or 'not a git checkout'}")
    lines.append(f"{'device':12} {found['device']}, {found['threads']} threads")
    for dataset, there in found["official_data"].items():
        state = "found" if there else "not there (not needed: examples are bundled)"
        fault = found["data_faults"].get(dataset)
        state = state if fault is None else f"BAD: {fault}"
        lines.append(f"{'data':12} official {dataset} in {found['data_root']}: {state}")
    for check in found["assets"]:
        state = "sound" if check["fault"] is None else f"BAD: {check['fault']}"
        lines.append(f"{'asset':12} {check['dataset']}/{check['name']}: {state}")
    return lines

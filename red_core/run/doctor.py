"""Is this checkout sound: versions, device, and every asset against its checksum."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch

from red_core.data.assets import (
    AssetError,
    assets_root,
    checked_bytes,
    read_manifest,
    required_files,
)
from red_core.data.datasets import CLASSES, DATASETS, DataDamaged, data_root, has_official
from red_core.run.bundle import choose_device
from red_core.run.provenance import commit, package_versions


@dataclass(frozen=True)
class AssetCheck:
    """One bundled file; fault: None where it is sound, else one sentence with the remedy."""

    dataset: str
    name: str
    fault: str | None


def check_folder(dataset: str) -> list[AssetCheck]:
    """Every file of a folder's manifest, and every file that a run on a data set needs."""
    try:
        names = set(read_manifest(dataset))
    except AssetError as error:
        return [AssetCheck(dataset, "manifest.json", str(error))]
    checks = []
    if dataset in CLASSES:
        names |= required_files(dataset)
    for name in sorted(names):
        fault = None
        try:
            checked_bytes(dataset, name)
        except AssetError as error:
            fault = str(error)
        checks.append(AssetCheck(dataset, name, fault))
    return checks


def examine() -> dict[str, Any]:
    """All of it, in plain values.

    sound: False only for a bad or missing asset, or an official data set that is there and damaged;
    data_faults: a sentence about each of these.
    """
    others = {path.parent.name for path in assets_root().glob("*/manifest.json")} - set(DATASETS)
    checks = [check for folder in (*DATASETS, *sorted(others)) for check in check_folder(folder)]
    official, data_faults = {}, {}
    for dataset in DATASETS:
        try:
            official[dataset] = has_official(dataset)
        except DataDamaged as error:
            official[dataset], data_faults[dataset] = False, str(error)
    return {
        "sound": all(check.fault is None for check in checks) and not data_faults,
        "versions": package_versions(),
        "commit": commit(),
        "device": choose_device().type,
        "threads": torch.get_num_threads(),
        "data_root": str(data_root()),
        "official_data": official,
        "data_faults": data_faults,
        "assets": [vars(check) for check in checks],
    }

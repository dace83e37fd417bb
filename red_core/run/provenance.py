"""What made a figure: the commit, the versions, the machine and the trained files."""

from __future__ import annotations

import importlib.metadata
import platform
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import torch

from red_core.data.assets import read_manifest

_ROOT = Path(__file__).resolve().parents[2]
_PACKAGES = ("torch", "torchvision", "advertorch", "streamlit")


def package_versions() -> dict[str, str]:
    """Installed versions by name, without importing the packages; "not installed" where so."""
    versions = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            versions[name] = "not installed"
    return versions


@cache
def commit() -> str | None:
    """The checkout's commit, with "+" where red_core differs from it; None outside a checkout.

    Asked once: later commits are not what this process runs.
    """
    try:
        head = _git("rev-parse", "HEAD").strip()
        return head + ("+" if _git("status", "--porcelain", "--", "red_core") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(*words: str) -> str:
    return subprocess.run(
        ["git", "-C", str(_ROOT), *words], capture_output=True, text=True, check=True, timeout=20
    ).stdout


def provenance(device: torch.device) -> dict[str, Any]:
    """Commit, versions, device, threads: stored beside every measured figure."""
    hardware = platform.machine()
    if device.type == "cuda":
        hardware = torch.cuda.get_device_name(device)
    return {
        "commit": commit(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "device": device.type,
        "hardware": hardware,
        "threads": torch.get_num_threads(),
    }


def asset_checksums(dataset: str) -> dict[str, str]:
    """SHA-256 of every trained file, as the manifest has it."""
    manifest = read_manifest(dataset)
    return {
        name: str(entry["sha256"])
        for name, entry in sorted(manifest.items())
        if name.endswith(".safetensors")
    }

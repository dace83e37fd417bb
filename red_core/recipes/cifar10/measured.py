"""Figures that join the manifest entry of the file they were measured on."""

from __future__ import annotations

from collections.abc import Mapping

from red_core.data.assets import checked_bytes, read_manifest, record


def add_measured(name: str, part: str, found: Mapping[str, object]) -> None:
    """Put `found` under measured/`part` of a CIFAR-10 file's entry, beside what is there.

    Raises AssetError where the file is not the one that the manifest names.
    """
    checked_bytes("cifar10", name)
    entry = read_manifest("cifar10")[name]
    measured = {**entry.get("measured", {}), part: dict(found)}
    provenance = {key: value for key, value in entry.items() if key not in ("sha256", "bytes")}
    record("cifar10", name, **{**provenance, "measured": measured})

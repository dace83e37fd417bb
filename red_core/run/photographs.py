"""The bundled photographs: images of a run beside the examples, named by their own source."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from red_core.data.assets import AssetError, read_manifest, read_tensors
from red_core.data.datasets import PHOTOGRAPHED, ImageSet
from red_core.run.bundle import Bundle

PHOTOGRAPHS = "photographs.safetensors"


def has_photographs(dataset: str) -> bool:
    """Whether photographs of a data set are bundled."""
    try:
        return dataset in PHOTOGRAPHED and PHOTOGRAPHS in read_manifest(dataset)
    except AssetError:
        return False


def photographs_entry(dataset: str) -> dict[str, Any]:
    """What the manifest says of them: `licence`, `sources`, `pictures`, `measured`."""
    if not has_photographs(dataset):
        raise AssetError(f"there are no bundled photographs for {dataset}")
    entry: dict[str, Any] = read_manifest(dataset)[PHOTOGRAPHS]
    return entry


def with_photographs(bundle: Bundle) -> Bundle:
    """The bundle with the photographs for its examples; AssetError where there are none."""
    stored, entry = read_tensors(bundle.dataset, PHOTOGRAPHS), photographs_entry(bundle.dataset)
    labels = stored["labels"].long()
    packages = " and ".join(source["package"] for source in entry["sources"])
    source = f"{len(labels)} bundled photographs, from {packages}"
    examples = ImageSet(stored["images"].float() / 255, labels, source)
    return replace(bundle, examples=examples, fooled=None)

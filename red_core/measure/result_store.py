"""Measured files of the assets, and the keys that say what they were measured from.

A kept result has `key`: {"code", "settings", "images"}, three digests; the trained files that it
depends on are listed by name with their SHA-256. It is current while all four are today's.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from red_core.data.assets import assets_root, read_json, read_manifest, record
from red_core.data.atomic import write_atomically
from red_core.data.datasets import ImageSet
from red_core.run.code_digest import digest_of, tensor_digest

Key = dict[str, str | None]


def stored(dataset: str, name: str) -> dict[str, Any]:
    """A measured file of the assets, its checksum verified; {} where nothing was measured yet."""
    return read_json(dataset, name) if name in read_manifest(dataset) else {}


def keep(
    dataset: str, name: str, content: dict[str, Any], command: str, **provenance: object
) -> None:
    """Write a measured file into the assets and record it in the manifest."""
    path = assets_root() / dataset / name
    write_atomically(path, (json.dumps(content, indent=1, allow_nan=False) + "\n").encode())
    record(dataset, name, command=command, licence="MIT", **provenance)


def read_kept(path: Path, count: int, names: Collection[str]) -> dict[str, Any] | None:
    """Answers that a stopped measurement kept, {"seconds": number, name: list of `count`, ...}.

    names: those that must be there. None where the file is not there, cannot be read or has another
    shape: what it held is then made anew.
    """
    try:
        kept: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    if not isinstance(kept, dict) or not isinstance(kept.get("seconds"), float | int):
        return None
    lists = [kept.get(name) for name in names]
    whole = all(isinstance(values, list) and len(values) == count for values in lists)
    return kept if whole else None


def result_key(code: Sequence[str], settings: Any, images: str | None) -> Key:
    """The key of a result.

    code: `code_digest` of every module that it comes from; settings: plain values (options by
    `changed_values`); images: `images_digest`, or None where it was measured on no images.
    """
    return {"code": digest_of(list(code)), "settings": digest_of(settings), "images": images}


def images_digest(examples: ImageSet, count: int) -> str:
    """The content of the first `count` images and their labels."""
    return tensor_digest(examples.images[:count], examples.labels[:count])

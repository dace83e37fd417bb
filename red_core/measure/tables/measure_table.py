"""Measuring a table: every method's answers on every attacked image, chunk by chunk.

The unit of work is one method on one chunk of images under one attack. Its answers are kept in
the work folder under a name made of all that decides them: the attacked images themselves, the
seeds, the method's options, trained files and code, and the device. So a kill loses at most one
unit, and nothing kept is computed twice. Chunks, not methods, are split over processes: each
crafts only the images that it measures.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.presets import presets_of
from red_core.algorithm.verdict import NO_ATTACK
from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.data.assets import AssetError, assets_root
from red_core.data.atomic import write_atomically
from red_core.measure.attack_cache import CRAFTING, AttackCache, Target
from red_core.measure.result_store import Key, images_digest, read_kept, result_key
from red_core.measure.tables.merge import cells
from red_core.measure.tables.spec import PSI, WHITE_BOX, has_own_network, title_of
from red_core.measure.tables.table_request import Request
from red_core.measure.tables.torchrun_ranks import TorchrunRanks
from red_core.methods import METHODS, Method, fit
from red_core.run.bundle import Bundle
from red_core.run.code_digest import changed_values, code_digest, digest_of, tensor_digest
from red_core.run.provenance import asset_checksums, provenance
from red_core.run.settings import SettingsError, item_seed

_ABSENT = "has not been added yet"


@dataclass(frozen=True)
class Row:
    """One attack of one block, its images, and the methods that answer on them."""

    block: str
    attack: str
    crafted: AttackCache
    keys: tuple[str, ...]


def measure(bundle: Bundle, request: Request, work: Path, ranks: TorchrunRanks) -> dict[str, Any]:
    """The answers of a request as a record (see `store.load_answers`).

    bundle: with the examples of the request's source. On a process that does not lead, the
    record holds this process's images alone. Raises SettingsError for more images than there
    are, and AssetError where a method asked for by name lacks a file.
    """
    n = request.examples
    if n > len(bundle.examples):
        raise SettingsError(
            f"{n} examples were asked for, and there are {len(bundle.examples)} "
            f"({bundle.examples.source})"
        )
    methods, missing = _fitted(bundle, request)
    rows = list(_rows(bundle, request, methods, work / "attacks"))
    chunks = [range(s, min(s + request.batch, n)) for s in range(0, n, request.batch)]
    mine = ranks.share(chunks)
    total = sum(len(row.keys) for row in rows) * sum(len(chunk) for chunk in mine)
    units: dict[str, dict[str, Any]] = {}
    # Each answer counts the same however slow its method, so only the average rate tells the end.
    with tqdm(total=total, unit="answer", smoothing=0, disable=not ranks.leads) as bar:
        for row in rows:
            for items in mine:
                bar.set_description(f"{row.attack}: crafting")
                attacked = row.crafted.read(items)
                for key in row.keys:
                    bar.set_description(f"{row.attack}: {title_of(key)}")
                    name = _unit_name(row.block, row.attack, key, items)
                    units[name] = _unit(methods[key], attacked, items, bundle, request, work)
                    bar.update(len(items))
    units = ranks.gather(units)
    blocks = _joined(rows, chunks, units, bundle.dataset)
    for place, cell in cells({"blocks": blocks}):
        made = cell_key(place, bundle.dataset, request.seed, cell["n"], bundle.device.type)
        cell["key"] = {**made, "images": images_digest(bundle.examples, cell["n"])}
    return {
        "table": request.number,
        "source": bundle.examples.source,
        "seed": request.seed,
        "runs": [
            {
                "command": request.as_command(),
                "provenance": provenance(bundle.device) | {"processes": ranks.size},
            }
        ],
        "missing": missing,
        "blocks": blocks,
        "true": "".join(str(int(label)) for label in bundle.examples.labels[:n]),
    }


def _fitted(bundle: Bundle, request: Request) -> tuple[dict[str, Method], dict[str, str]]:
    """The methods by key, and why others are missing."""
    methods, missing = {}, {}
    for key in request.methods:
        try:
            if key not in METHODS:
                raise AssetError(f"{key} {_ABSENT}")
            methods[key] = fit(key, bundle)
            method_code(key)  # as it is before the long work begins
        except AssetError as error:
            if request.named:
                raise
            missing[key] = str(error).replace(f"{assets_root()}/", "")  # no machine's paths
    return methods, missing


def _rows(
    bundle: Bundle, request: Request, methods: dict[str, Method], folder: Path
) -> Iterator[Row]:
    """The rows that the request asks for, of at least one method each."""

    def crafted(attack: str, target: Target | None = None) -> AttackCache:
        chosen = None if attack == NO_ATTACK else PAPER_ATTACKS[bundle.dataset][attack]
        # All images, so that chunks on disk do not depend on how many a table takes.
        return AttackCache(bundle, chosen, request.seed, len(bundle.examples), folder, target)

    for attack in request.attacks:
        if PSI in request.blocks and methods:
            yield Row(PSI, attack, crafted(attack), tuple(methods))
        if WHITE_BOX in request.blocks and attack != NO_ATTACK:
            for key, method in methods.items():
                if has_own_network(key) and method.network is not None:
                    target = Target(method.network, method.files)
                    yield Row(WHITE_BOX, attack, crafted(attack, target), (key,))


def _unit(
    method: Method,
    attacked: Tensor,
    items: range,
    bundle: Bundle,
    request: Request,
    work: Path,
) -> dict[str, Any]:
    """The answers of one method on some images: kept ones, or new ones, which are then kept."""
    options = getattr(method, "options", None)
    seeds = [item_seed(request.seed, index) for index in items]
    key = {
        "method": method.key,
        "images": tensor_digest(attacked),
        "seeds": seeds,
        "options": changed_values(options) if is_dataclass(options) else None,
        "files": _checksums(method.files, bundle.dataset),
        "code": method_code(method.key),
        "device": bundle.device.type,
    }
    path = work / "tables" / method.key / f"{digest_of(key)}.json"
    kept = _read(path, len(items))
    if kept is None:
        kept = _answer(method, attacked, seeds)
        write_atomically(path, json.dumps(kept).encode())
    return kept


def method_code(key: str) -> str:
    """`code_digest` of a method's answers on given images: what attacked these is left out."""
    return code_digest(METHODS[key].__module__, ("red_core.attacks",))


def cell_key(place: tuple[str, str, str], dataset: str, seed: int, count: int, device: str) -> Key:
    """The key of an answers record's cell, but for the content of its images (None here).

    place: block, attack and entry; count: its images.
    """
    block, attack, entry = place
    key = entry.partition("/")[0]
    preset = METHODS[key].preset
    chosen = None if attack == NO_ATTACK else asdict(PAPER_ATTACKS[dataset][attack])
    values = {
        **{"block": block, "attack": chosen, "method": key, "device": device},
        "options": None if preset is None else changed_values(presets_of(dataset)[preset]),
        "seeds": [item_seed(seed, index) for index in range(count)],
    }
    crafting = () if chosen is None else tuple(code_digest(module) for module in CRAFTING)
    return result_key([method_code(key), *crafting], values, None)


def _answer(method: Method, attacked: Tensor, seeds: Sequence[int]) -> dict[str, Any]:
    began = time.perf_counter()
    answers = method.classify(attacked, seeds)
    given = {method.key: answers} | {
        f"{method.key}/{name}": reading for name, reading in answers.readings.items()
    }
    entries = {
        entry: {"signal": _digits(each.signal), "attack": _digits(each.attack)}
        for entry, each in given.items()
    }
    return {"seconds": time.perf_counter() - began, "entries": entries}


def _digits(labels: Tensor | None) -> str | None:
    """One character a label; there are at most ten classes and fewer attacks."""
    return None if labels is None else "".join(str(label) for label in labels.tolist())


def _joined(
    rows: Sequence[Row],
    chunks: Sequence[range],
    units: dict[str, dict[str, Any]],
    dataset: str,
) -> dict[str, Any]:
    """block -> attack -> entry -> answers on all images, from the units that are there."""
    blocks: dict[str, Any] = {}
    for row in rows:
        place = blocks.setdefault(row.block, {}).setdefault(row.attack, {})
        for key in row.keys:
            names = [_unit_name(row.block, row.attack, key, items) for items in chunks]
            parts = [units[name] for name in names if name in units]
            for entry in parts[0]["entries"] if parts else ():
                given = [part["entries"][entry] for part in parts]
                joined = {
                    question: None
                    if given[0][question] is None
                    else "".join(part[question] for part in given)
                    for question in ("signal", "attack")
                }
                place[entry] = joined | {
                    "n": len(joined["signal"] or joined["attack"] or ""),
                    "seconds": round(sum(part["seconds"] for part in parts), 3),
                    "files": _checksums(_files(key, row), dataset),
                    "run": 0,
                }
    return blocks


def _files(key: str, row: Row) -> tuple[str, ...]:
    """What a method's answers in a row hang on: its own files, and ψ where that was attacked."""
    through_psi = row.block == PSI and row.attack != NO_ATTACK
    return (*METHODS[key].files, *(("classifier.safetensors",) if through_psi else ()))


def _checksums(files: Sequence[str], dataset: str) -> dict[str, str | None]:
    """By name; None for a file that a method would use and that is not there."""
    known = asset_checksums(dataset)
    return {name: known.get(name) for name in sorted(set(files))}


def _unit_name(block: str, attack: str, key: str, items: range) -> str:
    return f"{block}/{attack}/{key}/{items.start}-{items.stop}"


def _read(path: Path, count: int) -> dict[str, Any] | None:
    """Kept answers; None where there are none or they cannot be read."""
    kept = read_kept(path, count, ())
    entries = None if kept is None else kept.get("entries")
    if not isinstance(entries, dict) or not all(_is_answer(e, count) for e in entries.values()):
        return None
    return kept


def _is_answer(entry: Any, count: int) -> bool:
    """Whether a kept entry has a digit, or None, for every image."""
    if not isinstance(entry, dict):
        return False
    given = [entry.get(name, "") for name in ("signal", "attack")]
    return all(one is None or (isinstance(one, str) and len(one) == count) for one in given)

"""A table grows cell by cell: new answers join those that were kept before."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from red_core.run.settings import SettingsError

Place = tuple[str, str, str]  # block, attack, entry


def cells(answers: dict[str, Any]) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Every cell of an answers record, with its place."""
    for block, by_attack in answers["blocks"].items():
        for attack, by_entry in by_attack.items():
            for entry, cell in by_entry.items():
                yield (block, attack, entry), cell


def merge(
    kept: dict[str, Any] | None, new: dict[str, Any], files: dict[str, str]
) -> dict[str, Any]:
    """The kept answers with the new ones in their place.

    files: today's checksum of every trained file. A kept cell gives way to a new one on as many
    images or more, or of other code; it is dropped where a file that it hangs on has changed
    since. All of them are dropped where the images or labels are others. Raises SettingsError for
    another seed: answers on other attacks do not belong into one table.
    """
    if kept is None or kept["source"] != new["source"] or _other_images(kept, new):
        return new
    check_seed(kept, new["seed"])
    joined = {
        place: cell
        for place, cell in cells(kept)
        if all(files.get(name) == sha for name, sha in cell["files"].items())
    }
    for place, cell in cells(new):
        old = joined.get(place)
        if old is None or old["n"] <= cell["n"] or _code(old) != _code(cell):
            joined[place] = cell | {"run": cell["run"] + len(kept["runs"])}
    runs, joined = _used(kept["runs"] + new["runs"], joined)
    present = {entry for _, _, entry in joined}
    missing = kept["missing"] | new["missing"]
    return new | {
        "runs": runs,
        "missing": {key: why for key, why in missing.items() if key not in present},
        "blocks": _nested(joined),
        "true": max(kept["true"], new["true"], key=len),
    }


def _code(cell: dict[str, Any]) -> str | None:
    """The digest of the code that made a cell; None in files of earlier versions."""
    code: str | None = cell.get("key", {}).get("code")
    return code


def _other_images(kept: dict[str, Any], new: dict[str, Any]) -> bool:
    """Whether the two were measured on different images or labels, so far as both say."""
    if any(a != b for a, b in zip(kept["true"], new["true"], strict=False)):
        return True
    found: dict[int, str] = {}
    for _, cell in (*cells(kept), *cells(new)):
        images = cell.get("key", {}).get("images")
        if images is not None and found.setdefault(cell["n"], images) != images:
            return True
    return False


def check_seed(kept: dict[str, Any], seed: int) -> None:
    """SettingsError unless the kept answers were measured with this seed."""
    if kept["seed"] != seed:
        raise SettingsError(
            f"the kept answers for table {kept['table']} have seed {kept['seed']}; "
            f"those of seed {seed} cannot stand beside them"
        )


def _used(
    runs: list[dict[str, Any]], joined: dict[Place, dict[str, Any]]
) -> tuple[list[dict[str, Any]], dict[Place, dict[str, Any]]]:
    """Equal runs once, without those that no cell is of any more."""
    kept: list[dict[str, Any]] = []
    renumbered = {}
    for place, cell in sorted(joined.items(), key=lambda item: item[1]["run"]):
        run = runs[cell["run"]]
        if run not in kept:
            kept.append(run)
        renumbered[place] = cell | {"run": kept.index(run)}
    return kept, {place: renumbered[place] for place in joined}


def _nested(joined: dict[Place, dict[str, Any]]) -> dict[str, Any]:
    blocks: dict[str, Any] = {}
    for (block, attack, entry), cell in joined.items():
        blocks.setdefault(block, {}).setdefault(attack, {})[entry] = cell
    return blocks

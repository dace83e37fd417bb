"""A table's files in the assets: the answers on every image, and the table drawn from them.

`answers<number>.json` holds one character per image and entry, the index of the answer;
`table<number>.json` is its summary. Answers on the bundled examples, which a page can always
open, are in `answers<number>-bundled.json`; the tables state the official test set alone.
"""

from __future__ import annotations

from typing import Any

from red_core.measure.result_store import keep, stored
from red_core.measure.tables.merge import check_seed, merge
from red_core.measure.tables.summary import summarise
from red_core.measure.tables.table_request import BUNDLED, OFFICIAL, SOURCES, Request, spec_of
from red_core.run.provenance import asset_checksums

__all__ = [
    "BUNDLED",
    "OFFICIAL",
    "SOURCES",
    "check_keepable",
    "keep_answers",
    "load_answers",
    "load_table",
]


def load_table(number: str) -> dict[str, Any] | None:
    """The kept table, as `summarise` makes it; None where it was not measured yet.

    Raises AssetError where the file is damaged, and SettingsError for an unknown table.
    """
    return stored(spec_of(number).dataset, f"table{number}.json") or None


def load_answers(number: str, source: str = OFFICIAL) -> dict[str, Any] | None:
    """The kept answers on a source's images, "official" or "bundled"; None where there are none.

    blocks: block -> attack -> entry -> {signal, attack, n, seconds, files, run}, where signal and
    attack are strings of one index an image, or None; true: the images' classes, a string too.
    Raises AssetError where the file is damaged, and SettingsError for an unknown table or source.
    """
    request = Request(number, source=source)
    return stored(request.spec.dataset, _answers_name(request)) or None


def check_keepable(request: Request) -> None:
    """SettingsError where the request's answers could not join the kept ones."""
    kept = load_answers(request.number, request.source)
    if kept is not None:
        check_seed(kept, request.seed)


def keep_answers(request: Request, answers: dict[str, Any]) -> dict[str, Any]:
    """Merge answers into the kept ones, and write them and their table; returns the table.

    Answers on the bundled examples leave the kept table as it is.
    """
    dataset = request.spec.dataset
    merged = merge(load_answers(request.number, request.source), answers, asset_checksums(dataset))
    command = f"{request.as_command()} --keep"
    keep(dataset, _answers_name(request), merged, command)
    table = summarise(merged)
    if request.source == OFFICIAL:
        keep(dataset, f"table{request.number}.json", table, command)
    return table


def _answers_name(request: Request) -> str:
    return f"answers{request.number}{'' if request.source == OFFICIAL else '-bundled'}.json"

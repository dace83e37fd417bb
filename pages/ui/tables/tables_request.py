"""What the page "Tables" is asked for: plain values, the same in the widgets and in the URL."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pages.ui.link.codec import accepted, changed, left_out, one_of
from red_core.data.datasets import CLASSES
from red_core.measure.tables import TABLES
from red_core.measure.tables.spec import entries
from red_core.measure.tables.table_store import SOURCES
from red_core.methods import ANSWERS

CLASS, ATTACK = "class", "attack"
MATRICES = (CLASS, ATTACK)
BEST = "bsd-gan-best"
MAX_INDEX = 99_999

Chosen = tuple[str, int, int]


@dataclass(frozen=True)
class TablesRequest:
    """One view of the page.

    table: key of TABLES; block: of the matrices; method: an entry's key, "bsd-gan-best" or
    "bsd-gan-best/rules"; attack: linf, l2, l1 or none; images: "official", "bundled", or "" for
    whichever can be opened; cell: the chosen (matrix, row, column); index: the chosen image.
    Raises ValueError, one sentence.
    """

    table: str = "1"
    block: str = "psi"
    method: str = BEST
    attack: str = "linf"
    images: str = ""
    cell: Chosen | None = None
    index: int | None = None

    def __post_init__(self) -> None:
        one_of("table", self.table, TABLES)
        spec = TABLES[self.table]
        one_of("block", self.block, spec.blocks)
        one_of("method", self.method, methods_of(self.table))
        one_of("attack", self.attack, spec.attacks)
        one_of("images", self.images, ("", *SOURCES))
        if self.cell is not None:
            _check_cell(self.cell, len(CLASSES[spec.dataset]), spec.attacks)
        if self.index is not None and not 0 <= self.index <= MAX_INDEX:
            raise ValueError(f"index must lie between 0 and {MAX_INDEX}, not {self.index}")
        if self.cell is None:
            object.__setattr__(self, "index", None)

    @property
    def dataset(self) -> str:
        """The table's data set."""
        return TABLES[self.table].dataset


def methods_of(table: str) -> tuple[str, ...]:
    """The entries of a table, methods and their readings, in the order of its rows."""
    return tuple(entry for key in TABLES[table].methods for entry in entries(key))


def tables_of(dataset: str) -> tuple[str, ...]:
    """The tables on a data set."""
    return tuple(number for number, spec in TABLES.items() if spec.dataset == dataset)


def moved(request: TablesRequest, table: str) -> TablesRequest:
    """The request for another table: what that one has not gives way to what it has."""
    spec = TABLES[table]
    return TablesRequest(
        table,
        request.block if request.block in spec.blocks else spec.blocks[0],
        request.method if request.method in methods_of(table) else methods_of(table)[0],
        request.attack,
        request.images,
    )


def looking_at(request: TablesRequest, **changes: Any) -> TablesRequest:
    """The request for other matrices; a cell of the old ones is no longer chosen."""
    if replace(request, **changes) == request:
        return request
    return replace(request, **{"cell": None, "index": None, **changes})


def as_query(request: TablesRequest) -> dict[str, str]:
    """The short strings of a URL; `from_query` is its inverse. Never empty."""
    query = {"dataset": request.dataset, "table": request.table}
    query |= changed(request, _DEFAULT, ("block", "method", "attack", "images"))
    if request.cell is not None:
        matrix, row, column = request.cell
        query["cell"] = f"{matrix}.{row}.{column}"
    if request.index is not None:
        query["index"] = str(request.index)
    return query


def from_query(query: Mapping[str, str]) -> tuple[TablesRequest, list[str]]:
    """The request of a URL, and a sentence about every value that was dropped."""
    warnings: list[str] = []
    dataset = query.get("dataset")
    request = _DEFAULT
    if dataset is not None and dataset != request.dataset:
        if tables_of(dataset):
            request = moved(request, tables_of(dataset)[0])
        else:
            warnings.append(left_out("dataset", f"there is no {dataset[:40]!r}"))
            dataset = None
    table = query.get("table")
    if table is not None and table != request.table:
        if table not in TABLES:
            warnings.append(left_out("table", f"there is no Table {table[:40]!r}"))
        elif dataset not in (None, TABLES[table].dataset):
            warnings.append(left_out("table", f"Table {table} is not on {dataset}"))
        else:
            request = moved(request, table)
    base = request

    def made(texts: Mapping[str, str]) -> TablesRequest:
        return replace(base, **{name: _READ.get(name, str)(text) for name, text in texts.items()})

    names = ("block", "method", "attack", "images", "cell", "index")
    request, refused = accepted(query, names, made)
    return request, [*warnings, *refused]


def _read_cell(text: str) -> Chosen:
    matrix, *places = text.split(".")
    if len(places) != 2 or not all(_is_whole(place) for place in places):
        raise ValueError(f"a cell is written as class.7.2, not {text[:40]!r}")
    return matrix, int(places[0]), int(places[1])


def _read_index(text: str) -> int:
    if not _is_whole(text):
        raise ValueError(f"an index is a whole number, not {text[:40]!r}")
    return int(text)


def _is_whole(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) < 7


def _check_cell(cell: Chosen, classes: int, attacks: tuple[str, ...]) -> None:
    matrix, row, column = cell
    one_of("matrix", matrix, MATRICES)
    rows, columns = (classes, classes) if matrix == CLASS else (len(attacks), len(ANSWERS))
    if not (0 <= row < rows and 0 <= column < columns):
        raise ValueError(f"the matrix has {rows} rows and {columns} columns, from 0 on")


_READ: dict[str, Any] = {"cell": _read_cell, "index": _read_index}
_DEFAULT = TablesRequest()

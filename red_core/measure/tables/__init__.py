"""The paper's tables, measured: what they hold, how they are filled, kept and drawn."""

from red_core.measure.tables.markdown import BLOCK, render, render_markdown
from red_core.measure.tables.measure_table import measure
from red_core.measure.tables.sections import Cell, Layout, Line, Section, layout
from red_core.measure.tables.spec import BLOCKS, COLUMNS, TABLES, TableSpec, entries, title_of
from red_core.measure.tables.summary import summarise
from red_core.measure.tables.table_request import SOURCES, Request
from red_core.measure.tables.table_store import (
    check_keepable,
    keep_answers,
    load_answers,
    load_table,
)
from red_core.measure.tables.torchrun_ranks import TorchrunRanks, joined

__all__ = [
    "BLOCK",
    "BLOCKS",
    "COLUMNS",
    "SOURCES",
    "TABLES",
    "Cell",
    "Layout",
    "Line",
    "Request",
    "Section",
    "TableSpec",
    "TorchrunRanks",
    "check_keepable",
    "entries",
    "joined",
    "keep_answers",
    "layout",
    "load_answers",
    "load_table",
    "measure",
    "render",
    "render_markdown",
    "summarise",
    "title_of",
]

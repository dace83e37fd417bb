"""The measured files that the page draws; a damaged one ends in a sentence, not in a crash."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import streamlit as st

from pages.ui.look.literal import literal
from pages.ui.tables.answers import AnswersError, PerImage, read_answers
from red_core.data.assets import AssetError
from red_core.data.datasets import CLASSES
from red_core.measure.result_store import stored
from red_core.measure.tables import TABLES, load_answers, load_table
from red_core.methods import ANSWERS

_Read = TypeVar("_Read")


def table_of(number: str) -> dict[str, Any] | None:
    """The measured table, or None; a damaged one is named in a warning."""
    return _told(lambda: load_table(number))


def answers_of(number: str, source: str) -> tuple[PerImage, dict[str, Any]] | None:
    """The answers on every image, checked and as they were kept; or None."""
    content = _told(lambda: load_answers(number, source))
    if content is None:
        return None
    try:
        classes = len(CLASSES[TABLES[number].dataset])
        return read_answers(content, classes, len(ANSWERS)), content
    except AnswersError as error:
        st.error(literal(f"The answers per image cannot be used: {error}.", commands=True))
        return None


def measured_file(
    dataset: str, name: str, check: Callable[[dict[str, Any]], object]
) -> dict[str, Any] | None:
    """A measured file of the assets, or None; one that `check` refuses is named in a warning."""
    content = _told(lambda: stored(dataset, name) or None)
    if content is None:
        return None
    try:
        check(content)
    except (KeyError, TypeError, ValueError, AttributeError, StopIteration):
        st.error(literal(f"{name} of {dataset} has not the shape it should have."))
        return None
    return content


def _told(read: Callable[[], _Read | None]) -> _Read | None:
    try:
        return read()
    except (AssetError, ValueError) as error:  # ValueError: no JSON
        st.error(literal(f"A measured file cannot be used. {error}", commands=True))
        return None


def measure_command(number: str, source: str = "official") -> str:
    """The command that measures a table and keeps it."""
    other = "" if source == "official" else f" --source {source}"
    return f"python -m red_core evaluate --table {number} --examples 1000{other} --keep"

"""What a browser says of clicks is judged before it is believed, and taken once."""

from __future__ import annotations

import math
from typing import Any

import pytest
import streamlit as st

from pages.ui.widgets.live_chart.clicks import Click, new_clicks


@pytest.fixture(autouse=True)
def state(monkeypatch) -> dict[str, Any]:
    held: dict[str, Any] = {}
    monkeypatch.setattr(st, "session_state", held)
    return held


def entry(number: int, **changes: Any) -> dict[str, Any]:
    said: dict[str, Any] = {
        "number": number,
        "x": 1.5,
        "y": -2,
        "at": [1.4, -2.1],
        "trace": "loss",
        "curve": 0,
    }
    return {**said, **changes}


def test_a_click_is_read_as_it_was_made() -> None:
    sent = {"mount": "a", "clicks": [entry(1, customdata=[3, "four"])]}
    assert new_clicks("chart", sent) == [Click(1.5, -2.0, (1.4, -2.1), "loss", 0, [3, "four"])]


def test_every_click_is_taken_once_though_it_is_sent_again() -> None:
    taken = []
    for last in range(1, 6):
        sent = {"mount": "a", "clicks": [entry(n, x=n) for n in range(max(1, last - 2), last + 1)]}
        taken += [click.x for click in new_clicks("chart", sent)]
        assert new_clicks("chart", sent) == []
    assert taken == [1, 2, 3, 4, 5]


def test_clicks_that_came_together_are_all_taken_in_order() -> None:
    sent = {"mount": "a", "clicks": [entry(n, x=n) for n in (1, 2, 3)]}
    assert [click.x for click in new_clicks("chart", sent)] == [1, 2, 3]


def test_a_chart_mounted_anew_counts_from_one_and_others_count_apart() -> None:
    assert len(new_clicks("chart", {"mount": "a", "clicks": [entry(1), entry(2)]})) == 2
    assert len(new_clicks("chart", {"mount": "b", "clicks": [entry(1)]})) == 1
    assert len(new_clicks("other", {"mount": "a", "clicks": [entry(1)]})) == 1


@pytest.mark.parametrize(
    "nonsense",
    [
        None,
        "a click",
        [],
        {},
        {"mount": "a", "clicks": None},
        {"mount": "a", "clicks": ["one", None, 3]},
        {"mount": "a", "clicks": [entry(1) | {"number": "1"}]},
        {"mount": "a", "clicks": [entry(1, x="here")]},
        {"mount": "a", "clicks": [entry(1, x=None)]},
        {"mount": "a", "clicks": [entry(1, y=math.inf)]},
        {"mount": "a", "clicks": [entry(1, at=[1, math.nan])]},
        {"mount": "a", "clicks": [entry(1, at=[1, 2, 3])]},
        {"mount": "a", "clicks": [entry(1, at=None)]},
        {"mount": "a", "clicks": [{"number": 1}]},
    ],
)
def test_nonsense_is_no_click(nonsense: object) -> None:
    assert new_clicks("chart", nonsense) == []


def test_a_name_is_never_long() -> None:
    (click,) = new_clicks("chart", {"mount": "a", "clicks": [entry(1, trace="x" * 10_000)]})
    assert len(click.trace) == 200

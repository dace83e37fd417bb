"""The theorems near planted solutions of the trained generators: the kept numbers, on the page."""

from __future__ import annotations

from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.error_bound.section_trained import cells, headline, title
from red_core.measure.result_store import stored


def drawn() -> None:
    from pages.ui.error_bound.section_trained import trained

    trained()


def table(app: AppTest) -> str:
    return next(str(each.proto.body) for each in app.get("html") if "<table" in each.proto.body)


def test_the_table_is_that_of_the_chosen_generator() -> None:
    numbers = stored("theory", "planted.json")["numbers"]
    app = AppTest.from_function(drawn, default_timeout=60).run()
    assert not app.exception
    choice = app.segmented_control[0]
    assert len(choice.options) == len({(row["dataset"], row["generator"]) for row in numbers})
    seen = set()
    for place, option in enumerate(choice.options):
        app.segmented_control[0].set_value(place).run()
        assert not app.exception
        rows = [row for row in numbers if title(row["dataset"], row["generator"]) == option]
        assert app.header[0].value == headline(rows)
        for row in rows:
            assert all(f"<td>{cell}</td>" in table(app) for cell in cells(row))
        seen.add(table(app))
    assert len(seen) == len(choice.options)


def row(radius: float, inside: int, **more: Any) -> dict[str, Any]:
    return {"radius": radius, "inside": inside, "descents": 3, **more}


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([row(0.1, 3), row(1.0, 3)], "are met up to 1 away from the solution."),
        (
            [row(0.1, 3), row(1.0, 0)],
            "met up to 0.1 away from the solution, and for no start 1 away.",
        ),
        ([row(0.1, 2), row(1.0, 0)], "the conditions of neither theorem are met."),
        ([row(0.1, 3), row(1.0, 3), row(0.1, 3), row(1.0, 2), row(3.0, 0)], "0.1 away from the"),
    ],
)
def test_the_headline_says_how_far_they_hold(rows: list[dict[str, Any]], said: str) -> None:
    assert said in headline(rows)


def test_without_a_negative_curvature_the_share_is_infinite() -> None:
    some = {
        "theorem": "Theorem 3", "mu": 1.0, "mu_limit": 0.5, "rho": 2.0, "epsilon": 0.0,
        "mu_squared_over_needed": None, "applies": 1,
    }  # fmt: skip
    assert cells(row(0.01, 2, **some)) == [
        "3", "0.01", "1", "0.5", "2", "0", "∞", "2 of 3", "1 of 3",
    ]  # fmt: skip


def test_nothing_measured_draws_nothing(monkeypatch) -> None:
    monkeypatch.setattr("pages.ui.error_bound.section_trained.stored", lambda *_: {})
    app = AppTest.from_function(drawn, default_timeout=60).run()
    assert not app.exception
    assert not app.header

"""The page "Two runs" without a browser: what it prepares, and its controls."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.live.live_run import LIVE_RUNS, LiveRun
from pages.ui.live.origin import Origin
from pages.ui.undo import undo_registry as session
from pages.ui.undo.undo_registry import MAIN
from tests.pages.conftest import QUICK

APP = str(Path(__file__).resolve().parents[2] / "pages/main.py")
QUICK_URL = {f"solver.{name}": str(value).lower() for name, value in QUICK}


@pytest.fixture(autouse=True)
def prepared(monkeypatch, parts):
    """The runs that the page prepares, by their place; all are ended afterwards."""
    session.load_models.clear()
    monkeypatch.setattr(session, "load_bundle", lambda *_: parts.bundle)
    found: dict[str, LiveRun] = {}
    prepare = session.RunRegistry.prepare

    def remember(self, *args, place=MAIN, **more):
        found[place] = prepare(self, *args, place=place, **more)
        return found[place]

    monkeypatch.setattr(session.RunRegistry, "prepare", remember)
    yield found
    for run in found.values():
        LIVE_RUNS.remove(run)
    session.load_models.clear()


def open_pair(query: dict[str, str]) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=240)
    app.query_params.update({"attack_steps": "3", **QUICK_URL, **query})
    app.switch_page("pair.py")
    app.query_params.update({"attack_steps": "3", **QUICK_URL, **query})
    return app.run()


def test_a_link_prepares_both_runs_and_the_controls_change_the_other(prepared) -> None:
    app = open_pair({"index": "4", "seed": "1", "other.seed": "6", "other.solver.steps": "9"})
    assert not app.exception
    assert not app.warning
    first, other = prepared[MAIN], prepared["other"]
    assert (first.settings.index, other.settings.index) == (4, 4)
    assert (first.settings.seed, other.settings.seed) == (1, 6)
    assert (first.origin, other.origin) == (Origin(), Origin(attack_seed=1))
    assert app.number_input("pair.seed").value == 6
    app.selectbox("pair.preset").set_value("paper").run()
    app.number_input("pair.seed").set_value(1).run()
    app.selectbox("pair.start").set_value(3).run()
    assert not app.exception
    assert app.query_params["other.preset"] == "paper"
    assert app.query_params["other.start_class"] == "3"
    assert prepared["other"].settings.preset == "paper"
    assert prepared["other"].origin == Origin(start_class=3)
    assert prepared[MAIN] is first, "the first run stays"
    silent = [
        widget.label
        for widget in [*app.selectbox, *app.number_input, *app.toggle, *app.text_input]
        if not widget.help
    ]
    assert silent == []


def test_what_a_link_says_wrongly_is_named(prepared) -> None:
    app = open_pair({"index": "99999", "other.preset": "[worst](x)"})
    assert not app.exception
    said = [warning.value for warning in app.warning]
    assert len(said) == 2
    assert "There is no example 99999" in said[1]
    assert "`'[worst](x)':`" in said[0]
    assert prepared["other"].settings.index == 0

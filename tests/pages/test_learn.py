"""The page Learn without a browser: it loads no model, and its address follows its steps."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from pages.ui.learn import component
from pages.ui.undo import undo_registry

APP = str(Path(__file__).resolve().parents[2] / "pages/main.py")


@pytest.fixture
def shown(monkeypatch):
    """What the component gets, call by call; `heard` is what it answers."""
    calls: list[dict] = []
    heard = SimpleNamespace(at=None, leave=None)

    def mount(**values):
        calls.append(values["data"])
        return heard

    def never(*_):
        raise AssertionError("no model is needed")

    monkeypatch.setattr(component, "_mount", mount)
    monkeypatch.setattr(undo_registry, "load_bundle", never)
    return SimpleNamespace(calls=calls, heard=heard)


def open_app(**query: str) -> AppTest:
    app = AppTest.from_file(APP, default_timeout=60)
    app.switch_page("learn.py")
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


def test_a_link_opens_its_step_and_the_address_follows(shown) -> None:
    app = open_app(lesson="lambda", step="2")
    assert not app.exception
    assert (shown.calls[-1]["lesson"], shown.calls[-1]["step"]) == ("lambda", 2)
    opened = shown.calls[-1]["opened"]
    shown.heard.at = f"{opened}:lambda.3"
    app.run()
    assert app.query_params["step"] == "3"
    shown.heard.at = f"{opened - 1}:norms.1"  # of an address before this one
    app.run()
    assert app.query_params["lesson"] == "lambda"
    shown.heard.at = f"{opened}:nothing.1"
    app.run()
    assert app.query_params["lesson"] == "lambda"


def test_a_wrong_link_is_named(shown) -> None:
    app = open_app(lesson="nothing", step="2")
    assert not app.exception
    assert "lesson" in app.warning[0].value
    assert shown.calls[-1]["lesson"] == "attack"


def test_a_link_of_a_lesson_leads_to_its_page_and_no_other(shown, monkeypatch) -> None:
    went: list[tuple[str, dict[str, str]]] = []
    monkeypatch.setattr(
        st, "switch_page", lambda page, query_params: went.append((page, query_params))
    )
    shown.heard.leave = "attack:trial"
    open_app()
    assert [page for page, _ in went] == ["undo.py"]
    assert went[0][1]["eps"] == "0.1"
    shown.heard.leave = "elsewhere.py"
    open_app()
    assert len(went) == 1


def test_teaching_hides_what_makes_a_playlist(shown) -> None:
    chosen = open_app(playlist="norms.1,lambda.2")
    assert chosen.multiselect[0].value == ["norms.1", "lambda.2"]
    assert "playlist=norms.1,lambda.2&teach=1" in chosen.code[0].value
    assert shown.calls[-1]["playlist"] == [["norms", 1], ["lambda", 2]]
    assert not open_app(teach="1").multiselect
    assert shown.calls[-1]["teach"] is True

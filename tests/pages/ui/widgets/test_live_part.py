"""A part of a page that follows a worker: what the script draws of it, and what it does then."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from pages.ui.live.stream import STREAMS
from pages.ui.widgets import live_part
from pages.ui.widgets.live_part import sentences
from tests.pages.conftest import slots, written


def script() -> None:
    import streamlit as st

    from pages.ui.widgets.live_part import LivePart, Steps, live_part

    work = st.session_state.setdefault("work", {"k": 0, "busy": True})
    st.session_state["scripts"] = st.session_state.get("scripts", 0) + 1

    def draw(live: LivePart[dict]) -> None:
        live.banner("run", "A run", lambda seen: f"step <{seen['k']}>")
        live.words("said", lambda seen: ["", f"**{seen['k']}** of 9"], bold=True)
        live.steps(
            "Step", lambda seen: Steps(seen["k"], 9, not seen["busy"]), key="steps", help="",
            go=lambda k: st.session_state.update(chosen=k),
        )  # fmt: skip

    drawn = (work["busy"],)
    if st.session_state.get("ends"):  # after the rest of the page was drawn
        work["busy"] = False
    live_part("test-part", lambda: dict(work), draw, lambda seen: (seen["busy"],), drawn=drawn)


@pytest.fixture
def app() -> AppTest:
    return AppTest.from_function(script).run()


def stream_of(app: AppTest):
    # AppTest's sessions are one visitor, with one stream.
    return next(stream for stream in STREAMS.values() if "headline-run" in stream._slots)


def test_the_script_draws_every_place_and_the_server_goes_on(app: AppTest) -> None:
    assert not app.exception
    assert written(app, "headline-run") == "step <0>"
    assert slots(app)["said"]["html"] == "<p><b>0</b> of 9</p>"
    assert slots(app)["steps"].items() >= {"k": 0, "last": 9, "first": 0, "still": False}.items()
    stream = stream_of(app)
    assert stream.busy
    app.session_state["work"]["k"] = 4
    stream.redraw()
    sent = " ".join(text for _, text in stream.since(slots(app)["steps"]["drawn"]))
    assert "step &lt;4&gt;" in sent
    assert app.session_state["scripts"] == 1, "no script runs for it"


def test_once_the_worker_has_ended_the_script_is_asked_for(app: AppTest) -> None:
    app.session_state["work"]["busy"] = False
    stream = stream_of(app)
    stream.redraw()
    assert stream.stale
    app.run()
    assert not stream.stale
    assert not stream.busy
    assert slots(app)["steps"]["still"]


def test_a_worker_that_ends_while_the_page_is_drawn_is_noticed() -> None:
    """The page above the part shows the worker as busy: the script has to run again."""
    app = AppTest.from_function(script)
    app.session_state["ends"] = True
    app.run()
    stream = stream_of(app)
    assert stream.busy
    stream.redraw()
    assert stream.stale
    app.run()
    assert not stream.stale
    assert not stream.busy


def test_what_has_not_changed_is_not_sent_again(app: AppTest) -> None:
    before = slots(app)["headline-run"]
    app.run()
    assert slots(app)["headline-run"] == before


def test_a_late_choice_of_a_step_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The step was chosen while the run was paused; it may have gone on since."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(live_part, "_steps", lambda **arguments: given.update(arguments))
    app = AppTest.from_function(script).run()
    assert not app.exception
    work = app.session_state["work"]
    kept: dict[str, Any] = {}
    monkeypatch.setattr(live_part.st, "session_state", kept)
    for busy, asked, chosen in ((True, 3, None), (False, 4, 4), (False, "5", 4), (True, 6, 4)):
        work["busy"] = busy
        kept["steps"] = SimpleNamespace(k=asked)
        given["on_k_change"]()
        assert kept.get("chosen") == chosen


def test_sentences_are_shown_letter_for_letter() -> None:
    said = "**a** <b>&amp;</b>"
    assert sentences([said, ""], "small") == "<small>**a** &lt;b&gt;&amp;amp;&lt;/b&gt;</small>"
    assert sentences([said], "p", bold=True) == "<p><b>a</b> &lt;b&gt;&amp;amp;&lt;/b&gt;</p>"

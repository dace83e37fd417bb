from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession
from streamlit.testing.v1 import AppTest

from pages.ui.widgets.hear_once import hear_clicks_once

APP = str(Path(__file__).resolve().parents[4] / "pages/main.py")


@pytest.fixture
def heard(monkeypatch) -> list[ClientState | None]:
    """What reaches the session behind `hear_clicks_once`, called twice."""
    messages: list[ClientState | None] = []
    monkeypatch.setattr(AppSession, "request_rerun", lambda _, message: messages.append(message))
    hear_clicks_once()
    hear_clicks_once()
    return messages


def message(*, timer: bool) -> ClientState:
    told = ClientState(is_auto_rerun=timer, fragment_id="f")
    widgets = told.widget_states.widgets
    widgets.add(id="pause", trigger_value=True)
    widgets.add(id="chart", json_trigger_value="[1]")
    widgets.add(id="written").string_trigger_value.data = "a"
    widgets.add(id="slider").double_array_value.data.append(3)
    widgets.add(id="toggle", bool_value=False)
    return told


@pytest.mark.parametrize(
    ("timer", "names"),
    [
        (True, ["slider", "toggle"]),
        (False, ["pause", "chart", "written", "slider", "toggle"]),
    ],
)
def test_a_timers_message_carries_no_clicks(heard, timer: bool, names: list[str]) -> None:
    AppSession.request_rerun(object(), message(timer=timer))
    assert [widget.id for widget in heard[0].widget_states.widgets] == names
    assert heard[0].widget_states.widgets[names.index("slider")].double_array_value.data == [3]
    assert len(heard) == 1


def test_a_session_may_ask_for_itself(heard) -> None:
    AppSession.request_rerun(object(), None)
    assert heard == [None]


def test_the_app_hears_clicks_once(monkeypatch) -> None:
    monkeypatch.setattr(AppSession, "request_rerun", lambda _, message: None)
    AppTest.from_file(APP, default_timeout=120).run()
    assert hasattr(AppSession.request_rerun, "__wrapped__")

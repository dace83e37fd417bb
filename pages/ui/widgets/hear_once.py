"""A click that the browser tells twice is heard once.

Streamlit's browser side notes a click, and sends it and forgets it a moment later. Where the timer
of a fragment (`run_every`) sends a message of its own within that moment, the click is in both, and
its callback would be called twice: a pause would undo itself. (Streamlit 1.67:
`WidgetStateManager.scheduleFlush`.) The timer's copy is dropped here; the click's own message
follows at once.
"""

from __future__ import annotations

import functools

from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.runtime.app_session import AppSession

_CLICKS = {"trigger_value", "string_trigger_value", "json_trigger_value", "chat_input_value"}
_HEARD = "request_rerun"  # where a session gets its browser's messages; not public in Streamlit


def hear_clicks_once() -> None:
    """Let every session of this process hear a click once; calling it again changes nothing."""
    request_rerun = AppSession.request_rerun
    if hasattr(request_rerun, "__wrapped__"):
        return

    @functools.wraps(request_rerun)
    def request(self: AppSession, client_state: ClientState | None) -> None:
        if client_state is not None and client_state.is_auto_rerun:
            drop_clicks(client_state)
        request_rerun(self, client_state)

    setattr(AppSession, _HEARD, request)


def drop_clicks(message: ClientState) -> None:
    """Leave what widgets hold, and take out what was done to them once."""
    widgets = message.widget_states.widgets
    kept = [widget for widget in widgets if widget.WhichOneof("value") not in _CLICKS]
    del widgets[:]
    widgets.extend(kept)

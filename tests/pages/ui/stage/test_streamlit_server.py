from __future__ import annotations

import asyncio
import gc
import os
import socket
from contextlib import closing, nullcontext, suppress

import pytest

from pages.ui.stage.streamlit_server import DroppedConnections, listening, without_delay


def bound() -> socket.socket:
    """As Streamlit makes its own."""
    made = socket.socket(family=socket.AF_INET)
    made.bind(("127.0.0.1", 0))
    made.listen(5)
    return made


def delays(listener: socket.socket) -> bool:
    """Whether the server's end of a new connection waits before it sends."""
    with socket.create_connection(listener.getsockname()), closing(listener.accept()[0]) as end:
        return not end.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


@pytest.mark.skipif(not os.path.isdir("/dev/fd"), reason="sockets are not found here")
def test_what_is_accepted_in_the_apps_life_sends_at_once() -> None:
    async def live(listener: socket.socket) -> bool:
        async with without_delay(None):
            return delays(listener)

    with bound() as listener:
        assert delays(listener)
        try:
            assert not asyncio.run(live(listener))
        finally:
            gc.unfreeze()


def test_what_is_imported_is_no_garbage_to_look_for() -> None:
    async def live() -> int:
        async with without_delay(None):
            return gc.get_freeze_count()

    before = gc.get_freeze_count()
    try:
        assert asyncio.run(live()) > before + 50_000
    finally:
        gc.unfreeze()


def test_only_what_listens_is_found() -> None:
    with bound() as listener, bound() as other, socket.create_connection(other.getsockname()):
        names = {found.getsockname() for found in closed(listening())}
        assert {listener.getsockname(), other.getsockname()} <= names
        before = len(os.listdir("/dev/fd"))
        list(closed(listening()))
        assert len(os.listdir("/dev/fd")) == before


def closed(found):
    for each in found:
        with each:
            yield each


def test_where_sockets_cannot_be_found_nothing_happens(monkeypatch) -> None:
    monkeypatch.setattr("pages.ui.stage.streamlit_server._OPEN", "/nowhere")
    assert list(listening()) == []


@pytest.mark.parametrize(
    ("broken", "error", "raises"),
    [
        (True, RuntimeError("used after its end"), False),
        (True, ValueError("of the app"), True),
        (False, RuntimeError("of the app"), True),
    ],
)
def test_what_fails_after_a_connection_broke_is_no_error_of_the_app(broken, error, raises) -> None:
    """As in Streamlit's socket: one task sends, the one that reads then closes the socket again."""

    async def app(scope, receive, send) -> None:
        with suppress(OSError):
            await send({"type": "websocket.send"})
        raise error

    async def send(message) -> None:
        if broken:
            raise OSError("the connection is gone")

    def talk(kind: str) -> None:
        asyncio.run(DroppedConnections(app)({"type": kind}, None, send))

    with pytest.raises(type(error)) if raises else nullcontext():
        talk("websocket")
    with pytest.raises(type(error)):
        talk("http")

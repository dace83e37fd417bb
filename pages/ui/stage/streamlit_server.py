"""What this app does otherwise than Streamlit's server.

Nagle's algorithm is off on the server's sockets. asyncio turns it off, but only on sockets whose
protocol is named, and Streamlit's listening socket names none. The second packet of an answer then
waits for the browser's acknowledgement, which comes 40 ms late, file after file.

Streamlit collects garbage after every run of a script, and all threads wait: a quarter of a second
with what torch, pandas and Plotly consist of, which never becomes garbage. So it is left out.

Where a connection breaks while its messages are being read, Streamlit closes the broken socket
once more, which raises an error; the server's log would show it as one of the app.
"""

from __future__ import annotations

import gc
import os
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.starlette import App

_OPEN = "/dev/fd"  # this process's files, on Linux and macOS


@asynccontextmanager
async def without_delay(app: App) -> AsyncIterator[None]:
    """The app's lifespan: Streamlit listens already when it begins, and all is imported."""
    gc.collect()
    gc.freeze()
    for listener in listening():
        with listener:  # what it accepts is like itself
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    yield


def listening() -> Iterator[socket.socket]:
    """The TCP sockets of this process that listen, each to be closed; none where none are found."""
    try:
        names = os.listdir(_OPEN)
    except OSError:  # Windows
        return
    for name in names:
        try:
            copy = os.dup(int(name))
        except OSError:  # closed since it was listed
            continue
        try:
            found = socket.socket(fileno=copy)
        except OSError:  # no socket
            os.close(copy)
            continue
        tcp = found.type == socket.SOCK_STREAM and found.family in (
            socket.AF_INET,
            socket.AF_INET6,
        )
        if tcp and found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            yield found
        else:
            found.close()


class DroppedConnections:
    """ASGI middleware: what fails on a WebSocket after its connection broke is no error."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on, and remember whether the connection broke."""
        broken = False

        async def watched(message: Message) -> None:
            nonlocal broken
            try:
                await send(message)
            except OSError:
                broken = True
                raise

        try:
            await self.app(scope, receive, watched)
        except RuntimeError:  # Starlette's, of a socket used after its end
            if scope["type"] != "websocket" or not broken:
                raise

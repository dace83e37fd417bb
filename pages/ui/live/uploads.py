"""What visitors upload: so much a minute and so much at once, decided before a file is taken.

Streamlit keeps an uploaded file in memory until it is removed or its session ends, and knows no
bound but that of one file.
"""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pages.ui.live import limits
from pages.ui.look.literal import literal

MINUTE = 60.0
_UPLOAD = re.compile(r"/_stcore/upload_file/([^/]+)/([^/]+)$")  # of Streamlit: session and file


@dataclass
class _Visitor:
    recent: list[tuple[float, int]] = field(default_factory=list)  # when, and how many bytes
    files: dict[str, int] = field(default_factory=dict)  # bytes by file
    refused: tuple[float, str] = -math.inf, ""  # when, and why


class Uploads:
    """What every connected session has uploaded.

    connected: whether a session's browser is there; clock: in seconds.
    """

    def __init__(
        self, connected: Callable[[str], bool], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._connected, self._clock = connected, clock
        self._visitors: dict[str, _Visitor] = {}
        self._lock = threading.Lock()

    def take(self, session: str, file: str, size: int) -> bool:
        """Whether a file of so many bytes may be taken; if not, `refusal` says why."""
        with self._lock:
            self._forget_gone()
            visitor = self._visitors.setdefault(session, _Visitor())
            now = self._clock()
            visitor.recent = [each for each in visitor.recent if each[0] > now - MINUTE]
            wait = self._wait(visitor, size, now)
            stored = sum(visitor.files.values()) - visitor.files.get(file, 0)
            if wait is not None:
                visitor.refused = now, limits.upload_too_fast(wait)
                return False
            if stored + size > limits.SESSION_MB.value * limits.MB:
                visitor.refused = now, limits.upload_too_large()
                return False
            visitor.recent.append((now, size))
            visitor.files[file] = size
            return True

    @staticmethod
    def _wait(visitor: _Visitor, size: int, now: float) -> int | None:
        """Seconds until a file fits into its minute, None where it does, 0 where it never will."""
        most = limits.UPLOAD_MB.value * limits.MB
        over = sum(each for _, each in visitor.recent) + size - most
        if over <= 0:
            return None
        for when, each in visitor.recent:
            over -= each
            if over <= 0:
                return math.ceil(when + MINUTE - now)
        return 0

    def remove(self, session: str, file: str) -> None:
        """A file is not kept any more."""
        with self._lock:
            visitor = self._visitors.get(session)
            if visitor is not None:
                visitor.files.pop(file, None)
                visitor.refused = -math.inf, ""

    def refusal(self, session: str) -> str:
        """Why a file of a session was not taken within the last minute; "" where all were."""
        with self._lock:
            when, why = self._visitors.get(session, _Visitor()).refused
            return why if when > self._clock() - MINUTE else ""

    def knows(self, session: str) -> bool:
        """Whether the browser of a session is there."""
        return self._connected(session)

    def _forget_gone(self) -> None:
        for session in [each for each in self._visitors if not self._connected(each)]:
            del self._visitors[session]


UPLOADS = Uploads(limits.connected)


def show_refusal() -> None:
    """Below an uploader: why a file of this visitor was not taken, if one was not."""
    refusal = UPLOADS.refusal(limits.session_id())
    if refusal:
        st.error(literal(refusal))


class UploadLimit:
    """ASGI middleware: reads a file that is beyond a limit, and drops it.

    The browser gets the answer of a taken file; the page finds none and shows `Uploads.refusal`: of
    an error answer Streamlit shows nothing but its number.
    """

    def __init__(self, app: ASGIApp, uploads: Uploads = UPLOADS) -> None:
        self.app, self.uploads = app, uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on but uploads that are refused."""
        found = _UPLOAD.search(scope["path"]) if scope["type"] == "http" else None
        if found is None or not self.uploads.knows(found[1]):
            await self.app(scope, receive, send)
            return
        session, file = found.groups()

        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start" and message["status"] >= 400:
                self.uploads.remove(session, file)  # it was not kept
            await send(message)

        if scope["method"] == "DELETE":
            self.uploads.remove(session, file)
        elif scope["method"] == "PUT":
            length = dict(scope["headers"]).get(b"content-length", b"").decode("latin-1")
            if not length.isdecimal():
                await Response("An upload states its length.", 411)(scope, receive, send)
                return
            if not self.uploads.take(session, file, int(length)):
                while (await receive()).get("more_body"):
                    pass
                await Response(status_code=204)(scope, receive, send)
                return
        await self.app(scope, receive, watched)

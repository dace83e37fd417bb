"""A visitor without a browser: a session of the app, the socket of its run, the files of its page.

It says to the server what a browser says: Streamlit's own messages on its socket, then those of
docs/record.md. So hundreds fit on one machine.
"""

from __future__ import annotations

import asyncio
import http.client
import json
import queue
import re
import time
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.asyncio.client import ClientConnection, connect

CLOSED_TAB = 1001
T = TypeVar("T")


def run_clients(clients: Coroutine[Any, Any, T]) -> T:
    """What the clients come to, run in a thread of its own: Playwright has a loop in a test's."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, clients).result()


class Visitor:
    """One tab of a server; with `async with`, whose end closes the tab."""

    def __init__(self, url: str) -> None:
        self.url = url if url.endswith("/") else f"{url}/"
        self._socket: ClientConnection | None = None
        self._reading: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Visitor:
        self._socket = await connect_to(f"{self.url}_stcore/stream", subprotocols=["streamlit"])
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._reading is not None:
            self._reading.cancel()
        assert self._socket is not None
        await self._socket.close(CLOSED_TAB)

    async def open(self, component: str, *, page: str = "", query: str = "") -> dict[str, Any]:
        """Open a page at a query; the data of its component, such as "red_stage"."""
        assert self._socket is not None
        message = BackMsg()
        message.rerun_script.query_string = query
        message.rerun_script.page_name = page
        message.rerun_script.context_info.url = f"{self.url}{page}"
        await self._socket.send(message.SerializeToString())
        while True:
            found = data_of(await self._socket.recv(), component)
            if found is not None:
                self._reading = asyncio.create_task(self._read_on())
                return found

    async def _read_on(self) -> None:
        """What a browser draws after that."""
        assert self._socket is not None
        async for _ in self._socket:
            pass


def connect_to(address: str, **options: Any) -> connect:
    """A socket of a page of the same server; messages of any size."""
    parts = urlsplit(address)
    return connect(
        address.replace("http", "ws", 1),
        origin=f"{parts.scheme}://{parts.netloc}",
        max_size=None,
        open_timeout=120,
        **options,
    )


def data_of(blob: str | bytes, component: str) -> dict[str, Any] | None:
    """The data of a component in a message of Streamlit's; None where it holds none."""
    assert isinstance(blob, bytes)
    message = ForwardMsg.FromString(blob)
    element = message.delta.new_element
    if element.bidi_component.component_name != component:
        return None
    return json.loads(element.bidi_component.json)


@dataclass
class Watched:
    """What came of a run: its events by name, its records, and when, by `time.perf_counter`.

    begun: the order to begin went out; first: the first record came; ended: the verdict came.
    """

    begun: float = 0.0
    first: float | None = None
    ended: float | None = None
    events: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: bytes = b""

    @property
    def failed(self) -> str:
        """The sentence with which the run ended without a verdict, or ""."""
        return str(self.events.get("state", {}).get("error", ""))


async def watch(url: str, key: str, *, seconds: float) -> Watched:
    """Begin the run of a key and watch it to its verdict, its end, or so many seconds."""
    found = Watched()
    try:
        async with asyncio.timeout(seconds), connect_to(f"{url.rstrip('/')}/run") as socket:
            await socket.send(json.dumps({"key": key, "claims": [], "epoch": 0, "have": 0}))
            await socket.send(json.dumps({"order": "begin", "speed": None}))
            found.begun = time.perf_counter()
            async for message in socket:
                now = time.perf_counter()
                if isinstance(message, bytes):
                    found.first = found.first or now
                    found.records += message
                    continue
                event = json.loads(message)
                found.events[event["event"]] = event
                if event["event"] == "verdict":
                    found.ended = now
                if event["event"] == "verdict" or event.get("error"):
                    await socket.close(CLOSED_TAB)
                    break
    except TimeoutError:
        pass  # what has come by then
    return found


class Files:
    """The files that a page's browser fetches, over as many connections as a browser opens."""

    CONNECTIONS = 6

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._free: queue.SimpleQueue[http.client.HTTPConnection] = queue.SimpleQueue()
        for _ in range(self.CONNECTIONS):
            self._free.put(http.client.HTTPConnection(self._address, timeout=120))
        self._threads = ThreadPoolExecutor(self.CONNECTIONS)

    def fetch(self, path: str) -> bytes:
        """The content at a path of the server."""
        connection = self._free.get()
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            content = answer.read()
        finally:
            self._free.put(connection)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status}")
        return content

    def page(self, path: str) -> None:
        """A page with the scripts, styles and fonts that it names."""
        named = re.findall(r'(?:src|href)="\./(static/[^"]+)"', self.fetch(path).decode())
        list(self._threads.map(self.fetch, [f"/{name}" for name in named]))

    def modules(self, folder: str, name: str) -> None:
        """A module in a folder of modules, and those that it imports."""
        wanted, known = {name}, {name}
        while wanted:
            texts = self._threads.map(self.fetch, [f"{folder}/{each}" for each in sorted(wanted)])
            found = (re.findall(r'from "\./(\w+\.js)"', text.decode()) for text in texts)
            wanted = {each for names in found for each in names} - known
            known |= wanted

    def close(self) -> None:
        """Close the connections."""
        self._threads.shutdown()
        while not self._free.empty():
            self._free.get().close()

"""The socket of a run: who may open it, what it sends, what it takes."""

from __future__ import annotations

import asyncio
import gc
import json
import time
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.websockets import WebSocketDisconnect

from pages.ui.learn.routes import modules_address
from pages.ui.learn.routes import routes as lesson_routes
from pages.ui.live.live_run import LIVE_RUNS, LiveRun, RunRecords
from pages.ui.live.stream import Drawing
from pages.ui.live.visitors import Visitor
from pages.ui.live.watched import CLOSED, DROPPED
from pages.ui.stage import routes
from pages.ui.stage.files import DIGEST

HOST = "localhost:8501"


class Socket:
    """A browser's end: it sends `messages` one after the other, and leaves when `leave` holds."""

    def __init__(self, *messages: Any, leave=lambda socket: False, code=1001, **headers: str):
        self.headers = {"host": HOST, "origin": f"http://{HOST}", **headers}
        self.messages, self.leave, self.code = list(messages), leave, code
        self.texts: list[dict[str, Any]] = []
        self.bytes = b""
        self.closed: int | None = None

    async def accept(self) -> None:
        pass

    async def close(self, code: int) -> None:
        self.closed = code

    async def send_text(self, text: str) -> None:
        self.texts.append(json.loads(text))

    async def send_bytes(self, blob: bytes) -> None:
        self.bytes += blob

    async def receive_text(self) -> str:
        while not self.messages:
            if self.leave(self):
                raise WebSocketDisconnect(self.code)
            await asyncio.sleep(0.01)
        message = self.messages.pop(0)
        return message if isinstance(message, str) else json.dumps(message)

    def events(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.texts if event["event"] == name]


@pytest.fixture
def run(parts, settings):
    made = LiveRun(parts, settings, None, "same")
    LIVE_RUNS.add(made)
    yield made
    LIVE_RUNS.remove(made)


def talk(socket: Socket) -> Socket:
    asyncio.run(asyncio.wait_for(routes.socket(socket), 60))
    return socket


def judged(socket: Socket) -> bool:
    ended = [event["state"] for event in socket.events("state") if not event["busy"]]
    return "finished" in ended


def test_a_run_is_begun_and_watched_to_its_verdict(run) -> None:
    hello = {"key": run.key, "claims": [], "epoch": 0, "have": 0}
    socket = talk(Socket(hello, {"order": "begin"}, leave=judged))
    assert len(socket.events("verdict")) == 1
    assert len(socket.events("theory")) == 1
    size = json.loads(run.items[0])["record_bytes"]
    assert len(socket.bytes) == size * sum(isinstance(item, bytes) for item in run.items)
    assert socket.bytes == b"".join(item for item in run.items if isinstance(item, bytes))
    assert not run.watched


def test_a_browser_that_comes_back_gets_what_it_lacks_once(run) -> None:
    run.begin()
    while run.status()["state"] != "finished" or run.status()["busy"]:
        time.sleep(0.01)
    have = len(run.items) // 2
    hello = {"key": run.key, "epoch": 1, "have": have}
    socket = talk(Socket(hello, leave=judged))
    rest = [item for item in run.items[have:] if isinstance(item, bytes)]
    assert socket.bytes == b"".join(rest)
    assert socket.events("epoch") == []
    for stale in (
        {"epoch": 7, "have": have},
        {"epoch": 1, "have": 10**6},
        {"epoch": 1, "have": "x"},
    ):
        again = talk(Socket({"key": run.key, **stale}, leave=judged))
        assert again.events("epoch") == [{"event": "epoch", "epoch": 1}]
        assert len(again.events("header")) == 1


class Counter:
    """Stands for a worker that counts while it is looked at."""

    def __init__(self, last: int) -> None:
        self.k, self.last = 0, last

    def look(self) -> int:
        self.k = min(self.k + 1, self.last)
        return self.k

    def drawing(self) -> Drawing:
        makers = {"k": lambda k: {"k": k}, "name": lambda k: {"name": "counter"}}
        return Drawing(self.look, makers, lambda k: (k < self.last,), (True,))


def visitor(session: str = "a session") -> Visitor:
    return Visitor(session, connected=lambda _: False)


def sent_slots(socket: Socket) -> list[dict[str, Any]]:
    return [slot for event in socket.events("slots") for slot in event["slots"]]


def test_a_page_is_drawn_over_its_stream_until_the_script_has_to_run() -> None:
    stream, counter = visitor().stream("part"), Counter(3)
    stream.show(counter.drawing(), {"k": (4, {"k": 0}), "name": (4, {"name": "counter"})})
    hello = {"key": stream.key, "claims": [], "epoch": 0, "have": 4}
    drawn = [{"order": "next"}] * 3
    socket = talk(Socket(hello, *drawn, leave=lambda socket: socket.events("stale")))
    assert sent_slots(socket)
    assert {slot["slot"] for slot in sent_slots(socket)} == {"k"}, "only what changes is sent"
    again = talk(Socket({**hello, "have": 0}, leave=lambda socket: socket.events("stale")))
    assert [slot["slot"] for slot in sent_slots(again)] == ["name", "k"]
    assert sent_slots(again)[-1]["k"] == 3


def test_a_slow_browser_gets_the_next_when_it_has_drawn_the_last(monkeypatch) -> None:
    monkeypatch.setattr(routes, "REDRAW", 0.01)
    stream, counter = visitor().stream("part"), Counter(10**6)
    stream.show(counter.drawing(), {"k": (4, {"k": 0}), "name": (4, {"name": "counter"})})
    hello = {"key": stream.key, "epoch": 0, "have": 4}
    until = time.monotonic() + 1.5
    socket = talk(Socket(hello, leave=lambda _: time.monotonic() > until))
    assert len(socket.events("slots")) == 1


def test_an_idle_stream_sends_nothing_and_a_wrong_key_gets_nothing() -> None:
    stream = visitor().stream("part")
    hello = {"key": stream.key, "epoch": 0, "have": "x"}
    quiet = talk(Socket(hello, leave=lambda socket: socket.events("state")))
    assert quiet.texts == [{"event": "state", "state": "page"}]
    assert quiet.closed is None
    assert talk(Socket({**hello, "key": stream.key[:-1]})).closed == routes.NO_RUN


class Pages:
    """Stands for the workers of a page: the name of what is computed."""

    def __init__(self) -> None:
        self.work = "nothing"

    def workers(self) -> tuple[()]:
        return ()

    def take_over(self, before: Pages) -> None:
        self.work, before.work = before.work, "nothing"

    def clear(self) -> None:
        self.work = "nothing"


@pytest.mark.parametrize(
    ("key", "watched", "work"),
    [("its own", False, "a descent"), ("a guess", False, "nothing"), ("its own", True, "nothing")],
)
def test_a_reloaded_tab_takes_its_pages_work_over_and_nobody_elses(
    key, watched, work, monkeypatch
) -> None:
    monkeypatch.setattr(routes, "OLD_SOCKET", 0.05)
    before, after = visitor("before"), visitor("after")
    before.registry(Pages).work = "a descent"
    assert after.registry(Pages).work == "nothing"
    key = before.stream("part").key if key == "its own" else key
    stream = after.stream("part")
    stream.show(Counter(9).drawing(), {"k": (4, {"k": 0}), "name": (4, {"name": "counter"})})
    hello = {"key": stream.key, "claims": [stream.key, key, 7], "epoch": 0, "have": 4}
    if watched:
        before.connected()
    socket = talk(Socket(hello, leave=lambda socket: socket.events("state")))
    assert after.registry(Pages).work == work
    assert bool(socket.events("stale")) == (work == "a descent"), "the script draws it anew"


@pytest.mark.parametrize("there", [True, False])
def test_a_page_that_has_another_session_of_streamlit_is_drawn_in_it(there, monkeypatch) -> None:
    """As of a browser that was away for minutes: the script has never run in its new session."""
    monkeypatch.setattr(routes, "OTHER_SESSION", 0.05)
    monkeypatch.setattr(routes, "LOOK_UNDRAWN", 0.01)
    stream = Visitor("a session", lambda session: there).stream("part")
    stream.show(Counter(9).drawing(), {"k": (4, {"k": 0}), "name": (4, {"name": "counter"})})
    hello = {"key": stream.key, "claims": [], "epoch": 0, "have": 4}
    until = time.monotonic() + 0.5
    socket = talk(Socket(hello, leave=lambda _: time.monotonic() > until))
    assert bool(socket.events("stale")) is not there


@pytest.mark.parametrize(("code", "kept"), [(1001, CLOSED), (1005, DROPPED), (1000, DROPPED)])
def test_how_a_pages_socket_ends_decides_how_long_its_work_is_kept(code, kept) -> None:
    now = [0.0]
    one = Visitor("a session", lambda _: False, lambda: now[0])
    stream = one.stream("part")
    talk(Socket({"key": stream.key}, leave=lambda socket: socket.events("state"), code=code))
    now[0] = kept - 1
    assert not one.expired
    now[0] = kept + 1
    assert one.expired


def test_without_the_key_there_is_nothing(run) -> None:
    for hello in ({}, {"key": "guess"}, {"key": run.key[:-1]}):
        assert talk(Socket(hello)).closed == routes.NO_RUN


@pytest.mark.parametrize(
    "headers", [{"origin": "http://evil.example"}, {"origin": f"http://{HOST}.evil.example"}]
)
def test_another_sites_page_is_turned_away(run, headers) -> None:
    socket = talk(Socket({"key": run.key}, **headers))
    assert socket.closed == routes.WRONG_ORIGIN
    assert socket.texts == []


def test_a_name_that_the_server_does_not_allow_is_turned_away(run, monkeypatch) -> None:
    """DNS rebinding: the page of another name is of one origin with it, and still foreign."""
    monkeypatch.setattr(routes, "is_host_allowed", lambda host: host == HOST)
    foreign = {"host": "evil.example:8501", "origin": "http://evil.example:8501"}
    assert talk(Socket({"key": run.key}, **foreign)).closed == routes.WRONG_ORIGIN
    shown = talk(Socket({"key": run.key}, leave=lambda socket: socket.events("state")))
    assert shown.closed is None


def test_a_client_that_names_no_origin_is_turned_away(run) -> None:
    socket = Socket({"key": run.key})
    del socket.headers["origin"]
    assert talk(socket).closed == routes.WRONG_ORIGIN


NONSENSE = [
    "no json", "[1]", '"text"', "", "null", "[" * 200_000, '{"order": ' * 100_000,
    {"order": "explode"}, {"order": None}, {"order": ["begin"]}, {"order": {"begin": 1}},
    {"order": "step"}, {"order": "step", "update": ["z"]}, {"order": "step", "update": "../z"},
    {"order": "speed", "speed": "fast"}, {"order": "speed", "speed": 1e-300},
    {"order": "begin", "speed": -1}, '{"order": "speed", "speed": NaN}',
    '{"order": "speed", "speed": 1e999}',
]  # fmt: skip


@pytest.mark.parametrize("message", NONSENSE, ids=range(len(NONSENSE)))
def test_nonsense_closes_the_socket_and_leaves_the_run(run, message) -> None:
    run.begin(paused=True)
    socket = talk(Socket({"key": run.key}, message))
    assert socket.closed == routes.WRONG_ORDER
    assert LIVE_RUNS.find(run.key) is run
    assert not run.watched


@pytest.mark.parametrize(
    "hello",
    [
        *({"key": key} for key in (None, 7, ["k"], {"k": 1}, "", "a" * 10_000, "\ud800")),
        {"claim": {"k": 1}, "key": "x"},
    ],
    ids=range(8),
)
def test_a_hello_that_is_none_finds_no_run(run, hello) -> None:
    assert talk(Socket(hello)).closed == routes.NO_RUN


def request(path: str, method: str, **headers: str) -> tuple[int, bytes]:
    """Status and body of the app's own routes, all of them."""
    sent: list[dict[str, Any]] = []
    scope = {
        "type": "http", "method": method, "path": path, "root_path": "", "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip

    waiting = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    app = Starlette(routes=[*routes.routes(), *lesson_routes()])
    asyncio.run(app(scope, receive, send))
    return sent[0]["status"], b"".join(each.get("body", b"") for each in sent[1:])


# Every route of ours but the socket: a path that answers, and how it is asked for.
ADDRESSES = {
    "/run/file/{kind}": ("/run/file/json", "POST"),
    "/run/block": ("/run/block", "POST"),
    "/run/record/{digest}": (f"/run/record/{'0' * 64}", "GET"),
    f"/stage/{DIGEST}": (f"/stage/{DIGEST}/main.js", "GET"),
    "/stories/{dataset}/{name}": ("/stories/mnist/story-linf.red", "GET"),
    "/lessons/generator/{dataset}": ("/lessons/generator/mnist", "GET"),
    modules_address(): (f"{modules_address()}/lesson.js", "GET"),
}


def test_every_route_of_ours_is_listed_here() -> None:
    paths = {route.path for route in [*routes.routes(), *lesson_routes()]}
    assert paths == {*ADDRESSES, "/run"}


@pytest.mark.parametrize("route", ADDRESSES)
def test_every_route_answers_its_own_pages_alone(run, route: str) -> None:
    """Streamlit holds its own socket to `server.allowedHosts`, and nothing of ours."""
    path, method = ADDRESSES[route]
    own = {"host": HOST, routes.KEY_HEADER: run.key}
    found, _ = request(path, method, **own)
    assert found in (200, 400, 404, 409), "a run that has not begun has no file, block or record"
    same = request(path, method, **own, origin=f"http://{HOST}")
    assert same[0] == found
    for foreign in (
        {"host": "evil.example:8501"},
        {"host": "evil.example:8501", "origin": "http://evil.example:8501"},
        {"host": HOST, "origin": "http://evil.example"},
        {"host": HOST, "origin": "null"},
        {"host": ""},
        {},
    ):
        headers = {routes.KEY_HEADER: run.key, **foreign}
        assert request(path, method, **headers) == (403, routes.FOREIGN.encode())


@pytest.mark.parametrize(
    "path",
    [
        f"/stage/{DIGEST}/../files.py", f"/stage/{DIGEST}/%2e%2e/files.py",
        f"/stage/{DIGEST}//etc/passwd", f"{modules_address()}/../routes.py",
        "/stories/mnist/manifest.json", "/stories/../mnist/manifest.json",
        "/stories/mnist/..%2fmanifest.json", "/lessons/generator/../mnist",
    ],
)  # fmt: skip
def test_no_path_leads_out_of_what_is_served(path: str) -> None:
    assert request(path, "GET", host=HOST)[0] == 404


def test_a_reloaded_page_claims_its_run(run, parts, settings) -> None:
    run.begin(paused=True)
    after = LiveRun(parts, settings, None, "same")
    LIVE_RUNS.add(after)
    shown = talk(
        Socket(
            {"key": after.key, "claims": ["gone", run.key]},
            leave=lambda socket: socket.events("state"),
        )
    )
    assert shown.events("state")[0]["state"] in ("paused", "running")
    assert LIVE_RUNS.find(run.key) is None
    LIVE_RUNS.remove(after)


def test_a_reloaded_page_waits_for_the_end_of_its_old_socket(
    run, parts, settings, monkeypatch
) -> None:
    """A busy server may hear of the new socket before it has seen the old one close."""
    run.begin(paused=True)
    old = Socket({"key": run.key}, leave=lambda socket: False)
    after, copy = (LiveRun(parts, settings, None, "same") for _ in range(2))
    another = LiveRun(parts, settings, None, "another image")
    for each in (after, copy, another):
        LIVE_RUNS.add(each)

    def claim(key: str) -> Socket:
        return Socket(
            {"key": key, "claims": [run.key]}, leave=lambda socket: socket.events("state")
        )

    async def meet() -> tuple[Socket, Socket, Socket]:
        watching = asyncio.create_task(routes.socket(old))
        while not old.events("state"):
            await asyncio.sleep(0.01)
        monkeypatch.setattr(routes, "OLD_SOCKET", 0.2)
        await routes.socket(refused := claim(copy.key))  # a tab's copy, while the tab is open
        monkeypatch.setattr(routes, "OLD_SOCKET", 60.0)
        await asyncio.wait_for(routes.socket(other := claim(another.key)), 30)
        taking = asyncio.create_task(routes.socket(taken := claim(after.key)))
        await asyncio.sleep(0.1)
        old.leave = lambda socket: True
        await asyncio.gather(taking, watching)
        return refused, other, taken

    refused, other, taken = asyncio.run(asyncio.wait_for(meet(), 60))
    assert refused.events("state")[0]["state"] == "idle"
    assert other.events("state")[0]["state"] == "idle", "another image waits for nothing"
    assert taken.events("state")[0]["state"] in ("paused", "running")
    for each in (after, copy, another):
        LIVE_RUNS.remove(each)


def test_a_slow_browser_gets_fewer_longer_messages(run) -> None:
    class Slow(Socket):
        sent = 0

        async def send_bytes(self, blob: bytes) -> None:
            self.sent += 1
            await asyncio.sleep(0.3)
            await super().send_bytes(blob)

    socket = talk(Slow({"key": run.key}, {"order": "begin"}, leave=judged))
    records = sum(isinstance(item, bytes) for item in run.items)
    assert socket.bytes == b"".join(item for item in run.items if isinstance(item, bytes))
    assert socket.sent < records


def test_a_connection_that_breaks_on_both_sides_leaves_nothing_behind(run) -> None:
    """The server meets the end of the connection while it sends, and while it waits for orders."""

    class Broken(Socket):
        async def send_bytes(self, blob: bytes) -> None:
            self.gone.set()
            raise WebSocketDisconnect(1006)

        async def receive_text(self) -> str:
            if self.messages:
                return await super().receive_text()
            await self.gone.wait()
            raise WebSocketDisconnect(1006)

    left: list[dict[str, Any]] = []

    async def watched() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: left.append(context))
        socket = Broken({"key": run.key}, {"order": "begin"})
        socket.gone = asyncio.Event()
        await routes.socket(socket)
        gc.collect()

    asyncio.run(asyncio.wait_for(watched(), 60))
    assert left == []
    assert not run.watched


def test_the_routes_are_below_the_base_path(monkeypatch) -> None:
    monkeypatch.setattr(routes.st, "get_option", lambda name: "red/")
    paths = [route.path for route in routes.routes()]
    assert all(path.startswith("/red/") for path in paths)
    assert f"/red/stage/{DIGEST}" in paths


def test_a_record_is_read_by_its_digest_on_this_servers_pages_alone(run, monkeypatch) -> None:
    monkeypatch.setattr(LIVE_RUNS, "records", RunRecords(2**20))
    run.begin()
    until = time.monotonic() + 60
    while (digest := LIVE_RUNS.record_of(run.identity)) is None:
        assert time.monotonic() < until
        time.sleep(0.02)

    path = routes.record_address(digest)
    assert request(path, "GET", host=HOST) == (200, run.file())
    assert request(path, "GET", host=HOST, origin="http://elsewhere.example")[0] == 403

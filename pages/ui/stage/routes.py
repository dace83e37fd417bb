"""What the server answers beside Streamlit: the socket of a run, its files, and the stage's own.

Streamlit checks Host, Origin and the base path for its own socket only, so these routes do it
themselves. The key of a run travels inside the socket and in a header, never in an address.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

import streamlit as st
from starlette.concurrency import run_in_threadpool
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit.web.server.starlette.starlette_websocket import is_host_allowed

from pages.ui.live.live_run import LIVE_RUNS, LiveRun
from pages.ui.live.stream import STREAMS, Stream
from pages.ui.live.visitors import Visitor
from pages.ui.live.watched import Watched
from pages.ui.stage import files, opened
from red_core.data.assets import checked_bytes

KEY_HEADER = "x-red-run"
LOOK, LOOK_IDLE = 1 / 60, 1 / 20  # seconds between two looks at a run, while it computes and else
REDRAW = 1 / 15  # seconds between two drawings of a page's slots, at least
LOOK_UNDRAWN = 1.0  # seconds between two looks while the browser has not drawn the last slots
OTHER_SESSION = 5.0  # seconds until a page that is connected here is so to Streamlit, too
SAY_AGAIN = 3.0  # seconds until a browser is asked again to let the script run
OLD_SOCKET = 5.0  # seconds until a busy machine has seen a reloaded tab's old socket close
MOST_CLAIMS = 8  # runs and pages that a tab may have had before its reload
MOST_AT_ONCE = 2**20  # bytes of one message
FOR_EVER = {"cache-control": "public, max-age=31536000, immutable"}  # the address has a digest
FOREIGN = "This page was not served by this server."
WRONG_ORIGIN, NO_RUN, WRONG_ORDER = 4403, 4404, 4400  # close codes of our own
_AWAY = 1001  # the close code of a tab that is closed or reloaded


def same_origin(connection: HTTPConnection) -> bool:
    """Whether the page that asks was served by this server, under a name that it allows.

    A request without Origin passes; `server.allowedHosts` is what Streamlit holds its own to.
    """
    origin, host = connection.headers.get("origin"), connection.headers.get("host")
    return is_host_allowed(host) and (origin is None or urlsplit(origin).netloc == host)


def own_pages_only(
    endpoint: Callable[[Request], Awaitable[Response]],
) -> Callable[[Request], Awaitable[Response]]:
    """The endpoint, which answers pages of this server and nobody else."""

    @wraps(endpoint)
    async def checked(request: Request) -> Response:
        return await endpoint(request) if same_origin(request) else Response(FOREIGN, 403)

    return checked


async def socket(websocket: WebSocket) -> None:
    """One browser at one run: items and states go out, orders come in. Or at a page's stream."""
    if not same_origin(websocket) or websocket.headers.get("origin") is None:
        await websocket.close(WRONG_ORIGIN)
        return
    await websocket.accept()
    try:
        hello = await _received(websocket)
        claims = hello.get("claims")
        claims = claims[:MOST_CLAIMS] if isinstance(claims, list) else []
        stream, run = STREAMS.get(str(hello.get("key"))), LIVE_RUNS.find(hello.get("key"))
        if stream is not None:
            drawn = asyncio.Event()
            with _watching(stream.owner):
                await _claim_pages(stream.owner, [STREAMS.get(str(claim)) for claim in claims])
                await _serve(
                    _take_drawn(websocket, drawn), _send_slots(websocket, stream, hello, drawn)
                )
        elif run is not None:
            for claim in claims:
                await _claim(run, LIVE_RUNS.find(claim))
            with _watching(run):
                await _serve(_take_orders(websocket, run), _send_news(websocket, run, hello))
        else:
            await websocket.close(NO_RUN)
    except WebSocketDisconnect:
        return
    except (KeyError, ValueError):  # no text, no JSON, no such order
        await websocket.close(WRONG_ORDER)


async def _claim(run: LiveRun, before: LiveRun | None) -> None:
    """Continue the run that this tab had before its reload, once its old socket is closed."""
    if before is None or not run.may_take_over(before):
        return
    await _until_unwatched(before)
    if run.take_over(before):
        LIVE_RUNS.remove(before)


async def _claim_pages(visitor: Visitor, claimed: list[Stream | None]) -> None:
    """Continue what the pages of this tab computed before its reload."""
    before = {stream.owner for stream in claimed if stream is not None} - {visitor}
    await asyncio.gather(*map(_until_unwatched, before))
    for each in before:
        visitor.take_over(each)


async def _until_unwatched(before: Watched) -> None:
    """Wait until the old socket of a reloaded tab is closed: a busy machine sees it late."""
    with suppress(TimeoutError):
        async with asyncio.timeout(OLD_SOCKET):
            while before.watched:
                await asyncio.sleep(LOOK_IDLE)


@contextmanager
def _watching(what: Watched) -> Iterator[None]:
    """While its browser is connected; how the connection ended decides how long it is kept."""
    closed = False
    what.connected()
    try:
        yield
    except WebSocketDisconnect as gone:
        closed = gone.code == _AWAY
        raise
    finally:
        what.disconnected(closed)


async def _serve(receiving: Coroutine[Any, Any, None], sending: Coroutine[Any, Any, None]) -> None:
    """Send and receive until either side is gone."""
    orders, news = asyncio.create_task(receiving), asyncio.create_task(sending)
    await asyncio.wait({orders, news}, return_when=asyncio.FIRST_COMPLETED)
    orders.cancel()
    news.cancel()
    # Both may have met the end of the connection; the one that receives knows its close code.
    for ended in await asyncio.gather(orders, news, return_exceptions=True):
        if isinstance(ended, Exception):
            raise ended


async def _take_orders(websocket: WebSocket, run: LiveRun) -> None:
    while True:
        order = await _received(websocket)
        await run_in_threadpool(run.order, order)


async def _send_news(websocket: WebSocket, run: LiveRun, hello: dict[str, Any]) -> None:
    """The items that the browser lacks, then each as it comes; and the state where it changed.

    A slow browser gets fewer, longer messages: the next one waits until this one is sent.
    """
    epoch, sent = hello.get("epoch"), hello.get("have", 0)
    state: dict[str, object] = {}
    while True:
        now = run.status()  # before the items: a state that says "ended" comes after the last
        current, items = run.current()
        end = len(items)
        if epoch != current or not isinstance(sent, int) or not 0 <= sent <= end:
            epoch, sent = current, 0
            await websocket.send_text(json.dumps({"event": "epoch", "epoch": epoch}))
        while sent < end:
            item = items[sent]
            if isinstance(item, str):
                await websocket.send_text(item)
                sent += 1
                continue
            records, size = [item], len(item)
            sent += 1
            while sent < end and size < MOST_AT_ONCE and isinstance(item := items[sent], bytes):
                records.append(item)
                size += len(item)
                sent += 1
            await websocket.send_bytes(b"".join(records))
        if now != state and epoch == run.epoch:
            state = now
            await websocket.send_text(json.dumps({"event": "state", **now}))
        await asyncio.sleep(LOOK if now["busy"] else LOOK_IDLE)


async def _take_drawn(websocket: WebSocket, drawn: asyncio.Event) -> None:
    """What a browser says of a stream: that it has drawn what it got."""
    while True:
        await _received(websocket)
        drawn.set()


async def _send_slots(
    websocket: WebSocket, stream: Stream, hello: dict[str, Any], drawn: asyncio.Event
) -> None:
    """What the script has not drawn, and "stale" where the script has to run again.

    The next slots wait until the browser has drawn these: a slow one gets fewer. A browser that was
    away for minutes has another session of Streamlit, in which nothing was drawn yet.
    """
    have, said = hello.get("have", 0), 0.0
    have = have if isinstance(have, int) else 0
    clock = asyncio.get_running_loop().time
    in_session = clock()
    await websocket.send_text(json.dumps({"event": "state", "state": "page"}))
    drawn.set()
    while True:
        began = clock()
        if stream.busy:
            await run_in_threadpool(stream.redraw)
        slots = stream.since(have) if drawn.is_set() else []
        if slots:
            drawn.clear()
            texts = ",".join(text for _, text in slots)
            await websocket.send_text(f'{{"event": "slots", "slots": [{texts}]}}')
            have = slots[-1][0]
        if stream.owner.in_session:
            in_session = clock()
        if (stream.stale or clock() - in_session > OTHER_SESSION) and clock() - said > SAY_AGAIN:
            said = clock()
            await websocket.send_text(json.dumps({"event": "stale"}))
        # On a busy machine the drawing must not take all that the computing needs.
        await asyncio.sleep(max(REDRAW, clock() - began) if stream.busy else LOOK_IDLE)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_UNDRAWN):
                await drawn.wait()


async def _received(websocket: WebSocket) -> dict[str, Any]:
    """One message of the browser; ValueError where it is no object in JSON."""
    try:
        message = json.loads(await websocket.receive_text())
    except RecursionError as error:  # brackets by the thousand
        raise ValueError("a message is an object") from error
    if not isinstance(message, dict):
        raise ValueError("a message is an object")
    return message


@own_pages_only
async def save(request: Request) -> Response:
    """A file of a run, whose key is in the header: png, gif, npz, json, red or html."""
    run = LIVE_RUNS.find(request.headers.get(KEY_HEADER))
    kind = request.path_params["kind"]
    if run is None:
        return Response("This run is not kept any more. Run it again.", 404)
    if kind not in files.KINDS:
        return Response("There is no such file.", 404)
    try:
        body = await run_in_threadpool(files.make, run, kind)
    except files.NotYetError as error:
        return Response(str(error), 409)
    name = files.file_name(run.settings, kind)
    return Response(
        body,
        media_type=files.KINDS[kind].mime,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


@own_pages_only
async def block(request: Request) -> Response:
    """A block of a run's code, whose key is in the header: what a cell of the stage is made of."""
    run = LIVE_RUNS.find(request.headers.get(KEY_HEADER))
    if run is None:
        return Response("This run is not kept any more. Run it again.", 404)
    try:
        asked = [int(request.query_params[name]) for name in ("k", "label", "attack")]
    except (KeyError, ValueError):
        return Response("A block is asked for by k, label and attack.", 400)
    try:
        found = await run_in_threadpool(opened.block_of, run, *asked)
    except opened.NotThereError as error:
        return Response(str(error), 409)
    return JSONResponse(found)


@own_pages_only
async def story(request: Request) -> Response:
    """A recorded run of the assets, by data set and file name."""
    dataset, name = request.path_params["dataset"], request.path_params["name"]
    offered = [*files.stories(), *files.lessons()]
    if not any((each["dataset"], each["name"]) == (dataset, name) for each in offered):
        return Response("There is no such recorded run.", 404)
    body = await run_in_threadpool(checked_bytes, dataset, name)
    return Response(body, media_type="application/octet-stream", headers=FOR_EVER)


@own_pages_only
async def record(request: Request) -> Response:
    """The record of a run that somebody has run here, by its SHA-256."""
    body = LIVE_RUNS.records.read(request.path_params["digest"])
    if body is None:
        return Response("This run is not kept any more. Run it again.", 404)
    return Response(body, media_type="application/octet-stream", headers=FOR_EVER)


class StageFiles(StaticFiles):
    """Files that the browser may keep for ever: their address changes with their content."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As Starlette's, for pages of this server alone."""
        if same_origin(HTTPConnection(scope)):
            await super().__call__(scope, receive, send)
        else:
            await Response(FOREIGN, 403)(scope, receive, send)

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        """As Starlette's, with a header for the cache."""
        response = super().file_response(*args, **kwargs)
        response.headers.update(FOR_EVER)
        return response


def routes() -> list[BaseRoute]:
    """The routes for `st.App`, below the base path that Streamlit is served at."""
    base = base_path()
    return [
        WebSocketRoute(f"{base}/run", socket),
        Route(f"{base}/run/file/{{kind}}", save, methods=["POST"]),
        Route(f"{base}/run/block", block, methods=["POST"]),
        Route(f"{base}/run/record/{{digest}}", record),
        Mount(f"{base}/stage/{files.DIGEST}", StageFiles(directory=files.BROWSER)),
        Route(f"{base}/stories/{{dataset}}/{{name}}", story),
    ]


def story_address(recorded: Mapping[str, str]) -> str:
    """Where the browser gets a recorded run that `files.stories` or `files.lessons` lists."""
    digest = recorded["sha256"][:12]
    return f"{base_path()}/stories/{recorded['dataset']}/{recorded['name']}?{digest}"


def record_address(digest: str) -> str:
    """Where the browser gets a record that `LiveRuns.record_of` names."""
    return f"{base_path()}/run/record/{digest}"


def base_path() -> str:
    """Streamlit's base path: empty, or such as "/red"."""
    path = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{path}" if path else ""

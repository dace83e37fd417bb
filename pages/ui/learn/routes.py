"""What the page Learn asks of the server beside Streamlit: its own modules, and G's weights."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route

from pages.ui.learn.generator_file import generator_digest, generator_file
from pages.ui.stage.files import LESSONS
from pages.ui.stage.routes import FOR_EVER, StageFiles, base_path, own_pages_only
from red_core.data.assets import AssetError

BROWSER = Path(__file__).parent / "browser"
DIGEST = hashlib.sha256(
    b"".join(path.read_bytes() for path in sorted(BROWSER.iterdir()))
).hexdigest()[:12]


@own_pages_only
async def generator(request: Request) -> Response:
    """The weights of G, for the browser to compute pictures from."""
    if request.path_params["dataset"] != LESSONS:
        return Response("There is no such generator.", 404)
    try:
        body = await run_in_threadpool(generator_file, LESSONS)
    except AssetError as error:
        return Response(f"The generator cannot be used: {error}.", 404)
    return Response(body, media_type="application/octet-stream", headers=FOR_EVER)


def generator_address() -> str:
    """Where the browser gets G's weights; it changes with them."""
    return f"{base_path()}/lessons/generator/{LESSONS}?{generator_digest(LESSONS)}"


def modules_address() -> str:
    """The folder of the page's own modules."""
    return f"{base_path()}/lessons/{DIGEST}"


def routes() -> list[BaseRoute]:
    """The routes for `st.App`, below the base path that Streamlit is served at."""
    return [
        Route(f"{base_path()}/lessons/generator/{{dataset}}", generator),
        Mount(modules_address(), StageFiles(directory=BROWSER)),
    ]

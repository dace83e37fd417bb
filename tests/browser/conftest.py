"""A server with the real trained parts, and a Chromium to look at it."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
PATIENCE = 180_000  # ms: a shared machine may be slow
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def find_chromium() -> str | None:
    named = os.environ.get("RED_CHROMIUM")
    names = ("chromium", "chromium-browser", "google-chrome")
    return named or next((found for name in names if (found := shutil.which(name))), None)


@dataclass(frozen=True)
class Server:
    url: str
    log: Path
    counted: Path
    pid: int

    def runs(self) -> int:
        """Live run threads."""
        return int(self.counted.read_text() or 0)


def wait_for(what: Callable[[], bool], seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)


def overhanging(page) -> list[str]:
    """What of the page's main part reaches over its right side."""
    assert page.locator("[data-testid=stMain]").count() == 1
    # A slider's knob at its end covers an input that nobody sees.
    return page.evaluate(
        """() => [...document.querySelectorAll("[data-testid=stMain] *:not([type=range])")]
           .filter((node) => {
             const box = node.getBoundingClientRect()
             return box.width > 0 && box.right > screen.width + 1
           }).map((node) => node.className || node.tagName)"""
    )


@contextmanager
def serving(command: list[str], port: int, log: Path) -> Iterator[int]:
    """A server that answers on `port`, until it is no longer needed; its process."""
    with log.open("w") as out:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            # Threads that spin for each other crawl where others compute too.
            # Every test wants a run of its own, unless it asks for earlier visitors' records.
            env={
                "RED_RECORD_MB": "0",
                **os.environ,
                "OMP_NUM_THREADS": "1",
                "PYTHONPATH": str(ROOT),
            },
            stdout=out,
            stderr=subprocess.STDOUT,
        )

    def healthy() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2)
        except OSError:
            return False
        return True

    try:
        wait_for(healthy, 120)
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def serving_app(folder: Path, **flags: Any) -> Iterator[Server]:
    """The whole app, with this process's environment; its log and its count in `folder`.

    flags: options of Streamlit's, such as server_port.
    """
    log, counted, port = folder / "log", folder / "count", free_port()
    command = [sys.executable, str(HERE / "serve.py"), str(port), str(counted), json.dumps(flags)]
    with serving(command, port, log) as pid:
        yield Server(f"http://localhost:{port}/", log, counted, pid)


def forget_measured(folder: Path, names: str) -> None:
    """Take the measured files of this pattern out of a data set's assets in `folder`."""
    manifest = folder / "manifest.json"
    entries = json.loads(manifest.read_text())
    for kept in folder.glob(names):
        if kept != manifest:
            entries.pop(kept.name, None)
            kept.unlink()
    manifest.write_text(json.dumps(entries))


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving_app(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Serve a page of this folder by its name; its address."""
    with ExitStack() as servers:

        def serve(name: str) -> str:
            port = free_port()
            page = [str(HERE / f"{name}.py"), "--server.port", str(port)]
            log = tmp_path_factory.mktemp("demo") / "log"
            servers.enter_context(
                serving([sys.executable, "-m", "streamlit", "run", *page], port, log)
            )
            return f"http://localhost:{port}/"

        yield serve


@pytest.fixture(scope="session")
def browser():
    path = find_chromium()
    if path is None:
        pytest.skip("no Chromium found: install one, or set RED_CHROMIUM to its path")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser):
    """Open an address, in a context of its own; errors in the browser fail the test."""
    contexts, errors = [], []

    def heard(message) -> None:
        # Streamlit looks for its server below the page's address before it looks at the root.
        looking = re.search(r"/\w+/_stcore/(health|host-config)$", message.location.get("url", ""))
        if message.type == "error" and not looking:
            errors.append(message.text)

    def open_at(address: str, **options):
        context = browser.new_context(**{"viewport": {"width": 1440, "height": 1000}, **options})
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", heard)
        page.goto(address)
        return page

    yield open_at
    for context in contexts:
        for page in context.pages:
            page.goto("about:blank")  # its sockets say goodbye; those of a closed context may not
        context.close()
    assert errors == []


@pytest.fixture
def open_page(visit, server: Server):
    """Open a page of the app (the main one, or `landscape` ...) at a query."""

    def open_at(query: str = "", *, path: str = "", **options):
        return visit(f"{server.url}{path}?{query}", **options)

    return open_at

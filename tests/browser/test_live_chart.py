"""The live chart in a real browser: one node, one library, no flicker, zoom and theme kept."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
# Follows the loss chart: its nodes, and the last step k of every redraw.
WATCH = """() => {
    const node = document.querySelector(".st-key-loss .red-live-chart");
    window.watched = { node, svg: node.querySelector(".main-svg"), steps: [] };
    node.on("plotly_afterplot", () => window.watched.steps.push(node.calcdata[0].length));
}"""
SAME = """() => {
    const node = document.querySelector(".st-key-loss .red-live-chart");
    return node === window.watched.node && node.querySelector(".main-svg") === window.watched.svg;
}"""


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The demo page, served."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", str(Path(__file__).parent)]
    command[-1] += "/live_chart_demo.py"
    server = subprocess.Popen(
        [*command, "--server.port", str(port)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.DEVNULL,
    )
    try:
        _until(lambda: _healthy(port), 60)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait(20)


def _healthy(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://localhost:{port}/_stcore/health", timeout=2):
            return True
    except OSError:
        return False


def _until(true: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        time.sleep(0.1)


class Visit:
    """A page that has drawn its charts, with what it asked for and warned about."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.warnings: list[str] = []
        self.requests: list[str] = []
        self.frames: list[int] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.warnings.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url))
        page.on("websocket", lambda socket: socket.on("framereceived", self._received))

    def _heard(self, message: Any) -> None:
        if message.type in ("error", "warning"):
            self.warnings.append(message.text)

    def _received(self, payload: bytes | str) -> None:
        self.frames.append(len(payload))

    def range(self) -> list[float]:
        """The x axis of the loss chart as it is shown."""
        return list(self.page.evaluate("window.watched.node._fullLayout.xaxis.range"))

    def length(self) -> int:
        """Steps that the loss chart shows."""
        return int(self.page.evaluate("window.watched.node.calcdata[0].length"))


@pytest.fixture
def visit(browser: Any, address: str) -> Iterator[Visit]:
    context = browser.new_context(viewport={"width": 1000, "height": 900}, color_scheme="light")
    visited = Visit(context.new_page())
    visited.page.goto(address)
    visited.page.wait_for_function(
        "document.querySelectorAll('.red-live-chart .main-svg').length >= 6", timeout=60_000
    )
    visited.page.evaluate(WATCH)
    yield visited
    context.close()


def test_one_node_for_ten_seconds_of_updates(visit: Visit, record_property: Any) -> None:
    heard = len(visit.frames)
    began = time.monotonic()
    visit.page.wait_for_timeout(10_000)
    seconds = time.monotonic() - began
    steps = visit.page.evaluate("window.watched.steps")
    drawn, made = len(set(steps)), steps[-1] - steps[0] + 1
    rate = drawn / seconds
    record_property("updates_per_second", round(rate, 2))
    print(f"live chart: {rate:.2f} updates a second, of 5 asked for")
    assert visit.page.evaluate(SAME), "the chart was mounted anew"
    assert steps == sorted(steps), "an older update was drawn after a newer one"
    # Of a busy machine no rate can be asked, but that it draws what the server sends.
    assert drawn >= 5
    assert drawn >= 0.8 * made, f"only {drawn} of {made} updates were drawn"
    assert visit.warnings == []
    assert max(visit.frames[heard:]) < 50_000, "an update carries more than its numbers"


def test_the_library_comes_once_and_from_here(visit: Visit, address: str) -> None:
    visit.page.wait_for_timeout(1500)
    assert sum("plotly.min.js" in url for url in visit.requests) == 1
    assert [url for url in visit.requests if not url.startswith((address, "blob:", "data:"))] == []
    assert visit.page.evaluate("document.querySelectorAll('.modebar-btn').length") == 0


def test_zoom_is_kept_and_can_be_undone(visit: Visit) -> None:
    box = visit.page.locator(".st-key-loss .nsewdrag").bounding_box()
    y = box["y"] + box["height"] / 2
    visit.page.mouse.move(box["x"] + 0.25 * box["width"], y)
    visit.page.mouse.down()
    for part in (0.3, 0.4, 0.5):  # slowly, through several updates
        visit.page.mouse.move(box["x"] + part * box["width"], y)
        visit.page.wait_for_timeout(300)
    visit.page.mouse.up()
    visit.page.wait_for_timeout(300)
    zoomed, shown = visit.range(), visit.length()
    assert zoomed == pytest.approx([100, 200], abs=6)
    _until_pumped(visit, lambda: visit.length() > shown + 3)
    assert visit.range() == zoomed
    assert visit.page.evaluate(SAME)
    visit.page.mouse.dblclick(box["x"] + 0.4 * box["width"], y)
    _until_pumped(visit, lambda: visit.range() == [0, 400])


def test_hover_stays_through_updates(visit: Visit) -> None:
    box = visit.page.locator(".st-key-loss .nsewdrag").bounding_box()
    visit.page.mouse.move(box["x"] + 2, box["y"] + box["height"] / 2)
    _until_pumped(visit, lambda: visit.page.locator(".st-key-loss .hoverlayer .legend").count() > 0)
    shown = visit.length()
    _until_pumped(visit, lambda: visit.length() > shown + 3)
    assert visit.page.locator(".st-key-loss .hoverlayer .legend").count() > 0


def test_width_and_theme_follow_the_page(visit: Visit) -> None:
    node = "document.querySelector('.st-key-loss .red-live-chart')"
    width, ink = f"{node}?._fullLayout?.width", f"{node}?._fullLayout?.font.color"
    line = f"{node}?._fullData?.[0].line.color"
    assert visit.page.evaluate(line) == "#39414b"
    light = visit.page.evaluate(ink)
    visit.page.set_viewport_size({"width": 390, "height": 800})
    _until_pumped(visit, lambda: visit.page.evaluate(width) < 390)
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 390
    visit.page.emulate_media(color_scheme="dark")
    _until_pumped(visit, lambda: visit.page.evaluate(line) == "#d3d7dc")
    assert visit.page.evaluate(ink) != light
    assert visit.page.evaluate(SAME), "the chart was mounted anew"
    assert visit.warnings == []


def _until_pumped(visit: Visit, true: Callable[[], bool], seconds: float = 20) -> None:
    """As `_until`, while the page's events keep being read."""
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "waited too long"
        visit.page.wait_for_timeout(100)

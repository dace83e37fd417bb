"""The page "Landscape", and the main page's, in a real browser."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, Server, overhanging
from tests.browser.stage import finished, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
SMALL = "family=example15&m=20"
SHORT = "solver.restarts=1&solver.start_steps=5&solver.steps=30&attack_steps=20"
# Data coordinates of a pixel of a contour chart, by its own axes.
INSIDE = """([key, x, y]) => {
    const node = document.querySelector(`.st-key-${key} .red-live-chart`)
    const box = node.getBoundingClientRect()
    const { xaxis, yaxis } = node._fullLayout
    return [xaxis.p2d(x - box.left - xaxis._offset), yaxis.p2d(y - box.top - yaxis._offset)]
}"""
# The last point of the path of a contour chart: the marker that moves.
HEAD = """(key) => {
    const data = document.querySelector(`.st-key-${key} .red-live-chart`)?.data ?? []
    const head = data.findLast((trace) => trace.name === "now")
    return head && head.x.length ? [head.x[0], head.y[0]] : null
}"""
RANGES = """(key) => {
    const { xaxis, yaxis } = document.querySelector(`.st-key-${key} .red-live-chart`)._fullLayout
    return [...xaxis.range, ...yaxis.range]
}"""
PATH = """(key) => {
    const node = document.querySelector(`.st-key-${key} .red-live-chart`)
    return JSON.stringify(node._fullData.find((trace) => trace.name === "path").x)
}"""
CAMERA = """() => {
    const node = document.querySelector(".st-key-tall .red-live-chart")
    return node._fullLayout.scene._scene.getCamera().eye
}"""

expect.set_options(timeout=PATIENCE)


def headline(page: Page, name: str = "landscape"):
    return page.locator(f".st-key-headline-{name} h2")


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button:visible").click()


def drawn(page: Page) -> Page:
    """The page, once it knows its basins."""
    expect(headline(page)).to_contain_text("start")
    page.wait_for_function(
        """() => ["above", "tall"].every((key) =>
             document.querySelector(`.st-key-${key} .red-live-chart`)?._fullData?.length > 1)"""
    )
    return page


def spot(page: Page, key: str, across: float, down: float) -> tuple[float, float]:
    chart = page.locator(f".st-key-{key} .red-live-chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def starts(page: Page) -> list[list[float]]:
    """The starts that the address holds."""
    text = page.evaluate("new URLSearchParams(location.search).get('starts')") or ""
    return [[float(part) for part in pair.split(",")] for pair in text.split(";") if pair]


def test_a_click_begins_a_path_there_and_it_arrives(open_page):
    page = drawn(open_page(SMALL, path="landscape"))
    expect(page.get_by_text("Click on a chart")).to_be_visible()
    x, y = spot(page, "above", 0.42, 0.33)
    page.mouse.click(x, y)
    expect(page.get_by_text("1 path:")).to_be_visible()
    assert starts(page) == [pytest.approx(page.evaluate(INSIDE, ["above", x, y]), abs=0.02)]
    expect(page.get_by_text("1 path: 1 at rest.")).to_be_visible()
    page.mouse.click(*spot(page, "tall", 0.5, 0.55))
    expect(page.get_by_text("2 paths: 2 at rest.")).to_be_visible()
    first, second = starts(page)
    assert first != second
    # Both end at the star.
    star = page.evaluate("""() => {
        const { data } = document.querySelector(".st-key-above .red-live-chart")
        const marks = data.find((trace) => trace.name === "stationary points")
        return [marks.x[0], marks.y[0]]
    }""")
    assert page.evaluate(HEAD, "above") == pytest.approx(star, abs=0.01)
    press(page, "landscape-clear")
    expect(page.get_by_text("Click on a chart")).to_be_visible()
    assert starts(page) == []


def test_a_path_is_seen_on_its_way(open_page):
    page = drawn(open_page("family=vandermonde&m=20&rate=0.1", path="landscape"))
    page.mouse.click(*spot(page, "above", 0.35, 0.25))
    expect(page.get_by_text("1 path: 1 moving.")).to_be_visible()
    page.wait_for_function(f"({HEAD})('above')")
    seen = set()
    for _ in range(12):
        seen.add(tuple(round(value, 4) for value in page.evaluate(HEAD, "above")))
        if len(seen) == 3:
            break
        page.wait_for_timeout(300)
    assert len(seen) == 3, seen
    press(page, "landscape-play")
    expect(page.get_by_text("1 path: 1 paused.")).to_be_visible()
    current = page.get_by_text("1 path: 1 paused.").inner_text()
    press(page, "landscape-step")
    expect(page.get_by_text("1 path: 1 paused.")).not_to_have_text(current)


def test_the_camera_stays_while_a_path_is_drawn(open_page):
    page = drawn(open_page(SMALL, path="landscape"))
    page.mouse.move(*spot(page, "tall", 0.5, 0.5))
    page.mouse.down()
    page.mouse.move(*spot(page, "tall", 0.62, 0.45), steps=5)
    page.mouse.up()
    page.wait_for_timeout(500)
    eye = page.evaluate(CAMERA)
    page.mouse.click(*spot(page, "above", 0.4, 0.3))
    expect(page.get_by_text("1 path: 1 at rest.")).to_be_visible()
    page.wait_for_timeout(1000)
    assert page.evaluate(CAMERA) == pytest.approx(eye, abs=1e-6)
    assert len(starts(page)) == 1, "turning the surface is no click"


def test_presets_show_what_they_promise(open_page):
    page = drawn(open_page("", path="landscape"))
    expect(headline(page)).to_have_text(
        "Every start ends at z*; there is no other stationary point."
    )
    page.get_by_role("radio", name="A trap").click()
    expect(headline(page)).to_contain_text(re.compile(r"\d+ of 625 starts end at"))
    expect(page.locator(".st-key-above").get_by_text("ends elsewhere")).to_be_visible()
    expect(page).to_have_url(re.compile("activation=relu"))
    expect(page.get_by_text("2 paths: 2 at rest.")).to_be_visible()
    page.get_by_role("radio", name="Figure 2").click()
    expect(headline(page)).to_contain_text("Every start ends at z*")
    expect(page.get_by_text("3 paths: 3 at rest.")).to_be_visible()


def test_a_slice_shows_what_each_place_looks_like_without_asking_the_server(open_page):
    page = open_page("show=image&index=7", path="landscape")
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(data)))
    page.reload()
    expect(headline(page)).to_contain_text("This plane shows")
    expect(page.get_by_text("is projected away")).to_be_visible()
    caption = page.locator(".st-key-pointed figcaption").first
    picture = page.locator(".st-key-pointed .picture").first
    expect(caption).to_contain_text("k = 140")
    page.wait_for_timeout(3000)  # the last of the slice has come
    before = len(sent)
    shown = picture.get_attribute("style")
    page.mouse.move(*spot(page, "slice-above", 0.7, 0.25))
    expect(caption).to_contain_text("Under the pointer")
    assert picture.get_attribute("style") != shown
    x, y = page.evaluate("""() => {
        const node = document.querySelector(".st-key-slice-above .red-live-chart")
        const path = node._fullData.find((trace) => trace.name === "path")
        const box = node.getBoundingClientRect()
        const { xaxis, yaxis } = node._fullLayout
        return [box.left + xaxis._offset + xaxis.d2p(path.x[0]),
                box.top + yaxis._offset + yaxis.d2p(path.y[0])]
    }""")
    page.mouse.move(x, y)
    expect(caption).to_contain_text("On the path")
    expect(caption).to_contain_text("k = 20")
    assert len(sent) == before, "hovering asks the server nothing"


def test_looking_back_along_a_slice_changes_the_landscape(open_page):
    page = open_page("show=image&index=7", path="landscape")
    expect(headline(page)).to_contain_text("This plane shows")
    heights = "document.querySelector('.st-key-slice-above .red-live-chart')?._fullData?.[0]?.z"
    page.wait_for_function(f"{heights}?.length === 49")
    last = page.evaluate(f"{heights}[3][0]")
    page.get_by_role("slider", name="Iterate k").press("Home")
    expect(page.locator(".st-key-pointed figcaption").first).to_contain_text("k = 20")
    page.wait_for_function(f"{heights}[3][0] !== {last}")
    before = page.evaluate(PATH, "slice-above")
    page.get_by_role("radio", name="Hessian").click()
    expect(page.get_by_text("largest eigenvalue")).to_be_visible()
    expect(page).to_have_url(re.compile("plane=hessian"))
    # The axes follow: Plotly would keep the first figure's where both have one scale.
    page.wait_for_function(
        """() => {
            const node = document.querySelector(".st-key-slice-above .red-live-chart")
            const { x, y, z } = node?._fullData?.[0] ?? {}
            if (x?.length !== 49 || z?.length !== 49) return false
            const { xaxis, yaxis } = node._fullLayout
            const ranges = [...xaxis.range, ...yaxis.range]
            const edges = [x[0], x[48], y[0], y[48]]
            const hessian = node._fullData.find((trace) => trace.name === "path").x
            return JSON.stringify(hessian) !== PATH &&
                edges.every((edge, i) => Math.abs(edge - ranges[i]) < 1e-5)
        }""".replace("PATH", repr(before))
    )


def test_a_point_of_the_main_pages_path_leads_to_its_moment(open_page):
    page = open_page(f"index=7&run=1&pace=full&{SHORT}")
    finished(page)
    x, y, place = page.locator(".stage").evaluate(
        """(root) => { const { plane } = root.stage
             const { x, y, place } = plane.path[0]
             const box = plane.canvas.node.getBoundingClientRect()
             return [box.left + x, box.top + y, place] }"""
    )
    page.mouse.click(x, y)
    until(page, lambda now: now["shown"] == str(place))
    expect(page.locator(".stage .count")).to_have_text("undoing, step 5")


def test_the_main_pages_run_can_be_cut_otherwise(open_page):
    page = open_page(f"index=7&run=1&{SHORT}")
    finished(page)
    page.get_by_role("link", name="Look at its landscape").click()
    expect(headline(page)).to_contain_text("This plane shows")
    expect(page).to_have_url(re.compile("show=run"))
    page.go_back()
    finished(page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", [SMALL, "show=image&index=7"])
def test_a_phone_shows_everything_and_a_tap_begins_a_path(open_page, scheme, query):
    page = open_page(query, path="landscape", color_scheme=scheme, **PHONE)
    if "show" in query:
        expect(headline(page)).to_contain_text("This plane shows")
    else:
        drawn(page)
        page.touchscreen.tap(*spot(page, "above", 0.45, 0.4))
        expect(page.get_by_text("1 path: 1 at rest.")).to_be_visible()
        assert len(starts(page)) == 1
    assert overhanging(page) == []


def test_the_servers_log_is_clean(server: Server):
    text = server.log.read_text()
    assert "Traceback" not in text, text
    assert not re.search(r"\b(WARNING|ERROR)\b", text), text

"""Clicks on a live chart in a real browser, by mouse and by finger, and a camera that stays."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
PHONE = {"viewport": {"width": 390, "height": 900}, "is_mobile": True, "has_touch": True}
TALL = "document.querySelector('.st-key-tall .red-live-chart')"
CAMERA = f"{TALL}._fullLayout.scene._scene.getCamera().eye"
LENGTH = f"{TALL}._fullData[1].x.length"

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def address(demo) -> str:
    return demo("live_click_demo")


def drawn(page: Page) -> Page:
    page.wait_for_function(
        "document.querySelector('.st-key-flat .red-live-chart')?._fullData?.length === 2 &&"
        "document.querySelector('.st-key-tall .red-live-chart')?._fullData?.length === 2"
    )
    return page


def spot(page: Page, key: str, across: float, down: float) -> tuple[float, float]:
    chart = page.locator(f".st-key-{key} .red-live-chart")
    chart.scroll_into_view_if_needed()
    box = chart.bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def clicks(page: Page, count: int) -> list[list[str]]:
    """What Python says of the clicks, once there are `count`: chart, trace, x, y, at, data."""
    said = page.get_by_text(re.compile(f"^clicks: {count}\\b"))
    expect(said).to_be_visible(timeout=30_000)
    return [line.split() for line in said.inner_text().splitlines()[1:]]


def settled(page: Page) -> None:
    """Time for a second report of the same click, if there were one."""
    page.wait_for_timeout(1500)


def inside(page: Page, x: float, y: float) -> tuple[float, float]:
    """Data coordinates of a pixel of the flat chart, by its own axes."""
    return tuple(
        page.evaluate(
            """([x, y]) => {
                const node = document.querySelector('.st-key-flat .red-live-chart')
                const box = node.getBoundingClientRect()
                const { xaxis: across, yaxis: up } = node._fullLayout
                const [left, top] = [x - box.left, y - box.top]
                return [across.p2d(left - across._offset), up.p2d(top - up._offset)]
            }""",
            [x, y],
        )
    )


def test_a_click_anywhere_on_a_contour_reaches_python_once(visit, address):
    page = drawn(visit(address))
    for count, place in enumerate([(0.41, 0.47), (0.33, 0.71), (0.62, 0.39)], start=1):
        x, y = spot(page, "flat", *place)
        page.mouse.click(x, y)
        last = clicks(page, count)[-1]
        assert last[:2] == ["flat", "loss"]
        assert [float(last[2]), float(last[3])] == pytest.approx(inside(page, x, y), abs=0.02)
        settled(page)
        clicks(page, count)


def test_two_quick_clicks_are_two_and_a_double_click_is_one(visit, address):
    page = drawn(visit(address))
    page.mouse.click(*spot(page, "flat", 0.4, 0.4))
    page.mouse.click(*spot(page, "flat", 0.6, 0.6))
    first, second = clicks(page, 2)
    assert float(first[2]) < float(second[2])
    page.mouse.dblclick(*spot(page, "flat", 0.5, 0.3))
    clicks(page, 3)
    settled(page)
    clicks(page, 3)


def test_a_drag_is_no_click(visit, address):
    page = drawn(visit(address))
    for key in ("flat", "tall"):
        page.mouse.move(*spot(page, key, 0.5, 0.5))
        page.mouse.down()
        page.mouse.move(*spot(page, key, 0.6, 0.6), steps=4)
        page.mouse.up()
    page.mouse.click(*spot(page, "flat", 0.4, 0.4))
    settled(page)
    assert len(clicks(page, 1)) == 1


def test_a_point_of_a_path_tells_which_it_is(visit, address):
    page = drawn(visit(address))
    x, y = page.evaluate("""() => {
        const node = document.querySelector('.st-key-flat .red-live-chart')
        const box = node.getBoundingClientRect()
        const { xaxis, yaxis } = node._fullLayout
        return [box.left + xaxis._offset + xaxis.d2p(1.5), box.top + yaxis._offset + yaxis.d2p(0)]
    }""")
    page.mouse.click(x + 2, y)
    (said,) = clicks(page, 1)
    assert said[:4] == ["flat", "path", "1.50", "0.00"]
    assert said[5] == "0"
    assert float(said[4]) == pytest.approx(inside(page, x + 2, y)[0], abs=0.02)


def test_a_click_on_a_surface_is_where_plotly_sees_the_pointer(visit, address):
    page = drawn(visit(address))
    page.evaluate("""() => {
        const node = document.querySelector('.st-key-tall .red-live-chart')
        node.on('plotly_hover', ({ points: [{ x, y }] }) => { window.under = { x, y } })
        node.on('plotly_unhover', () => { window.under = null })
    }""")
    count = 0
    for place in [(0.5, 0.3), (0.7, 0.42), (0.33, 0.4), (0.6, 0.35), (0.45, 0.4), (0.5, 0.5)]:
        page.evaluate("window.under = null")
        x, y = spot(page, "tall", *place)
        page.mouse.move(x - 3, y)
        page.mouse.move(x, y)
        settled(page)
        under = page.evaluate("window.under && [window.under.x, window.under.y]")
        if under is None or max(map(abs, under)) > 1.9:
            continue  # Plotly's answer reaches over the surface's edge
        page.mouse.click(x, y)
        count += 1
        said = clicks(page, count)[-1]
        assert said[0] == "tall"
        # Plotly's is the nearest point of a grid with 1/6 between two points.
        assert [float(said[2]), float(said[3])] == pytest.approx(under, abs=0.18)
    assert count >= 2
    settled(page)
    clicks(page, count)


def test_a_tap_reaches_python_once(visit, address):
    page = drawn(visit(address, **PHONE))
    x, y = spot(page, "flat", 0.4, 0.4)
    page.touchscreen.tap(x, y)
    (said,) = clicks(page, 1)
    assert [float(said[2]), float(said[3])] == pytest.approx(inside(page, x, y), abs=0.02)
    page.touchscreen.tap(*spot(page, "tall", 0.55, 0.6))
    assert clicks(page, 2)[-1][:2] == ["tall", "loss"]
    settled(page)
    clicks(page, 2)


def grown(page: Page, by: int = 4) -> None:
    """Wait until the chart has drawn `by` more steps of the path."""
    now = page.evaluate(LENGTH)
    page.wait_for_function(f"{LENGTH} >= {now + by}")


def turned(page: Page, eye: dict[str, float]) -> float:
    now = page.evaluate(CAMERA)
    return max(abs(now[name] - eye[name]) for name in eye)


def test_the_camera_stays_where_a_mouse_left_it(visit, address):
    page = drawn(visit(address))
    eye = page.evaluate(CAMERA)
    grown(page)
    assert turned(page, eye) < 1e-6
    page.mouse.move(*spot(page, "tall", 0.5, 0.5))
    page.mouse.down()
    current = page.evaluate(LENGTH)
    for part in (0.52, 0.55, 0.6, 0.66):  # slowly, through several updates
        page.mouse.move(*spot(page, "tall", part, 0.5))
        page.wait_for_timeout(300)
    assert page.evaluate(LENGTH) == current, "nothing is redrawn under a pressed pointer"
    on_the_way = page.evaluate(CAMERA)
    page.mouse.up()
    assert turned(page, eye) > 0.1
    grown(page)
    assert turned(page, on_the_way) < 0.05
    left = page.evaluate(CAMERA)
    grown(page)
    assert turned(page, left) < 1e-6


def test_the_camera_stays_where_a_finger_left_it(visit, address):
    page = drawn(visit(address, **PHONE))
    eye = page.evaluate(CAMERA)
    x, y = spot(page, "tall", 0.5, 0.5)
    touch = page.context.new_cdp_session(page)

    def finger(kind: str, *points: tuple[float, float]) -> None:
        places = [{"x": across, "y": down} for across, down in points]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

    finger("touchStart", (x, y))
    for step in range(1, 9):
        finger("touchMove", (x + 8 * step, y))
        page.wait_for_timeout(100)
    finger("touchEnd")
    assert turned(page, eye) > 0.1, "a finger turns the surface"
    grown(page)
    left = page.evaluate(CAMERA)
    assert turned(page, eye) > 0.1, "the update has not turned it back"
    grown(page)
    assert turned(page, left) < 1e-6
    settled(page)
    assert page.get_by_text(re.compile("^clicks: 0")).count() == 1

"""The stage in a real browser: run, step, scrub, and what of it fits which screen."""

from __future__ import annotations

import io

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import overhanging
from tests.browser.stage import (
    LONG,
    SHORT,
    finished,
    line,
    paused,
    press,
    ready,
    saved,
    shown,
    until,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


SIZES = [(1440, 900), (1366, 768), (1280, 720)]


def test_pause_step_resume_stop_and_scrub(open_page):
    page = open_page(f"index=12&attack=l1&pace=full&{LONG}")
    ready(page)
    press(page, "step-both")
    until(page, lambda now: now["state"] == "paused" and int(now["records"]) > 20)
    expect(page.locator(".stage .count")).to_have_text("start, step 1")
    count = int(until(page, lambda now: now["shown"] == str(int(now["records"]) - 1))["records"])
    page.keyboard.press("z")
    until(page, lambda now: int(now["records"]) == count + 1)
    expect(page.locator(".stage .count")).to_have_text("start, step 2")
    expect(page.locator("[data-act=step-c_a]")).to_be_disabled()
    press(page, "primary")
    until(page, lambda now: now["state"] == "running" and int(now["records"]) > count + 20)
    press(page, "primary")
    count = paused(page)
    page.wait_for_timeout(1000)
    assert int(shown(page)["records"]) == count, "a paused run does not move"
    press(page, "step-c_a")
    until(page, lambda now: int(now["records"]) == count + 1)
    page.keyboard.press("x")
    until(page, lambda now: now["state"] == "stopped")
    finished(page)
    expect(line(page)).to_contain_text("Stopped early.")

    slider = page.get_by_role("slider", name="Moment of the run")
    slider.focus()
    page.keyboard.press("Home")
    until(page, lambda now: now["shown"] == "0")
    expect(line(page)).to_contain_text("Making the attack")
    page.keyboard.press("ArrowRight")
    until(page, lambda now: now["shown"] == "1")
    page.keyboard.press("End")
    finished(page)
    page.keyboard.press("t")
    expect(page.locator("[data-act=truth]")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("img", name="δ, truth: the attack")).to_be_visible()


def test_pointing_at_a_frame_goes_to_its_moment(open_page):
    page = open_page(f"index=7&run=1&pace=full&{SHORT}")
    finished(page)
    canvas = page.locator(".stage .frames canvas")
    canvas.click(position={"x": 40, "y": 20})
    found = until(page, lambda now: now["shown"] != str(int(now["records"]) - 1))
    assert "step 0" in page.locator(".stage .count").inner_text(), found
    curves = page.locator(".stage .curves canvas")
    width = curves.bounding_box()["width"]
    curves.click(position={"x": width - 1, "y": 30})
    finished(page)


def test_nothing_moves_and_the_whole_stage_fits_the_screen(open_page):
    """Before, during and after a run, at a laptop's sizes and a projector's, nothing to scroll."""
    parts = ("headline", "pictures", "verdict", "frames", "blocks", "curves", "plane", "transport")

    def places(page: Page) -> dict[str, list[float]]:
        return page.locator(".stage").evaluate(
            """(root, names) => Object.fromEntries(names.map((name) => {
                 const box = root.querySelector(`.${name}`).getBoundingClientRect()
                 return [name, [box.x, box.y, box.right, box.bottom].map(Math.round)]
               }))""",
            list(parts),
        )

    for number, (width, height) in enumerate(SIZES):
        page = open_page(
            f"index={number + 3}&pace=full&{SHORT}",
            viewport={"width": width, "height": height},
            color_scheme="dark" if number else "light",
        )
        ready(page)
        page.wait_for_timeout(500)
        before = places(page)
        for name, (left, top, right, bottom) in before.items():
            assert left >= 0, (name, before)
            assert top >= 0, (name, before)
            assert right <= width, (name, before)
            assert bottom <= height, (name, before)
        press(page, "primary")
        until(page, lambda now: int(now["records"]) > 5)
        assert places(page) == before
        finished(page)
        assert places(page) == before
        for name in ("verdict", "pictures"):
            hidden = page.locator(f".stage .{name}").evaluate(
                """(node) => [node.scrollHeight - node.clientHeight,
                            node.scrollWidth - node.clientWidth]"""
            )
            assert max(hidden) <= 1, f"{name} is cut off at {width} x {height}"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_what_matters_on_its_first_screen(open_page, scheme):
    page = open_page(
        f"index=7&run=1&{SHORT}",
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        color_scheme=scheme,
    )
    finished(page)
    assert overhanging(page) == []
    for name in ("headline", "pictures", "transport"):
        box = page.locator(f".stage .{name}").bounding_box()
        assert box["y"] + box["height"] <= 844, name


def test_the_pictures_are_those_of_the_run(open_page):
    """The equation holds on the screen: x' on the canvas is G(z) + D_a c_a + rest of the file."""
    page = open_page(f"index=7&run=1&pace=full&{SHORT}")
    finished(page)
    path = np.load(io.BytesIO(saved(page, "npz")))
    drawn = page.locator(".stage .pictures").evaluate(
        """(node) => [...node.querySelectorAll("canvas")].slice(0, 2).map((canvas) => {
             const data = canvas.getContext("2d").getImageData(0, 0, 28, 28).data
             return Array.from({ length: 784 }, (_, i) => data[4 * i])
           })"""
    )
    for name, pixels in zip(("attacked", "signal"), drawn, strict=True):
        wanted = path[name].clip(0, 1).flatten() * 255
        assert np.abs(np.array(pixels) - wanted).max() <= 1, name


def test_a_paint_is_a_change_on_the_screen(open_page):
    page = open_page(f"index=7&{SHORT}")
    ready(page)
    press(page, "step-both")
    until(page, lambda now: now["shown"] == str(int(now["records"]) - 1) and now["records"] != "0")
    canvas = page.locator(".stage .pictures")
    before, paints = canvas.screenshot(), int(shown(page)["paints"])
    page.wait_for_timeout(600)
    assert int(shown(page)["paints"]) == paints
    assert canvas.screenshot() == before
    press(page, "step-z")
    until(page, lambda now: int(now["paints"]) > paints)
    assert canvas.screenshot() != before


@pytest.mark.parametrize("width", [1440, 1366, 1280, 390])
def test_nothing_lies_over_the_files_that_are_offered(open_page, width: int) -> None:
    page = open_page(SHORT, viewport={"width": width, "height": 800})
    ready(page)
    page.locator(".stage .save summary").click()
    covered = page.locator(".stage .menu button").evaluate_all(
        """(buttons) => buttons.filter((button) => {
             const { left, right, top, bottom } = button.getBoundingClientRect()
             const middle = (top + bottom) / 2
             return [left + 2, (left + right) / 2, right - 2]
               .some((x) => button.getRootNode().elementFromPoint(x, middle) !== button)
           }).map((button) => button.textContent)"""
    )
    assert covered == []
    assert page.locator(".stage .menu button").count() == 7

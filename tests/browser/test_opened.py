"""Every element of the stage opens: a pixel, a block of the code, a bar of the verdict."""

from __future__ import annotations

import io

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.stage import SHORT, finished, press, saved, shown, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

expect.set_options(timeout=PATIENCE)


def opened(page: Page, kind: str):
    panel = page.locator(f".stage .inspect[data-kind={kind}]")
    expect(panel).to_be_visible()
    return panel


def number(page: Page, part: str) -> float:
    text = page.locator(f".stage .inspect tr[data-part={part}] td").inner_text()
    return float(text.replace("−", "-"))


def test_a_pixel_a_block_and_the_verdicts_bars_open_and_close(open_page):
    page = open_page(f"index=7&run=1&pace=full&{SHORT}")
    finished(page)
    path = np.load(io.BytesIO(saved(page, "npz")))

    canvas = page.locator(".stage .pictures canvas").first
    side = canvas.bounding_box()["width"] / 28
    canvas.click(position={"x": 14.5 * side, "y": 9.5 * side})
    panel = opened(page, "pixel")
    expect(panel.locator("h3")).to_have_text("Pixel in row 10, column 15")
    for part, name in (
        ("observed", "attacked"),
        ("image", "signal"),
        ("explained", "perturbation"),
    ):
        wanted = float(path[name].reshape(28, 28)[9, 14])
        assert number(page, part) == pytest.approx(np.clip(wanted, -1, 1), abs=0.011), part
    whole = number(page, "image") + number(page, "explained") + number(page, "rest")
    assert number(page, "observed") == pytest.approx(whole, abs=0.03)
    spot = page.locator(".stage .pictures .spot").first.bounding_box()
    box = canvas.bounding_box()
    assert spot["x"] <= box["x"] + 14.5 * side <= spot["x"] + spot["width"]
    assert spot["y"] <= box["y"] + 9.5 * side <= spot["y"] + spot["height"]
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    expect(page.locator(".stage .pictures .spot").first).to_be_hidden()

    energy = path["path_block_energy"][-1]
    label, attack = np.unravel_index(energy.argmax(), energy.shape)
    blocks = page.locator(".stage .blocks canvas")
    size = blocks.bounding_box()
    width, height = (size["width"] - 26) / 10, (size["height"] - 16) / 3
    where = {"x": 26 + (label + 0.5) * width, "y": (attack + 0.5) * height}
    blocks.click(position=where)
    panel = opened(page, "block")
    expect(panel).to_have_attribute("data-block", f"{label} {attack} 35")
    expect(panel.locator("p").first).to_contain_text(f"{energy.max():.3f}, rank 1 of 30")
    assert 1 <= panel.locator(".columns:not(.sum) canvas").count() <= 6
    press(page, "loop")  # the panel stays while something else is pressed
    expect(panel).to_be_visible()

    page.get_by_role("group", name="How sure of the picture").get_by_role("button").click()
    panel = opened(page, "picture")
    expect(panel.locator("tbody tr")).to_have_count(10)
    page.get_by_role("group", name="How sure of the attack").get_by_role("button").click()
    panel = opened(page, "attack")
    expect(panel.locator("td")).to_have_count(30)
    expect(panel.locator("td.bold")).to_have_count(1)
    expect(panel.locator(".certificate")).to_have_count(2)
    minimum, gap = panel.locator(".certificate").all()
    expect(minimum).to_contain_text("At the minimum over cₐ for this G(z) the least lengths are")
    expect(gap).to_contain_text("The duality gap, a bound on how far the objective is above")
    panel.get_by_role("button", name="Close").click()
    expect(panel).to_be_hidden()


def test_a_recorded_run_says_what_it_does_not_hold(open_page):
    page = open_page("lesson=lambda&step=1", path="learn")
    until(page, lambda now: "lesson-both" in now.get("presented", ""))
    blocks = page.locator(".stage .blocks canvas")
    blocks.click(position={"x": 60, "y": 20})
    panel = opened(page, "block")
    expect(panel).to_contain_text("Run it yourself")
    assert shown(page)["state"] == "recorded"

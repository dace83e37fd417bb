"""The main page in a real browser, with the real trained parts and a short solver."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.conftest import PATIENCE, Server, overhanging, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SHORT = "solver.restarts=1&solver.start_steps=5&solver.steps=30&attack_steps=20"
LONG = "solver.restarts=1&solver.start_steps=5&solver.steps=3000&attack_steps=20"

expect.set_options(timeout=PATIENCE)


def headline(page: Page, act: int):
    return page.locator(f".st-key-headline-{act} h2")


def press(page: Page, key: str) -> None:
    button = page.locator(f".st-key-{key} button:visible")
    try:
        button.click()
    except PlaywrightTimeout as error:  # say what the page stood at: CI keeps no picture
        row = page.locator(".st-key-transport").inner_text()
        raise AssertionError(
            f"{key} not pressed; {headline(page, 2).inner_text()}; {row}"
        ) from error


def finished(page: Page) -> None:
    expect(headline(page, 2)).to_contain_text("Finished")
    expect(headline(page, 3)).not_to_contain_text("when the run ends")
    expect(page.get_by_text("Smallest μ on the path:")).to_be_visible()
    if page.viewport_size["width"] > 500:  # a phone hides the sidebar
        expect(page.get_by_role("button", name="JSON", exact=True)).to_be_enabled()


def saved(page: Page, label: str) -> bytes:
    with page.expect_download() as download:
        page.locator("section[data-testid=stSidebar]").get_by_role(
            "button", name=label, exact=True
        ).click()
    return download.value.path().read_bytes()


def choose(page: Page, label: str, option: str) -> None:
    """Choose in a selectbox, opened anew where a redraw closed its list before the click."""
    box, wanted = page.get_by_role("combobox", name=re.compile(label)), page.get_by_role("option")
    for _ in range(5):
        box.click()
        try:
            wanted.get_by_text(option, exact=True).click(timeout=8000)
            return
        except PlaywrightTimeout:
            page.keyboard.press("Escape")
    raise AssertionError(f"{label} never offered {option}")


def test_craft_run_export_and_repeat_from_the_link(open_page):
    page = open_page(f"index=7&attack=linf&{SHORT}")
    expect(headline(page, 1)).to_contain_text("A 7")
    expect(headline(page, 2)).to_contain_text("Not run yet")
    empty = page.locator(".st-key-frames img").get_attribute("src")
    press(page, "run-button")
    expect(page.locator(".st-key-frames img")).not_to_have_attribute("src", empty)
    finished(page)
    assert "run=1" in page.url

    report = json.loads(saved(page, "JSON"))
    assert report["true_label"] == 7
    assert report["steps"] == 35
    assert f"It was a {report['signal_label']}" in headline(page, 3).inner_text() or (
        report["signal_label"] != 7
    )
    assert Image.open(io.BytesIO(saved(page, "PNG"))).format == "PNG"
    film = Image.open(io.BytesIO(saved(page, "GIF")))
    assert film.format == "GIF"
    assert film.n_frames > 10
    path = np.load(io.BytesIO(saved(page, "NPZ")))
    assert path["path_z"].shape == (36, 100)
    parts = path["signal"] + path["perturbation"] + path["residual"]
    assert np.allclose(parts, path["attacked"], atol=1e-5)

    again = open_page(page.url.split("?", 1)[1])
    finished(again)
    repeated = json.loads(saved(again, "JSON"))
    assert np.allclose(repeated["residuals"], report["residuals"], rtol=1e-4)
    assert headline(again, 3).inner_text() == headline(page, 3).inner_text()
    other = np.load(io.BytesIO(saved(again, "NPZ")))
    assert np.allclose(other["path_z"], path["path_z"], rtol=1e-4, atol=1e-4)


def test_pause_step_resume_stop_and_scrub(open_page):
    page = open_page(f"index=12&attack=l1&{LONG}")
    press(page, "step-both")
    expect(headline(page, 2)).to_contain_text(re.compile(r"Paused: step\s+1 of 3005"))
    press(page, "step-z")
    expect(headline(page, 2)).to_contain_text(re.compile(r"step\s+2 of"))
    press(page, "run-button")
    expect(headline(page, 2)).to_contain_text("Alternating")
    press(page, "run-button")
    expect(headline(page, 2)).to_contain_text("Paused")
    page.wait_for_timeout(1500)  # the step in flight when a run is paused is still finished
    current = headline(page, 2).inner_text()
    press(page, "step-c_a")
    expect(headline(page, 2)).not_to_have_text(current)
    page.wait_for_timeout(1500)
    current = headline(page, 2).inner_text()
    assert "Paused" in current
    page.wait_for_timeout(1500)
    assert headline(page, 2).inner_text() == current, "a paused run does not move"

    page.keyboard.press("t")
    expect(headline(page, 2)).to_contain_text("Stopped")
    expect(headline(page, 3)).to_contain_text("Stopped early.")
    caption = page.locator(".st-key-equation-3").get_by_text("the signal at k")
    last = caption.inner_text()
    page.get_by_role("slider", name="Iterate k").press("Home")
    expect(caption).to_have_text("the signal at k = 0")
    press(page, "forward")
    expect(caption).to_have_text("the signal at k = 1")
    page.get_by_role("slider", name="Iterate k").press("End")
    expect(caption).to_have_text(last)


def test_nothing_jumps_while_a_run_goes_on(open_page):
    page = open_page(f"index=3&{SHORT}")
    expect(page.locator(".st-key-residuals .red-live-chart .main-svg").first).to_be_visible()
    keys = [
        *("headline-1", "equation-1", "bars", "headline-2", "transport", "frames", "energies"),
        *("landscape", "landscape-line", "loss", "mu"),
        *("headline-3", "equation-3", "margins", "residuals"),
    ]

    def places() -> dict[str, tuple[float, float]]:
        boxes = {key: page.locator(f".st-key-{key}").first.bounding_box() for key in keys}
        return {key: (round(box["y"]), round(box["height"])) for key, box in boxes.items()}

    before = places()
    press(page, "run-button")
    expect(headline(page, 2)).not_to_contain_text("Not run yet")
    assert places() == before
    finished(page)
    assert places() == before


def test_two_sessions_run_at_once_without_crosstalk(open_page):
    brief = SHORT.replace("steps=30", "steps=10")
    one = open_page(f"index=7&attack=linf&seed=1&{brief}")
    other = open_page(f"index=2&attack=l2&seed=2&{brief}")
    idle = open_page(f"index=7&attack=linf&seed=1&{brief}")
    for page in (one, other, idle):
        expect(headline(page, 2)).to_contain_text("Not run yet")
    press(one, "run-button")
    press(other, "run-button")
    finished(one)
    finished(other)
    first, second = json.loads(saved(one, "JSON")), json.loads(saved(other, "JSON"))
    assert (first["settings"]["attack"], first["settings"]["index"]) == ("linf", 7)
    assert (second["settings"]["attack"], second["settings"]["index"]) == ("l2", 2)
    expect(headline(idle, 2)).to_contain_text("Not run yet")


def test_closing_the_tab_ends_its_run_and_no_other(open_page, server: Server):
    wait_for(lambda: server.runs() == 0)
    closing, staying = (open_page(f"index={index}&run=1&{LONG}") for index in (4, 5))
    for page in (closing, staying):
        expect(headline(page, 2)).to_contain_text(re.compile("Alternating|Waiting"))
    wait_for(lambda: server.runs() == 2)
    closing.close()
    wait_for(lambda: server.runs() == 1)
    step = headline(staying, 2).inner_text()
    expect(headline(staying, 2)).not_to_have_text(step)
    staying.context.close()
    wait_for(lambda: server.runs() == 0)


def test_a_link_out_of_range_is_named_and_the_rest_stands(open_page):
    page = open_page(f"index=99999&eps=-1&seed=5&solver.steps=9999999&{SHORT.split('&', 3)[3]}")
    warnings = page.get_by_test_id("stAlert")
    expect(warnings).to_have_count(3)
    expect(page.get_by_role("spinbutton", name=re.compile("Seed"))).to_have_value("5")
    expect(headline(page, 1)).to_contain_text("read as")
    expect(page).to_have_url(re.compile("seed=5"))


def test_files_that_are_no_digit_are_refused_and_a_good_one_is_taken(open_page):
    page = open_page(SHORT)
    expect(headline(page, 1)).to_contain_text("read as")
    before = headline(page, 1).inner_text()
    choose(page, "Source", "Upload a picture")
    chooser = page.locator("input[type=file]")
    chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no image"})
    expect(page.get_by_text("a.png is no PNG, JPEG or WebP image")).to_be_visible()
    assert headline(page, 1).inner_text() == before, "the example stays until there is an image"
    nan = io.BytesIO()
    np.savez(nan, image=np.full((28, 28), np.nan))
    chooser.set_input_files({"name": "n.npz", "mimeType": "application/zip",
                             "buffer": nan.getvalue()})  # fmt: skip
    expect(page.get_by_text("n.npz holds NaN or infinite pixels")).to_be_visible()

    stroke = Image.new("RGB", (80, 100), "white")
    stroke.paste("black", (36, 10, 46, 90))
    good = io.BytesIO()
    stroke.save(good, "PNG")
    chooser.set_input_files({"name": "one.png", "mimeType": "image/png",
                             "buffer": good.getvalue()})  # fmt: skip
    expect(page.get_by_text("inverted: the background was bright")).to_be_visible()
    expect(headline(page, 1)).to_contain_text("Your image")
    expect(page).to_have_url(re.compile("source=own.*image=b"))
    again = open_page(page.url.split("?", 1)[1])
    expect(headline(again, 1)).to_have_text(headline(page, 1).inner_text())


def test_a_digit_can_be_drawn(open_page):
    page = open_page(f"attack=none&{SHORT}")
    choose(page, "Source", "Draw a digit")
    canvas = page.locator("canvas[aria-label='Draw a digit here']")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    x, top, low = box["x"] + box["width"] / 2, box["y"] + 20, box["y"] + box["height"] - 20
    page.mouse.move(x, top)
    page.mouse.down()
    page.mouse.move(x, low, steps=8)
    page.mouse.up()
    expect(page.get_by_text("centred by its centre of mass")).to_be_visible()
    expect(headline(page, 1)).to_contain_text("Your image, left as it is: read as a 1")


def test_a_thumbnail_chooses_its_digit(open_page):
    page = open_page(SHORT)
    page.get_by_role("button", name=re.compile(r"^5, example \d+$")).first.wait_for(state="hidden")
    page.get_by_test_id("stSidebar").get_by_role("radio", name="5", exact=True).click()
    thumbnail = page.get_by_role("button", name=re.compile(r"^5, example \d+$")).nth(2)
    index = thumbnail.get_attribute("value")
    thumbnail.click()
    expect(headline(page, 1)).to_contain_text("A 5")
    expect(page).to_have_url(re.compile(f"index={index}(&|$)"))


def test_another_data_set_is_picked_attacked_and_judged(open_page):
    page = open_page(f"index=9&attack=linf&{SHORT}")
    expect(headline(page, 1)).to_contain_text("A 9")
    page.get_by_role("radio", name="Fashion-MNIST").click()
    expect(headline(page, 1)).to_contain_text("An ankle boot, now read as a")
    expect(page).to_have_url(re.compile("dataset=fashion.*index=9"))
    expect(page.get_by_role("button", name="ankle boot, example 9", exact=True)).to_be_visible()
    press(page, "run-button")
    finished(page)
    expect(headline(page, 3)).to_contain_text("ankle boot")
    report = json.loads(saved(page, "JSON"))
    assert report["settings"]["dataset"] == "fashion"
    assert report["true_label"] == 9

    choose(page, "Source", "Upload a picture")
    dress = Image.new("RGB", (200, 240), "white")
    dress.paste("black", (80, 20, 120, 100))
    dress.paste("black", (60, 100, 140, 220))
    good = io.BytesIO()
    dress.save(good, "PNG")
    page.locator("input[type=file]").set_input_files(
        {"name": "dress.png", "mimeType": "image/png", "buffer": good.getvalue()}
    )
    expect(page.get_by_text("longest edge scaled to 28 pixels")).to_be_visible()
    expect(headline(page, 1)).to_contain_text("Your image")
    page.get_by_role("radio", name="MNIST", exact=True).click()
    expect(page.get_by_text("centred by its centre of mass")).to_be_visible()
    expect(page).to_have_url(re.compile("source=own"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(open_page, scheme):
    page = open_page(
        f"index=7&run=1&{SHORT}",
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        color_scheme=scheme,
    )
    finished(page)
    assert overhanging(page) == []


def test_the_servers_log_is_clean(server: Server):
    text = server.log.read_text()
    assert "Traceback" not in text, text
    assert not re.search(r"\b(WARNING|ERROR)\b", text), text

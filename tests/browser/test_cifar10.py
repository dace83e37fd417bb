"""CIFAR-10 in a real browser: real trained parts, a short solver, and nothing downloaded."""

from __future__ import annotations

import io
import json
import re
import shutil
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from red_core.data.assets import assets_root
from red_core.data.datasets import CLASSES
from tests.browser.conftest import (
    PATIENCE,
    Server,
    forget_measured,
    overhanging,
    serving_app,
)
from tests.browser.stage import choose, finished, line, press, ready, saved, until

NAMES = CLASSES["cifar10"]
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
COLOUR = "dataset=cifar10&attack_steps=10"
SHORT = f"{COLOUR}&solver.start_steps=3&solver.steps=12"
ROUNDS = f"{COLOUR}&preset=bsd-dp&solver.steps=3&solver.inner=5"
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose data root is empty, and where no table of CIFAR-10 is measured."""
    folder = tmp_path_factory.mktemp("colour")
    for dataset in ("mnist", "cifar10"):
        shutil.copytree(assets_root() / dataset, folder / "assets" / dataset)
    forget_measured(folder / "assets" / "cifar10", "*.json")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RED_ASSETS", str(folder / "assets"))
        patch.setenv("RED_DATA", str(folder / "no-data"))
        with serving_app(folder) as running:
            yield running


def test_run_scrub_save_and_repeat_from_the_link(open_page):
    page = open_page(f"index=3&attack=linf&pace=full&{SHORT}")
    ready(page)
    expect(line(page)).to_contain_text("This is a cat")
    press(page, "primary")
    finished(page)
    page.keyboard.press("Home")
    until(page, lambda now: now["shown"] == "0")
    expect(line(page)).to_contain_text("Making the attack")
    page.keyboard.press("End")
    finished(page)

    report = json.loads(saved(page, "json"))
    assert report["settings"]["dataset"] == "cifar10"
    assert (report["true_label"], report["steps"]) == (3, 15)
    assert NAMES[report["signal_label"]] in line(page).inner_text()
    picture = Image.open(io.BytesIO(saved(page, "png")))
    assert picture.format == "PNG"
    assert np.ptp(np.asarray(picture.convert("RGB")), axis=2).mean() > 10, "it is in colour"
    assert Image.open(io.BytesIO(saved(page, "gif"))).n_frames > 10
    path = np.load(io.BytesIO(saved(page, "npz")))
    parts = ("signal", "perturbation", "residual")
    for name in ("image", "attacked", *parts):
        assert path[name].shape == (3, 32, 32)
    assert path["path_image"].shape == (16, 3, 32, 32)
    assert np.allclose(sum(path[name] for name in parts), path["attacked"], atol=1e-5)

    again = open_page(f"{page.url.split('?', 1)[1]}&run=1")
    finished(again)
    other = np.load(io.BytesIO(saved(again, "npz")))
    assert np.allclose(other["path_image"], path["path_image"], atol=1e-3)
    assert line(again).inner_text() == line(page).inner_text()


def test_photographs_come_first_with_their_licence_and_take_a_link(open_page):
    page = open_page(f"attack=none&{SHORT}")
    expect(line(page)).to_contain_text("This is an airplane")
    sidebar = page.get_by_test_id("stSidebar")
    licence = sidebar.get_by_text("GPL-2 (tuxpaint-stamps-default)")
    drawn = sidebar.get_by_text("drawn by our generator; they are no photographs")
    above, below = licence.bounding_box(), drawn.bounding_box()
    assert above is not None
    assert below is not None
    assert above["y"] < below["y"]
    sidebar.get_by_role("radio", name="cat", exact=True).click()
    expect(line(page)).to_contain_text("This is a cat")
    thumbnail = page.get_by_role("button", name=re.compile(r"^cat, photograph \d+$")).nth(1)
    index = thumbnail.get_attribute("value")
    thumbnail.click()
    expect(page).to_have_url(re.compile(f"source=photograph.*index={index}(&|$)"))
    again = open_page(page.url.split("?", 1)[1])
    expect(line(again)).to_contain_text("This is a cat")
    marked = again.get_by_role("button", name=f"cat, photograph {index}", exact=True)
    expect(marked).to_have_attribute("aria-pressed", "true")


def test_a_run_that_takes_long_says_so_beside_its_button(open_page):
    page = open_page("dataset=cifar10&attack_steps=10&preset=paper&solver.steps=5000")
    ready(page)
    takes = page.locator(".stage .transport .takes")
    said = re.compile(r"^Takes about \d+ (seconds|minutes?|hours?) on this machine\.$")
    expect(takes).to_have_text(said)
    short = open_page(f"index=3&{SHORT}")
    ready(short)
    expect(short.locator(".stage .transport .takes")).to_be_hidden()


def test_the_gallery_says_who_drew_it_and_offers_the_photographs(open_page, server: Server):
    page = open_page(f"index=3&attack=none&{SHORT}")
    sidebar = page.get_by_test_id("stSidebar")
    expect(sidebar.get_by_text("drawn by our generator; they are no photographs")).to_be_visible()
    offer = sidebar.get_by_role("button", name="Download CIFAR-10 (170 MB)")
    expect(offer).to_be_enabled()
    sidebar.get_by_role("radio", name="frog", exact=True).click()
    thumbnail = page.get_by_role("button", name=re.compile(r"^frog, example \d+$")).nth(1)
    index = thumbnail.get_attribute("value")
    thumbnail.click()
    expect(line(page)).to_contain_text("This is a frog")
    expect(page).to_have_url(re.compile(f"index={index}(&|$)"))
    expect(offer).to_be_enabled()
    assert not (server.log.parent / "no-data").exists(), "nothing is fetched before it is asked for"


def test_a_diffusion_model_in_the_place_of_g_gives_rounds_and_a_verdict(open_page):
    page = open_page(f"index=4&attack=l2&run=1&{ROUNDS}")
    finished(page)
    report = json.loads(saved(page, "json"))
    assert (report["settings"]["preset"], report["steps"]) == ("bsd-dp", 4)
    assert NAMES[report["signal_label"]] in line(page).inner_text()
    path = np.load(io.BytesIO(saved(page, "npz")))
    assert path["path_image"].shape == (5, 3, 32, 32)
    moved = np.abs(np.diff(path["path_image"], axis=0)).max((1, 2, 3))
    assert moved.min() > 0, "every round makes a frame of its own"


def test_methods_answer_side_by_side(open_page):
    page = open_page(f"index=5&attack=l1&{COLOUR}&methods=cnn,dp,bsd-dp&run=1", path="compare")
    expect(page.locator(".st-key-headline-compare h2")).to_contain_text("is read right by")
    expect(page.get_by_text("The main page offers CIFAR-10's own.")).to_be_visible()
    for title in ("CNN", "DiffPure", "BSD-DP"):
        card = page.get_by_role("article", name=title, exact=True)
        expect(card).to_contain_text(re.compile(r"signal\s*\w+\s*. (right|wrong)"))


def test_a_run_is_cut_by_a_plane_of_w_plus(open_page):
    page = open_page(f"index=6&run=1&{SHORT}")
    finished(page)
    page.get_by_role("link", name="Look at its landscape").click()
    expect(page.locator(".st-key-headline-landscape h2")).to_contain_text("This plane shows")
    expect(page).to_have_url(re.compile("show=run"))
    page.wait_for_function(
        "document.querySelector('.st-key-slice-above .red-live-chart')?._fullData?.[0]?.z?.length"
    )
    expect(page.locator(".st-key-pointed figcaption").first).to_contain_text("k = 15")


def test_the_tables_say_how_they_are_measured(open_page):
    page = open_page("dataset=cifar10", path="tables")
    expect(page.locator(".st-key-headline-tables h2")).to_have_text(
        "Table 2 (CIFAR-10) has not been measured here yet."
    )
    commands = ("evaluate --table 2", "starts --dataset cifar10", "assumption --dataset cifar10")
    for command in commands:
        expect(page.get_by_text(command).first).to_be_visible()


def test_a_phone_shows_everything_without_scrolling_sideways(open_page):
    page = open_page(f"index=7&run=1&{SHORT}", **PHONE)
    finished(page)
    assert overhanging(page) == []


def test_a_picture_of_ones_own_is_cropped_scaled_and_attacked(open_page):
    page = open_page(SHORT)
    ready(page)
    choose(page, "Source", "Upload a picture")
    across = np.linspace(0, 255, 64)[None, :, None] * np.array([1, 0.4, 0])
    down = np.linspace(0, 255, 48)[:, None, None] * np.array([0, 0.4, 1])
    picture = io.BytesIO()
    Image.fromarray((across + down).astype(np.uint8)).save(picture, "PNG")
    page.locator("input[type=file]").set_input_files(
        {"name": "sky.png", "mimeType": "image/png", "buffer": picture.getvalue()}
    )
    expect(page.get_by_text("cropped to the square in the middle")).to_be_visible()
    expect(page.get_by_text("scaled to 32 x 32 pixels")).to_be_visible()
    preview = page.get_by_test_id("stSidebar").get_by_test_id("stImage").locator("img")
    expect(preview).to_be_visible()
    expect(line(page)).to_contain_text("your image")
    expect(page).to_have_url(re.compile("source=own.*image=b"))
    press(page, "primary")
    finished(page)
    path = np.load(io.BytesIO(saved(page, "npz")))
    assert 0 < np.abs(path["attacked"] - path["image"]).max() <= 0.0301
    red, _, blue = path["image"]
    assert (red[:, -1] > red[:, 0]).all()
    assert (blue[-1] > blue[0]).all()


def test_the_servers_log_is_clean(server: Server):
    text = server.log.read_text()
    assert "Traceback" not in text, text
    assert not re.search(r"\b(WARNING|ERROR)\b", text), text

"""The main page in a real browser, with the real trained parts and a short solver."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import expect

from tests.browser.conftest import Server
from tests.browser.stage import (
    SHORT,
    choose,
    finished,
    line,
    press,
    ready,
    saved,
    shown,
    until,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


def test_a_first_visit_plays_a_recorded_run_and_computes_it_when_asked(open_page):
    page = open_page()
    until(page, lambda now: now["state"] == "recorded" and int(now["paints"]) > 5)
    finished(page)
    expect(line(page)).to_contain_text(re.compile(r"Underneath is an? \d, hidden by an ℓ∞ attack"))
    truth = line(page).inner_text()
    press(page, "own")
    until(page, lambda now: now["state"] in ("running", "finished"))
    finished(page)
    assert shown(page)["state"] == "finished"
    expect(line(page)).to_have_text(truth)
    expect(page).to_have_url(re.compile("solver.carry=2"))


def test_craft_run_save_and_repeat_from_the_link(open_page):
    page = open_page(f"index=7&attack=linf&pace=full&{SHORT}")
    ready(page)
    expect(line(page)).to_contain_text("This is a 7")
    press(page, "primary")
    finished(page)
    report = json.loads(saved(page, "json"))
    assert report["true_label"] == 7
    assert report["steps"] == 35
    assert str(report["signal_label"]) in line(page).inner_text()
    assert Image.open(io.BytesIO(saved(page, "png"))).format == "PNG"
    film = Image.open(io.BytesIO(saved(page, "gif")))
    assert film.n_frames > 10
    assert film.width >= 640
    path = np.load(io.BytesIO(saved(page, "npz")))
    assert path["path_z"].shape == (36, 100)
    parts = path["signal"] + path["perturbation"] + path["residual"]
    assert np.allclose(parts, path["attacked"], atol=1e-5)

    link = page.get_by_test_id("stSidebar").get_by_test_id("stCode").first.inner_text()
    again = open_page(link.split("?", 1)[1])
    finished(again)
    other = np.load(io.BytesIO(saved(again, "npz")))
    assert np.allclose(other["path_z"], path["path_z"], rtol=1e-4, atol=1e-4)
    assert line(again).inner_text() == line(page).inner_text()


def test_a_saved_page_replays_the_run_without_a_server(open_page, visit, tmp_path):
    page = open_page(f"index=7&run=1&pace=full&{SHORT}")
    finished(page)
    records = shown(page)["records"]
    replay, record = tmp_path / "run.html", tmp_path / "run.red"
    replay.write_bytes(saved(page, "html"))
    record.write_bytes(saved(page, "red"))
    alone = visit(f"file://{replay}")
    alone.context.set_offline(True)
    finished(alone)
    assert shown(alone)["records"] == records
    assert line(alone).inner_text() == line(page).inner_text()
    assert alone.locator("[data-act=own], [data-act=step-z]").count() == 0

    other = open_page(f"index=2&{SHORT}")
    ready(other)
    other.locator(".stage .save summary").click()
    with other.expect_file_chooser() as chooser:
        press(other, "open")
    chooser.value.set_files(record)
    until(other, lambda now: now["state"] == "recorded")
    finished(other)
    assert line(other).inner_text() == line(page).inner_text()


def test_a_file_that_is_no_record_is_refused_in_a_sentence(open_page):
    page = open_page(f"index=2&{SHORT}")
    ready(page)
    page.locator(".stage .save summary").click()
    with page.expect_file_chooser() as chooser:
        press(page, "open")
    chooser.value.set_files({"name": "a.red", "mimeType": "", "buffer": b"no run"})
    expect(page.locator(".stage .alert")).to_contain_text("no recorded run")
    ready(page)


def test_the_readers_of_both_languages_read_the_same(open_page, server: Server):
    """record.js on a bundled story, against red_core's reader."""
    from pages.ui.stage import files
    from red_core.data.assets import checked_bytes
    from red_core.recording.record_file import read_run

    story = files.stories()[0]
    run = read_run(checked_bytes(story["dataset"], story["name"]))
    page = open_page("index=1")
    found = page.evaluate(
        """async ([module, story]) => {
             const { readRun } = await import(module)
             const blob = await (await fetch(story)).arrayBuffer()
             const { header, records, events } = await readRun(blob)
             const sum = (values) => values.reduce((total, value) => total + value)
             return { header, events: events.length, records: records.map((record) => ({
               k: record.k, phase: record.phase, psi: [...record.psi], energy: [...record.energy],
               image: sum(record.image), explained: sum(record.explained) })) }
           }""",
        [f"/stage/{files.DIGEST}/record.js", f"/stories/{story['dataset']}/{story['name']}"],
    )
    assert found["events"] == len(run.events)
    assert found["header"]["classes"] == run.header["classes"]
    assert len(found["records"]) == len(run.records)
    for there, here in zip(found["records"], run.records, strict=True):
        assert there["phase"] == ("attack", "start", "joint")[int(here["phase"])]
        assert there["k"] == here["k"]
        assert there["psi"] == pytest.approx(here["psi"])
        assert there["energy"] == pytest.approx(here["energy"].flatten())
        assert there["image"] == int(here["image"].astype(int).sum())
        assert there["explained"] == int(here["explained"].astype(int).sum())


def test_a_link_out_of_range_is_named_and_the_rest_stands(open_page):
    page = open_page(f"index=99999&eps=-1&seed=5&solver.steps=9999999&{SHORT.split('&', 3)[3]}")
    warnings = page.get_by_test_id("stAlert")
    expect(warnings).to_have_count(3)
    expect(page.get_by_role("spinbutton", name=re.compile("Seed"))).to_have_value("5")


def test_files_that_are_no_digit_are_refused_and_a_good_one_is_taken(open_page):
    page = open_page(SHORT)
    ready(page)
    expect(line(page)).to_contain_text("Press Run")
    before = line(page).inner_text()
    choose(page, "Source", "Upload a picture")
    chooser = page.locator("input[type=file]")
    chooser.set_input_files({"name": "a.png", "mimeType": "image/png", "buffer": b"no image"})
    expect(page.get_by_text("a.png is no PNG, JPEG or WebP image")).to_be_visible()
    assert line(page).inner_text() == before, "the example stays until there is an image"
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
    expect(line(page)).to_contain_text("your image")
    expect(page).to_have_url(re.compile("source=own.*image=b"))
    again = open_page(page.url.split("?", 1)[1])
    expect(line(again)).to_have_text(line(page).inner_text())


def test_a_digit_can_be_drawn(open_page):
    page = open_page(f"attack=none&pace=full&{SHORT}")
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
    press(page, "primary")
    finished(page)
    expect(line(page)).to_contain_text("Underneath is a 1")


def test_a_thumbnail_chooses_its_digit(open_page):
    page = open_page(SHORT)
    page.get_by_role("button", name=re.compile(r"^5, example \d+")).first.wait_for(state="hidden")
    page.get_by_test_id("stSidebar").get_by_role("radio", name="5", exact=True).click()
    thumbnail = page.get_by_role("button", name=re.compile(r"^5, example \d+")).nth(2)
    index = thumbnail.get_attribute("value")
    thumbnail.click()
    expect(line(page)).to_contain_text("This is a 5")
    expect(page).to_have_url(re.compile(f"index={index}(&|$)"))


def test_another_data_set_is_picked_attacked_and_judged(open_page):
    page = open_page(f"index=9&attack=linf&pace=full&{SHORT}")
    expect(line(page)).to_contain_text("This is a 9")
    page.get_by_role("radio", name="Fashion-MNIST").click()
    expect(line(page)).to_contain_text("This is an ankle boot")
    expect(page).to_have_url(re.compile("dataset=fashion.*index=9"))
    expect(page.get_by_role("button", name=re.compile("ankle boot, example 9\\b"))).to_be_visible()
    press(page, "primary")
    finished(page)
    expect(line(page)).to_contain_text("ankle boot")
    report = json.loads(saved(page, "json"))
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
    expect(line(page)).to_contain_text("your image")
    page.get_by_role("radio", name="MNIST", exact=True).click()
    expect(page.get_by_text("centred by its centre of mass")).to_be_visible()
    expect(page).to_have_url(re.compile("source=own"))


def test_the_servers_log_is_clean(server: Server):
    text = server.log.read_text()
    assert "Traceback" not in text, text
    assert not re.search(r"\b(WARNING|ERROR)\b", text), text


def test_a_dot_marks_what_the_chosen_attack_fools(open_page):
    page = open_page("index=0&attack=l1")
    marked = page.locator("button.marked")
    expect(marked.first).to_be_visible()
    first = page.locator(".st-key-ui-gallery button").first
    expect(first).to_have_class(re.compile("marked"))
    assert "fooled by this attack" in first.get_attribute("aria-label")
    page.get_by_role("radio", name="none", exact=True).click()
    expect(marked).to_have_count(0)

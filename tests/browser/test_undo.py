"""The main page in a real browser, with the real trained parts and a short solver."""

from __future__ import annotations

import io
import json
import os
import random
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.browser.conftest import Server, free_port, overhanging, wait_for
from tests.browser.stage import (
    choose,
    finished,
    line,
    press,
    ready,
    saved,
    shown,
    stage,
    until,
)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SHORT = "solver.restarts=1&solver.start_steps=5&solver.steps=30&attack_steps=20"
LONG = "solver.restarts=1&solver.start_steps=5&solver.steps=3000&attack_steps=20"
SIZES = [(1440, 900), (1366, 768), (1280, 720)]


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


def test_pause_step_resume_stop_and_scrub(open_page):
    page = open_page(f"index=12&attack=l1&pace=full&{LONG}")
    ready(page)
    press(page, "step-both")
    until(page, lambda now: now["state"] == "paused" and int(now["records"]) > 20)
    count = int(until(page, lambda now: now["shown"] == str(int(now["records"]) - 1))["records"])
    expect(page.locator(".stage .count")).to_have_text("start, step 1")
    page.keyboard.press("z")
    until(page, lambda now: int(now["records"]) == count + 1)
    expect(page.locator(".stage .count")).to_have_text("start, step 2")
    expect(page.locator("[data-act=step-c_a]")).to_be_disabled()
    press(page, "primary")
    until(page, lambda now: now["state"] == "running" and int(now["records"]) > count + 20)
    press(page, "primary")
    until(page, lambda now: now["state"] == "paused")
    page.wait_for_timeout(1000)  # the step in flight when a run is paused is still finished
    count = int(shown(page)["records"])
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


def test_a_reloaded_tab_finds_its_run_and_another_tab_does_not(open_page, server: Server):
    wait_for(lambda: server.runs() == 0)
    page = open_page(f"index=4&pace=full&{LONG}")
    ready(page)
    press(page, "primary")
    until(page, lambda now: int(now["records"]) > 60)
    page.keyboard.press(" ")
    until(page, lambda now: now["state"] == "paused")
    count = shown(page)["records"]
    page.reload()
    found = until(page, lambda now: now["records"] == count)
    assert found["state"] == "paused"
    assert found["shown"] == str(int(count) - 1), "it comes back to where it was"
    other = open_page(page.url.split("?", 1)[1])
    ready(other)
    assert shown(other)["records"] == "0"
    press(page, "stop")
    until(page, lambda now: now["state"] == "stopped")


def test_another_choice_ends_the_run(open_page, server: Server):
    wait_for(lambda: server.runs() == 0)
    page = open_page(f"index=4&run=1&{LONG}")
    until(page, lambda now: now["state"] == "running")
    wait_for(lambda: server.runs() == 1)
    seed = page.get_by_role("spinbutton", name=re.compile("Seed"))
    seed.fill("8")
    seed.press("Enter")
    ready(page)
    expect(page).to_have_url(re.compile("seed=8"))
    assert "run=1" not in page.url
    wait_for(lambda: server.runs() == 0)


@contextmanager
def proxy(target: int) -> Iterator[tuple[int, list[socket.socket]]]:
    """A TCP proxy on a free port; every open connection is in the list, to be aborted."""
    port, links = free_port(), list[socket.socket]()
    listener = socket.create_server(("127.0.0.1", port))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with closing(source), closing(sink):
            try:
                while blob := source.recv(65536):
                    sink.sendall(blob)
            except OSError:
                pass

    def accept() -> None:
        while True:
            try:
                browser, _ = listener.accept()
                server = socket.create_connection(("localhost", target))
            except OSError:
                return
            links.extend((browser, server))
            for one, other in ((browser, server), (server, browser)):
                threading.Thread(target=pump, args=(one, other), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    with closing(listener):
        yield port, links


def cut(links: list[socket.socket]) -> None:
    """Abort every connection, as a network does that goes away."""
    for link in links:
        try:
            link.shutdown(socket.SHUT_RDWR)
        except OSError:
            continue
    links.clear()


def test_ten_drops_of_the_connection_cost_no_record(browser, server: Server):
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    query = f"index=6&attack=l2&pace=full&{LONG.replace('3000', '700')}"
    with proxy(port) as (through, links):
        context = browser.new_context(viewport={"width": 1440, "height": 900})
        page = context.new_page()
        page.goto(f"http://localhost:{through}/?{query}")
        ready(page)
        press(page, "primary")
        for number in range(10):
            least = 30 + 40 * number
            until(page, lambda now, least=least: int(now["records"]) > least)
            cut(links)
        finished(page)
        assert shown(page)["state"] == "finished"
        moments = page.locator(".stage").evaluate(
            "(root) => root.stage.store.records.map((record) => [record.phase, record.k])"
        )
        context.close()
    wanted = [["attack", k] for k in range(21)]
    wanted += [["start", k] for k in range(5)] + [["joint", k] for k in range(5, 706)]
    assert moments == wanted, "each record once, in order"


def test_a_paused_run_stays_paused_over_a_drop(browser, server: Server):
    port = int(server.url.rsplit(":", 1)[1].strip("/"))
    with proxy(port) as (through, links):
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"http://localhost:{through}/?index=6&pace=full&{LONG}")
        ready(page)
        press(page, "primary")
        until(page, lambda now: int(now["records"]) > 60)
        page.keyboard.press(" ")
        until(page, lambda now: now["state"] == "paused")
        page.wait_for_timeout(500)
        count = shown(page)["records"]
        cut(links)
        expect(page.locator(".stage .alert")).to_contain_text("The connection is cut")
        expect(page.locator(".stage .alert")).to_be_hidden()
        assert shown(page)["state"] == "paused"
        page.wait_for_timeout(1000)
        assert shown(page)["records"] == count
        press(page, "stop")
        until(page, lambda now: now["state"] == "stopped")
        context.close()


def test_leaving_the_page_closes_its_socket_and_keeps_its_records(open_page):
    page = open_page(f"index=7&run=1&pace=full&{SHORT}")
    page.add_init_script("")  # the count below lives in the page itself
    finished(page)
    page.evaluate(
        """() => { const Real = WebSocket; window.open_ = 0
             window.WebSocket = class extends Real { constructor(...a) { super(...a)
               if (String(a[0]).endsWith("/run")) { window.open_ += 1
                 this.addEventListener("close", () => { window.open_ -= 1 }) } } } }"""
    )
    for _ in range(5):
        page.get_by_role("link", name="Tables", exact=True).click()
        expect(page.locator(".st-key-headline-tables h2")).to_be_visible()
        expect(stage(page)).to_have_count(0)
        page.get_by_role("link", name="Undo an attack", exact=True).click()
        finished(page)
    assert page.evaluate("() => window.open_") <= 1


def test_two_sessions_run_at_once_without_crosstalk(open_page):
    brief = SHORT.replace("steps=30", "steps=10")
    one = open_page(f"index=7&attack=linf&seed=1&pace=full&{brief}")
    other = open_page(f"index=2&attack=l2&seed=2&pace=full&{brief}")
    idle = open_page(f"index=7&attack=linf&seed=1&{brief}")
    for page in (one, other, idle):
        ready(page)
    press(one, "primary")
    press(other, "primary")
    finished(one)
    finished(other)
    first, second = json.loads(saved(one, "json")), json.loads(saved(other, "json"))
    assert (first["settings"]["attack"], first["settings"]["index"]) == ("linf", 7)
    assert (second["settings"]["attack"], second["settings"]["index"]) == ("l2", 2)
    ready(idle)


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
    page.get_by_role("button", name=re.compile(r"^5, example \d+$")).first.wait_for(state="hidden")
    page.get_by_test_id("stSidebar").get_by_role("radio", name="5", exact=True).click()
    thumbnail = page.get_by_role("button", name=re.compile(r"^5, example \d+$")).nth(2)
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
    expect(page.get_by_role("button", name="ankle boot, example 9", exact=True)).to_be_visible()
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


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Processes that do nothing but compute."""
    command = [sys.executable, "-c", "while True: pass"]
    processes = [subprocess.Popen(command) for _ in range(count)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_hurried_actions_beside_four_busy_processes_are_done_once_each(open_page):
    """RED_ACTIONS of them (60), in a fixed random order: choices, steps, strokes of the slider."""
    page = open_page(f"index=7&attack=linf&pace=full&{SHORT}")
    ready(page)
    draw = random.Random(5)
    seed_of = page.get_by_role("spinbutton", name=re.compile("Seed"))
    wanted = {"seed": "0", "attack": "linf"}
    steps = 0

    def prepared() -> None:
        """The stage shows the run of the present choices."""
        page.wait_for_function(
            """([root, wanted]) => { const { header } = root.stage.store
                 return header && (header.settings.seed || "0") === wanted.seed
                   && (header.settings.attack || "linf") === wanted.attack }""",
            arg=[stage(page).element_handle(), wanted],
        )

    with busy(4):
        for _ in range(int(os.environ.get("RED_ACTIONS", "60"))):
            act = draw.choice(["seed", "attack", "step", "step", "step", "home", "end", "truth"])
            if act == "seed":
                wanted["seed"], steps = str(draw.randrange(1, 10**6)), 0
                seed_of.fill(wanted["seed"])
                seed_of.press("Enter")
            elif act == "attack":
                others = sorted({"linf": "ℓ∞", "l2": "ℓ2", "l1": "ℓ1"}.items())
                wanted["attack"], name = draw.choice(
                    [o for o in others if o[0] != wanted["attack"]]
                )
                steps = 0
                page.get_by_test_id("stSidebar").get_by_role("radio", name=name, exact=True).click()
            elif act == "step":
                prepared()
                page.keyboard.press("End")
                press(page, "step-z")
                steps += 1
            elif act == "truth":
                press(page, "truth")
            else:
                page.get_by_role("slider", name="Moment of the run").focus()
                page.keyboard.press(act.capitalize())
            page.wait_for_timeout(draw.choice([0, 0, 30, 200]))
        prepared()
        if steps:
            until(page, lambda now: now["state"] == "paused")
            page.wait_for_function(
                """([root, steps]) => { const { records } = root.stage.store
                     return records.length && records[records.length - 1].phase !== "attack"
                       && records[records.length - 1].k === steps }""",
                arg=[stage(page).element_handle(), steps],
            )
        else:
            ready(page)
        page.wait_for_timeout(2000)
        last = stage(page).evaluate("(root) => (root.stage.store.records.at(-1) || { k: 0 }).k")
        assert last == steps, "no step was taken twice"
        shown_seed = re.search(r"seed=(\d+)", page.url)
        assert (shown_seed.group(1) if shown_seed else "0") == wanted["seed"]


def test_the_servers_log_is_clean(server: Server):
    text = server.log.read_text()
    assert "Traceback" not in text, text
    assert not re.search(r"\b(WARNING|ERROR)\b", text), text

"""The page "Error bound" in a real browser."""

from __future__ import annotations

import io
import json
import re

import numpy as np
import pytest

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, Server, wait_for

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

SMALL = "m=40&d=4&examples=5"
LONG = f"{SMALL}&steps=50000&eta=1e-06"

expect.set_options(timeout=PATIENCE)


@pytest.fixture
def open_error_bound(visit, server: Server):
    """Open the page at a query."""

    def open_at(query: str = "", **options) -> Page:
        return visit(f"{server.url}error_bound?{query}", **options)

    return open_at


def headline(page: Page, act: int):
    return page.locator(f".st-key-headline-{act} h2")


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-{key} button:visible").click()


def preset(page: Page, name: str) -> None:
    page.get_by_role("radiogroup").get_by_text(name, exact=True).click()


def finished(page: Page) -> None:
    expect(headline(page, 2)).to_contain_text("Finished")
    expect(headline(page, 3)).to_contain_text(re.compile("applies|does not apply"))
    if page.viewport_size["width"] > 500:  # a phone hides the sidebar
        expect(page.get_by_role("button", name="JSON", exact=True)).to_be_enabled()


def saved(page: Page) -> dict:
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    return json.loads(download.value.path().read_bytes())


def upload(page: Page, name: str, data: bytes) -> None:
    page.locator("input[type=file]").set_input_files(
        {"name": name, "mimeType": "application/octet-stream", "buffer": data}
    )


def test_a_preset_runs_to_its_end_beside_the_papers_value(open_error_bound):
    page = open_error_bound("seed=1")
    expect(headline(page, 2)).to_contain_text("Not run yet")
    preset(page, "Example 16")
    expect(headline(page, 1)).to_contain_text("Hadamard (Example 16): 100 × 4")
    expect(headline(page, 2)).to_contain_text("Descending")
    finished(page)
    stated = page.locator(".st-key-error-bound-stated")
    expect(stated).to_contain_text(re.compile(r"the paper states μ = 1\.07. Here the mean is \d"))
    expect(stated).to_contain_text("expect its trends here")
    assert "family=hadamard" in page.url
    assert "run=1" in page.url


def test_a_figure_is_drawn_m_by_m(open_error_bound):
    page = open_error_bound()
    preset(page, "Figure 1")
    cells = page.locator("table.numbers:not(.trained) tbody tr td:nth-child(2)")
    expect(cells.first).not_to_have_text("–")
    expect(cells.last).to_have_text("–")  # it is still to come
    expect(headline(page, 2)).to_contain_text("Finished: μ rises with m, and every run arrived.")
    means = [float(text) for text in cells.all_inner_texts()]
    assert len(means) >= 5
    assert means == sorted(means)
    rows = saved(page)["figure1"]
    assert [row["success_rate"] for row in rows] == [1.0] * len(means)


def test_where_the_theorem_applies_no_line_crosses_its_bound(open_error_bound):
    page = open_error_bound()
    finished(page)
    expect(headline(page, 3)).to_contain_text("Theorem 3 applies and holds: promised × 0.")
    numbers = saved(page)
    assert numbers["applies"] is True
    assert numbers["observed_rate"] <= numbers["predicted_rate"] < 1
    drawn = page.wait_for_function(  # the chart is drawn after the headline
        """() => document.querySelector(".st-key-error-bound-distance .red-live-chart")?.data
               ?.map((trace) => [trace.name, Array.from(trace._inputData?.y ?? trace.y)])"""
    )
    lines = dict(drawn.json_value()[1:])
    bound, median = lines["bound of Theorem 3"], lines["median"]
    assert all(low <= high for low, high in zip(median, bound, strict=True))


def test_pause_step_resume_stop_and_scrub(open_error_bound):
    page = open_error_bound(LONG)
    press(page, "error-bound-step")
    expect(headline(page, 2)).to_contain_text("Paused: step 1 of 50,000")
    press(page, "error-bound-step")
    expect(headline(page, 2)).to_contain_text("Paused: step 2 of 50,000")
    press(page, "error-bound-run-button")
    expect(headline(page, 2)).to_contain_text("Descending")
    step = headline(page, 2).inner_text()
    expect(headline(page, 2)).not_to_have_text(step)
    press(page, "error-bound-run-button")
    expect(headline(page, 2)).to_contain_text("Paused")
    page.wait_for_timeout(1000)
    current = headline(page, 2).inner_text()
    page.wait_for_timeout(1000)
    assert headline(page, 2).inner_text() == current, "a paused run does not move"
    page.keyboard.press("t")
    expect(headline(page, 2)).to_contain_text("Stopped")
    expect(headline(page, 3)).to_contain_text("Theorem 3 does not apply here")
    slider = page.get_by_role("slider", name="Step k")
    slider.press("Home")
    expect(headline(page, 2)).to_contain_text("Stopped: step 0 of")
    press(page, "error-bound-forward")
    expect(headline(page, 2)).to_contain_text("Stopped: step 1 of")
    slider.press("End")
    expect(headline(page, 2)).to_contain_text(current.split(":")[1].split(",")[0].strip())


# The browser sends a click a moment after it, with setTimeout(.., 0). Let that moment be long.
SLOW_TO_SEND = """
    const timeout = window.setTimeout
    window.setTimeout = (act, wait, ...rest) => timeout(act, wait || 700, ...rest)
"""


def test_a_click_that_is_sent_late_is_heard_once(open_error_bound):
    page = open_error_bound(LONG)
    page.add_init_script(SLOW_TO_SEND)
    page.reload()
    for _ in range(2):
        press(page, "error-bound-run-button")
        expect(headline(page, 2)).to_contain_text("Descending")
        press(page, "error-bound-run-button")
        expect(headline(page, 2)).to_contain_text("Paused")
        page.wait_for_timeout(2000)
        expect(headline(page, 2)).to_contain_text("Paused", timeout=1)


def test_a_paused_run_is_seen_where_it_stands(open_error_bound):
    """Not where it stood when it was paused before."""
    page = open_error_bound(LONG)
    press(page, "error-bound-step")
    expect(headline(page, 2)).to_contain_text("Paused: step 1 of 50,000")
    press(page, "error-bound-run-button")
    expect(headline(page, 2)).to_contain_text(re.compile(r"step\s+[\d,]{2,} of 50,000"))
    press(page, "error-bound-run-button")
    expect(headline(page, 2)).to_contain_text("Paused")
    page.wait_for_timeout(1000)
    expect(headline(page, 2)).to_contain_text(re.compile(r"Paused: step [\d,]{2,} of 50,000"))
    assert float(page.get_by_role("slider", name="Step k").input_value()) > 9


def test_a_link_repeats_the_same_numbers(open_error_bound):
    page = open_error_bound(f"{SMALL}&attack=true&method=alternating&seed=4&run=1")
    finished(page)
    first = saved(page)
    again = open_error_bound(page.url.split("?", 1)[1])
    finished(again)
    assert saved(again) == first
    for act in (1, 2, 3):
        assert headline(again, act).inner_text() == headline(page, act).inner_text()


def test_matrices_that_cannot_be_used_are_refused_and_a_good_one_is_taken(open_error_bound):
    page = open_error_bound(SMALL)
    expect(headline(page, 1)).to_contain_text("Gaussian: 40 × 4")
    before = headline(page, 1).inner_text()
    page.get_by_role("combobox", name=re.compile("Family of W")).click()
    page.get_by_role("option", name="Your own matrix", exact=True).click()
    expect(page.get_by_text("Until then the present problem stays.")).to_be_visible()
    for name, data, said in (
        ("words.csv", b"1,2\n3,four\n", "words.csv is not a table of numbers"),
        ("flat.csv", b"1,2\n2,4\n4,8\n", "W has rank 1 but 2 columns"),
        ("broken.npy", b"\x93NUMPY broken", "broken.npy cannot be read as an NPY file"),
        ("holes.csv", b"1,2\nnan,4\n4,9\n", "holds numbers that are not finite"),
    ):
        upload(page, name, data)
        expect(page.get_by_text(said)).to_be_visible()
        expect(page.get_by_text("What was set before still holds.")).to_be_visible()
        assert headline(page, 1).inner_text() == before
    press(page, "error-bound-run-button")  # the last good state still runs
    finished(page)

    good = io.BytesIO()
    np.save(good, np.array([[1.0, 0.0], [0.2, 1.0], [-1.0, 2.0]]))
    upload(page, "good.npy", good.getvalue())
    expect(headline(page, 1)).to_contain_text("Your own matrix: 3 × 2")
    expect(page.get_by_text("What was set before still holds.")).to_have_count(0)
    press(page, "error-bound-run-button")
    finished(page)
    expect(page).to_have_url(re.compile("family=own.*W=3x2"))
    again = open_error_bound(page.url.split("?", 1)[1])
    finished(again)
    assert headline(again, 3).inner_text() == headline(page, 3).inner_text()


def test_nothing_jumps_while_a_run_goes_on(open_error_bound):
    page = open_error_bound(f"{SMALL}&family=example15&d=2")
    expect(
        page.locator(".st-key-error-bound-rates .red-live-chart .main-svg").first
    ).to_be_visible()
    keys = [
        *(
            "headline-1",
            "error-bound-angles",
            "headline-2",
            "error-bound-transport",
            "error-bound-distance",
            "error-bound-mu",
        ),
        *(
            "error-bound-value",
            "error-bound-histogram",
            "error-bound-stated",
            "headline-3",
            "error-bound-interval",
            "error-bound-rates",
        ),
        *("error-bound-said", "error-bound-wdc"),
    ]

    def places() -> dict[str, tuple[float, float]]:
        boxes = {key: page.locator(f".st-key-{key}").first.bounding_box() for key in keys}
        return {key: (round(box["y"]), round(box["height"])) for key, box in boxes.items()}

    before = places()
    press(page, "error-bound-run-button")
    expect(headline(page, 2)).to_contain_text("Descending")
    assert places() == before
    finished(page)
    expect(page.locator(".st-key-error-bound-wdc")).to_contain_text("The constant of W is at least")
    assert places() == before


def test_charts_live_through_a_run_on_one_node(open_error_bound):
    page = open_error_bound(f"{LONG}")
    chart = ".st-key-error-bound-distance .red-live-chart"
    expect(page.locator(f"{chart} .main-svg").first).to_be_visible()
    page.evaluate(f"window.kept = document.querySelector('{chart} .main-svg')")
    press(page, "error-bound-run-button")
    expect(headline(page, 2)).to_contain_text("Descending")
    step = headline(page, 2).inner_text()
    expect(headline(page, 2)).not_to_have_text(step)
    assert page.evaluate(f"window.kept === document.querySelector('{chart} .main-svg')")
    press(page, "error-bound-stop")
    expect(headline(page, 2)).to_contain_text("Stopped")


def test_the_state_outlives_a_visit_to_another_page(open_error_bound):
    page = open_error_bound(f"{SMALL}&activation=tanh&start=near&run=1")
    finished(page)
    said = headline(page, 3).inner_text()
    page.get_by_role("link", name="Landscape").click()
    expect(page).to_have_url(re.compile("landscape"))
    expect(page.locator(".st-key-headline-3")).to_have_count(0)
    page.get_by_role("link", name="Error bound").click()
    expect(headline(page, 3)).to_have_text(said)
    expect(page).to_have_url(re.compile("activation=tanh"))
    assert (
        page.get_by_role("spinbutton", name="Outputs m", include_hidden=True).input_value() == "40"
    )


def test_a_bad_link_is_told_and_the_rest_stands(open_error_bound):
    page = open_error_bound(f"{SMALL}&seed=5&eta=large&family=rembrandt&W=%3Cscript%3E")
    expect(page.get_by_test_id("stAlert")).to_have_count(2)
    expect(headline(page, 1)).to_contain_text("Gaussian: 40 × 4")
    expect(page).to_have_url(re.compile("seed=5"))


def test_closing_the_tab_ends_its_run(open_error_bound, server: Server):
    wait_for(lambda: server.runs() == 0)
    page = open_error_bound(f"{LONG}&run=1")
    expect(headline(page, 2)).to_contain_text("Descending")
    wait_for(lambda: server.runs() == 1)
    page.close()
    wait_for(lambda: server.runs() == 0)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("query", [f"{SMALL}&run=1", "show=examples"])
def test_a_phone_shows_everything_without_scrolling_sideways(open_error_bound, scheme, query):
    page = open_error_bound(
        query,
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        color_scheme=scheme,
    )
    if "run=1" in query:
        finished(page)
    else:
        expect(headline(page, 2)).to_contain_text("Not run yet")
    wide = page.evaluate(
        """() => [...document.querySelectorAll("section.stMain *")].filter((node) => {
             const box = node.getBoundingClientRect()
             return box.width > 0 && box.right > screen.width + 1
           }).map((node) => node.className || node.tagName)"""
    )
    assert wide == []


def test_the_servers_log_is_clean(server: Server):
    text = server.log.read_text()
    assert "Traceback" not in text, text
    assert not re.search(r"\b(WARNING|ERROR)\b", text), text

"""The page "Compare" in a real browser, with the real trained parts and methods that are quick."""

from __future__ import annotations

import re
from functools import partial

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, ROOT, Server, overhanging, wait_for
from tests.browser.stage import ready

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
QUICK = "index=7&attack_steps=20"
TWO = f"{QUICK}&methods=cnn,defense-gan"

expect.set_options(timeout=PATIENCE)


@pytest.fixture
def open_compare(open_page):
    """Open the page at a query."""
    return partial(open_page, path="compare")


def headline(page: Page, name: str = "compare"):
    return page.locator(f".st-key-headline-{name} h2")


def press(page: Page, key: str) -> None:
    page.locator(f".st-key-compare-{key} button:visible").click()


def card(page: Page, title: str):
    return page.get_by_role("article", name=title, exact=True)


def box(page: Page, title: str) -> list[float]:
    """Where a card is on the page, however far that is scrolled, and its size."""
    return card(page, title).evaluate(
        """node => { const { x, y, width, height } = node.getBoundingClientRect()
             const scrolled = document.querySelector("[data-testid=stMain]").scrollTop
             return [x, y + scrolled, width, height] }"""
    )


def pill(page: Page, title: str):
    return page.get_by_test_id("stMain").get_by_role("button", name=title, exact=True)


def first_picture(page: Page, title: str) -> str:
    """What the card's first picture shows."""
    return (
        card(page, title)
        .locator(".picture")
        .first.evaluate("node => node.style.backgroundImage + node.style.backgroundPosition")
    )


def test_choose_run_and_scrub(open_compare):
    page = open_compare(TWO)
    expect(headline(page)).to_contain_text("Not run yet")
    expect(card(page, "CNN")).to_contain_text("not run yet")
    pill(page, "Norm ratios").click()
    expect(card(page, "Norm ratios")).to_be_visible()
    expect(page).to_have_url(re.compile("methods=cnn%2Cdefense-gan%2Cnorm-ratio"))
    boxes = [box(page, title) for title in ("CNN", "Defense-GAN", "Norm ratios")]

    press(page, "run")
    expect(headline(page)).to_contain_text("is read right by")
    expect(card(page, "CNN")).to_contain_text(re.compile(r"signal\s*\d\s*. (right|wrong)"))
    expect(card(page, "Norm ratios")).to_contain_text(re.compile(r"attack\s*\S+.*(right|wrong)"))
    expect(card(page, "CNN")).to_contain_text(re.compile(r"\d m?s"))
    expect(page).to_have_url(re.compile("run=1"))
    after = [box(page, title) for title in ("CNN", "Defense-GAN", "Norm ratios")]
    assert after == boxes, "cards keep their places while they fill"

    end = first_picture(page, "Defense-GAN")
    other = first_picture(page, "CNN")
    slider = page.get_by_role("slider", name="Position in every run")
    expect(slider).to_be_enabled()
    slider.press("Home")
    expect(card(page, "Defense-GAN")).to_contain_text(re.compile(r"step \d+: ψ reads \d"))
    start = first_picture(page, "Defense-GAN")
    assert start != end
    slider.press("ArrowRight")
    slider.fill("50")
    assert first_picture(page, "Defense-GAN") not in (start, end)
    assert first_picture(page, "CNN") == other, "what has no steps stays"
    slider.press("End")
    assert first_picture(page, "Defense-GAN") == end
    page.get_by_role("button", name="Play every run at once").click()
    expect(page.locator(".scrubber output")).to_have_text(re.compile(r"at \d+%"))
    expect(page.locator(".scrubber output")).to_have_text("at the end")


def test_frames_come_live_and_a_run_can_be_stopped(open_compare, server: Server):
    wait_for(lambda: server.runs() == 0)
    # Begun when the page is there: on a busy machine a run can end before its page is drawn. The
    # second is there to be stopped where the first ends before the press.
    page = open_compare(f"{QUICK}&methods=bsd-gan-paper,bsd-gan-frozen,cnn")
    expect(headline(page)).to_contain_text("Not run yet")
    press(page, "run")
    paper = card(page, "BSD-GAN paper")
    expect(paper).to_contain_text(re.compile(r"step \d+"))
    now = first_picture(page, "BSD-GAN paper")
    wait_for(lambda: first_picture(page, "BSD-GAN paper") != now, 60)
    press(page, "stop")
    expect(page.get_by_role("article").filter(has_text="stopped")).to_have_count(1)
    expect(page.locator(".st-key-compare-stop button").first).to_be_disabled()
    wait_for(lambda: server.runs() == 0)
    assert "data:image/png" in first_picture(page, "BSD-GAN paper"), "what was seen stays"


def test_sweep_and_take_a_strength_over(open_compare, server: Server):
    page = open_compare(f"{QUICK}&methods=cnn,norm-ratio")
    expect(headline(page, "strength")).to_contain_text("Press Sweep")
    chart = page.locator(".st-key-strip")
    expect(chart.locator(".main-svg").first).to_be_visible()
    height = chart.bounding_box()["height"]
    press(page, "sweep")
    expect(headline(page, "strength")).to_contain_text("Crafting")
    expect(headline(page, "strength")).to_contain_text(re.compile("every strength|last|break"))
    expect(page.locator(".st-key-compare-swept")).to_contain_text("Norm ratios at")
    expect(chart).to_contain_text(re.compile("breaks at ε =|holds at"))
    assert chart.bounding_box()["height"] == height
    wait_for(lambda: server.runs() == 0)

    cell = chart.locator(".heatmaplayer image").first.bounding_box()
    page.mouse.click(cell["x"] + cell["width"] * 2.5 / 9, cell["y"] + cell["height"] / 2)
    expect(page).to_have_url(re.compile("eps=0.15"))
    expect(page.get_by_role("spinbutton", name=re.compile("Budget"))).to_have_value("0.15")
    expect(headline(page)).to_contain_text("Not run yet")
    expect(headline(page, "strength")).to_contain_text(re.compile("every strength|last|break"))


def test_a_sweep_can_be_stopped(open_compare, server: Server):
    page = open_compare(f"{QUICK}&methods=bsd-gan-paper&sweep=1")
    expect(headline(page, "strength")).to_contain_text("at all strengths")
    press(page, "sweep-stop")
    expect(page.locator(".st-key-compare-sweep-stop button").first).to_be_disabled()
    expect(page.locator(".st-key-strip")).to_contain_text("stopped")
    wait_for(lambda: server.runs() == 0)


def test_closing_the_tab_ends_its_work(open_compare, server: Server):
    wait_for(lambda: server.runs() == 0)
    page = open_compare(f"{QUICK}&methods=bsd-gan-paper,bsd-gan-frozen&run=1")
    expect(card(page, "BSD-GAN paper")).to_contain_text(re.compile(r"step \d+"))
    wait_for(lambda: server.runs() == 1)  # it is counted now and then
    page.close()
    wait_for(lambda: server.runs() == 0)


def test_there_and_back_with_the_same_image(open_page):
    page = open_page("index=12&attack=l2&attack_steps=20&preset=paper")
    ready(page)
    page.get_by_role("link", name="Compare the methods on this image").click()
    expect(headline(page)).to_contain_text("Not run yet")
    expect(headline(page, "image")).to_contain_text("read as")
    expect(page).to_have_url(re.compile(r"/compare\?.*index=12&attack=l2"))
    sidebar = page.get_by_test_id("stSidebar")
    sidebar.get_by_role("radio", name="ℓ1", exact=True).click()
    expect(page).to_have_url(re.compile("attack=l1"))
    expect(headline(page, "image")).not_to_contain_text("crafting")
    page.get_by_role("link", name="Open on the main page").click()
    ready(page)
    expect(page).to_have_url(re.compile(r"/\?.*attack=l1.*preset=paper"))
    expect(sidebar.get_by_role("radio", name="ℓ1", exact=True)).to_be_checked()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_everything_without_scrolling_sideways(open_compare, scheme):
    page = open_compare(
        f"{QUICK}&methods=cnn,norm-ratio&run=1&sweep=1",
        viewport={"width": 390, "height": 844},
        is_mobile=True,
        has_touch=True,
        color_scheme=scheme,
    )
    expect(headline(page)).to_contain_text("read right by")
    expect(headline(page, "strength")).to_contain_text(re.compile("every strength|last|break"))
    assert overhanging(page) == []


def test_the_servers_log_is_clean(server: Server):
    text = server.log.read_text()
    assert "Traceback" not in text, text
    assert not re.search(r"\b(WARNING|ERROR)\b", text), text


CARD = """async ([source, answers]) => {
  const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }))
  const { default: draw } = await import(url)
  const place = document.body.appendChild(document.createElement("div"))
  place.innerHTML = '<article class="card"></article>'
  const picture = { source: "", name: "signal", caption: "", instead: "" }
  return answers.map(([drawn, status]) => {
    draw({ parentElement: place, data: { drawn, status, title: "CNN", about: "", busy: false,
      message: "", answers: [], strip: null, pictures: [picture, picture] } })
    return place.querySelector(".status").textContent
  })
}"""


def test_a_card_leaves_out_a_draw_that_another_has_overtaken(visit, server: Server):
    page = visit(server.url)
    source = (ROOT / "pages/ui/compare/card/card.js").read_text(encoding="utf-8")
    draws = [(1, "not run yet"), (3, "7 ms"), (2, "at work"), (4, "9 ms")]
    assert page.evaluate(CARD, [source, draws]) == ["not run yet", "7 ms", "7 ms", "9 ms"]

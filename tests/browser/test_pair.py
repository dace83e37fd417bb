"""Two runs side by side in a real browser: one scrubber, what differs, the link to it."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, overhanging
from tests.browser.stage import SHORT, choose, finished, press, shown, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

expect.set_options(timeout=PATIENCE)

OTHER = "other.solver.restarts=1&other.solver.start_steps=5&other.solver.steps=12"


def cells(page: Page) -> dict[str, list[str]]:
    """The table of what differs at the shown moment, by the row's name."""
    found = page.locator(".pair .now tbody tr").evaluate_all(
        "(rows) => rows.map((row) => [...row.children].map((cell) => cell.textContent))"
    )
    return {name: rest for name, *rest in found}


def ended(page: Page) -> None:
    until(page, lambda now: now.get("verdict") == "shown")


def test_one_scrubber_moves_both_and_the_link_opens_exactly_that(open_page):
    page = open_page(f"index=7&run=1&pace=full&{SHORT}&{OTHER}&other.seed=4", path="pair")
    ended(page)
    assert shown(page)["steps"] == "joint 35,joint 17"
    sentence = page.locator(".pair .sentence")
    expect(sentence).to_contain_text("seed 0 and 4; alternation steps 30 and 12.")
    assert cells(page)["step of the run"] == ["35 of 35", "17 of 17", "≠"]
    loss = cells(page)["loss"]

    slider = page.get_by_role("slider", name="Moment of the run")
    slider.focus()
    for _ in range(18):
        page.keyboard.press("ArrowLeft")
    until(page, lambda now: now["steps"] == "joint 17,joint 17")
    page.keyboard.press("ArrowLeft")
    until(page, lambda now: now["steps"] == "joint 16,joint 16")
    assert cells(page)["step of the run"] == ["16 of 35", "16 of 17", "≠"]
    assert cells(page)["verdict: picture"] == ["–", "–", ""]
    name = page.get_by_role("img", name=re.compile(r"^G\(z\) of the first run less"))
    expect(name).to_have_attribute("aria-label", re.compile(r"up to ±0\.\d\d"))
    page.keyboard.press("Home")
    until(page, lambda now: now["steps"] == "attack 0,attack 0")
    expect(name).to_have_attribute("aria-label", re.compile("not known yet"))
    drawn = page.locator(".side .pictures canvas:first-of-type").evaluate_all(
        "(all) => all.slice(0, 1).concat(all.slice(6, 7)).map((each) => each.toDataURL())"
    )
    assert drawn[0] == drawn[1], "x' is one"

    link = page.get_by_test_id("stSidebar").get_by_test_id("stCode").first.inner_text()
    assert "/pair?" in link
    again = open_page(link.split("?", 1)[1].replace("&run=1", "&run=1"), path="pair")
    ended(again)
    expect(again.locator(".pair .sentence")).to_have_text(sentence.inner_text())
    assert cells(again)["loss"] == loss


def test_a_run_leads_to_the_comparison_and_the_list_leads_back(open_page):
    page = open_page(f"index=7&run=1&pace=full&{SHORT}")
    finished(page)
    press(page, "another")
    expect(page).to_have_url(re.compile(r"/pair\?.*index=7"))
    expect(page.locator(".pair .sentence")).to_contain_text("Both runs have the same settings")
    ended(page)  # the run that was there, twice: nothing is computed anew
    choose(page, "Preset", "paper-frozen")
    expect(page.locator(".pair .sentence")).to_contain_text("preset best and paper-frozen")
    expect(page).to_have_url(re.compile("other.preset=paper-frozen"))


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (390, 844)])
def test_nothing_of_the_comparison_is_cut_off(open_page, width: int, height: int) -> None:
    page = open_page(
        f"index=7&run=1&pace=full&{SHORT}&{OTHER}",
        path="pair",
        viewport={"width": width, "height": height},
        color_scheme="dark",
    )
    ended(page)
    assert overhanging(page) == []

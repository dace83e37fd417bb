"""Going from page to page and back: nothing is lost, and a run goes on."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE, Server, wait_for
from tests.browser.stage import finished, line, press, ready, stage, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]
SHORT = "solver.restarts=1&solver.start_steps=5&attack_steps=20"
LONG = f"{SHORT}&solver.steps=3000"

expect.set_options(timeout=PATIENCE)


def headline(page: Page, name: str):
    return page.locator(f".st-key-headline-{name} h2")


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def seed(page: Page):
    """The newest field: while the page is drawn anew, an old one may still stand."""
    return page.get_by_role("spinbutton", name=re.compile("Seed"), include_hidden=True).last


def test_a_link_leads_straight_to_a_page(open_page):
    page = open_page("family=vandermonde&seed=3", path="landscape")
    expect(headline(page, "landscape")).to_contain_text(re.compile("starts? (ends|are) at z"))
    expect(page.get_by_role("link", name="Undo an attack", exact=True)).to_be_visible()
    expect(seed(page)).to_have_value("3")
    assert page.get_by_role("link", name="app", exact=True).count() == 0


def test_a_run_goes_on_while_another_page_is_looked_at(open_page, server: Server):
    wait_for(lambda: server.runs() == 0)
    page = open_page(f"index=12&seed=4&pace=3&{LONG}")
    ready(page)
    press(page, "primary")
    begun = int(until(page, lambda now: int(now["records"]) > 22)["records"])
    go(page, "Landscape")
    expect(headline(page, "landscape")).to_contain_text("Every start ends at z*")
    expect(page).to_have_url(re.compile(r"/landscape$"))
    page.wait_for_timeout(4000)
    wait_for(lambda: server.runs() >= 1)
    go(page, "Undo an attack")
    found = until(page, lambda now: now["state"] == "running")
    assert int(found["records"]) >= begun, "what had come is still there"
    until(page, lambda now: int(now["records"]) >= begun + 9)
    expect(page).to_have_url(re.compile("index=12&.*seed=4.*pace=3"))
    expect(seed(page)).to_have_value("4")
    expect(page.get_by_role("combobox", name="Pace")).to_have_value("3")
    press(page, "stop")
    finished(page)
    expect(line(page)).to_contain_text("Stopped early.")


def test_every_page_keeps_its_own_settings(open_page):
    page = open_page("family=example15&seed=5", path="landscape")
    expect(headline(page, "landscape")).to_contain_text("Every start")
    go(page, "Undo an attack")
    expect(stage(page)).to_be_visible()
    expect(seed(page)).to_have_value("0")
    seed(page).fill("8")
    seed(page).press("Enter")
    expect(page).to_have_url(re.compile("seed=8"))
    go(page, "Landscape")
    expect(seed(page)).to_have_value("5")
    expect(page).to_have_url(re.compile(r"landscape\?family=example15&seed=5"))
    go(page, "Undo an attack")
    expect(seed(page)).to_have_value("8")
    expect(page).to_have_url(re.compile(r"/\?seed=8"))


def test_the_browsers_back_button_leads_back_to_what_was(open_page):
    page = open_page("family=example15&seed=5", path="landscape")
    expect(headline(page, "landscape")).to_contain_text("Every start")
    go(page, "Undo an attack")
    expect(stage(page)).to_be_visible()
    page.go_back()
    expect(headline(page, "landscape")).to_contain_text("Every start")
    expect(seed(page)).to_have_value("5")
    expect(page).to_have_url(re.compile(r"landscape\?family=example15&seed=5"))
    page.go_forward()
    expect(stage(page)).to_be_visible()


def test_back_on_one_page_undoes_a_change(open_page):
    page = open_page("seed=5", path="landscape")
    expect(seed(page)).to_have_value("5")
    page.get_by_text("More", exact=True).first.click()
    seed(page).fill("6")
    seed(page).press("Enter")
    expect(page).to_have_url(re.compile("seed=6"))
    page.go_back()
    expect(seed(page)).to_have_value("5")
    expect(page).to_have_url(re.compile("seed=5"))


# The sidebar's groups: from a heading to the next; open: what is drawn outside of "More".
GROUPS = """() => {
  const sidebar = document.querySelector('[data-testid="stSidebar"]')
  const groups = []
  const choices = 'h3, [data-testid="stWidgetLabel"], [class*="thumbnails"], [class*="-gallery"]'
  for (const node of sidebar.querySelectorAll(choices)) {
    const place = node.closest('[data-testid="stElementContainer"]') || node
    if (node.matches("h3")) groups.push({ name: node.textContent, open: [], marks: 0 })
    else if (groups.length && !node.closest("details") && place.checkVisibility()) {
      const group = groups.at(-1)
      group.open.push(node.textContent || "gallery")
      const mark = node.querySelector('[data-testid="stTooltipIcon"]')
      if (mark && Number(getComputedStyle(mark).opacity) > 0) group.marks += 1
    }
  }
  return groups
}"""


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("", "index=3"), ("compare", "methods=cnn"), ("landscape", ""),
        ("landscape", "show=image"), ("error_bound", "attack=true"), ("pair", ""),
    ],
)  # fmt: skip
def test_a_group_of_choices_shows_two_at_most_and_one_help_mark(open_page, path, query):
    page = open_page(query, path=path)
    labels = page.locator('[data-testid="stSidebar"] [data-testid="stWidgetLabel"]')
    helped = labels.filter(has=page.get_by_test_id("stTooltipIcon")).filter(visible=True).first
    expect(helped).to_be_visible()
    # A busy browser draws a sidebar piece by piece: until a second brings nothing more.
    page.wait_for_function(
        f"""() => {{ const seen = JSON.stringify(({GROUPS})()), before = window.groupsSeen
                     window.groupsSeen = seen
                     return seen === before }}""",
        polling=1000,
    )
    groups = page.evaluate(GROUPS)
    assert len(groups) > 1
    assert sum(each["marks"] for each in groups) == 0
    assert [each for each in groups if len(each["open"]) > 2] == []
    helped.hover()
    page.wait_for_function(f"() => ({GROUPS})().reduce((n, one) => n + one.marks, 0) === 1")

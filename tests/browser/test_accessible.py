"""Axe finds nothing serious on any page, light and dark; canvases say what they show."""

from __future__ import annotations

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.stage import SHORT, finished, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

expect.set_options(timeout=PATIENCE)

RUN = f"index=7&run=1&pace=full&{SHORT}"
# By the page's path: a query, and what is there once the page is drawn.
_HEADING = "[data-testid=stMain] h2"
_CONTROLS = "[data-testid=stSidebar] input"  # they come after the headings
PAGES = {
    "": (RUN, ".stage[data-verdict=shown]"),
    "learn": ("lesson=lambda&step=1", ".stage[data-presented*=lesson]"),
    "compare": ("", _CONTROLS),
    "tables": ("", _HEADING),
    "landscape": ("family=example15&seed=5", _CONTROLS),
    "error_bound": ("", _CONTROLS),
    "pair": (f"{RUN}&other.preset=paper-frozen&other.solver.steps=9", ".pair .sentence"),
}


def findings(page: Page) -> list[str]:
    """What axe calls serious or critical, one line for each element."""
    violations = Axe().run(page).response["violations"]
    return [
        f"{each['impact']} {each['id']}: {node['target']} {node['html'][:200]}"
        for each in violations
        if each["impact"] in ("serious", "critical")
        for node in each["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_axe_finds_nothing_serious(open_page, path: str, scheme: str) -> None:
    query, drawn = PAGES[path]
    page = open_page(query, path=path, color_scheme=scheme)
    expect(page.locator(drawn).first).to_be_visible()
    # What a running script will draw anew Streamlit fades meanwhile, which axe calls faint.
    expect(page.locator("[data-test-script-state=notRunning]").first).to_be_attached()
    expect(page.locator("[data-stale=true]")).to_have_count(0)
    page.wait_for_timeout(1500)
    assert findings(page) == []


def test_axe_finds_nothing_serious_in_what_opens(open_page) -> None:
    page = open_page(RUN)
    finished(page)
    page.locator("[data-act=tried]").click()
    expect(page.locator(".stage .tried tbody tr")).to_have_count(1)
    assert findings(page) == []
    page.keyboard.press("Escape")
    page.locator(".stage .blocks canvas").click(position={"x": 100, "y": 20})
    expect(page.locator(".stage .inspect")).to_be_visible()
    assert findings(page) == []


def test_every_canvas_says_what_it_shows_at_k(open_page) -> None:
    page = open_page(RUN)
    finished(page)

    def said() -> list[str]:
        return page.locator(".stage canvas[role=img]").evaluate_all(
            "(all) => all.map((each) => each.getAttribute('aria-label'))"
        )

    slider = page.get_by_role("slider", name="Moment of the run")
    slider.focus()
    page.keyboard.press("t")
    after = said()
    last = int(slider.input_value())
    page.keyboard.press("ArrowLeft")
    until(page, lambda now: now["shown"] == str(last - 1))
    before = said()
    assert len(before) == len(after) == 10, "six pictures, frames, blocks, curves and plane"
    for one, two in zip(before, after, strict=True):
        assert one != two, one
        assert "step 34" in one

"""The stage as a browser sees it: what it shows, what it takes, and how it saves."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect
from playwright.sync_api import TimeoutError as PlaywrightTimeout

from tests.browser.conftest import PATIENCE, wait_for

expect.set_options(timeout=PATIENCE)

SHORT = "solver.restarts=1&solver.start_steps=5&solver.steps=30&attack_steps=20"
LONG = "solver.restarts=1&solver.start_steps=5&solver.steps=3000&attack_steps=20"


def stage(page: Page):
    """The root of the stage; its data attributes say what it shows."""
    return page.locator(".stage[data-state]")


def shown(page: Page) -> dict[str, str]:
    """The data attributes of the stage."""
    return stage(page).evaluate("(node) => ({...node.dataset})")


def until(page: Page, wanted: Callable[[dict[str, str]], bool]) -> dict[str, str]:
    """Wait until the stage is as wanted; its attributes then."""
    expect(stage(page)).to_be_attached()
    found: dict[str, str] = {}

    def there() -> bool:
        nonlocal found
        found = shown(page)
        return wanted(found)

    wait_for(there, PATIENCE / 1000)
    return found


def paused(page: Page) -> int:
    """Wait until the run is paused and the step it was at has arrived; its records then."""
    until(page, lambda now: now["state"] == "paused")
    counts = [shown(page)["records"]]
    while len(counts) < 2 or counts[-1] != counts[-2]:
        page.wait_for_timeout(1000)
        counts.append(shown(page)["records"])
    return int(counts[-1])


def line(page: Page):
    """The headline."""
    return page.locator(".stage h2.line")


def press(page: Page, act: str) -> None:
    """Press a button of the stage by its act."""
    page.locator(f"[data-act={act}]").click()


def ready(page: Page) -> None:
    """A run is prepared, and nothing has begun."""
    expect(stage(page)).to_have_attribute("data-state", "idle")


def finished(page: Page) -> None:
    """The verdict stands on the stage."""
    expect(stage(page)).to_have_attribute("data-verdict", "shown")


def saved(page: Page, kind: str) -> bytes:
    """The file that a button of the stage saves."""
    page.locator(".stage .save summary").click()
    with page.expect_download() as download:
        press(page, f"save-{kind}")
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

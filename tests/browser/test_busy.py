"""Hurried actions on a machine that is busy with other things."""

from __future__ import annotations

import os
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.browser.stage import SHORT, press, ready, stage, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]


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


def test_a_choice_that_comes_during_another_waits_for_it(demo, visit):
    """Streamlit's session has no lock that two runs of its script would share."""
    page = visit(demo("slow_callbacks_demo"))
    for name in ("first", "second"):
        page.get_by_text(name, exact=True).click()
        page.wait_for_timeout(200)  # the first one's callback is under way
    said = "first: True, second: True, told: ['first', 'second'], at once: 1"
    page.get_by_text(said, exact=True).wait_for(timeout=30_000)

"""The axes of the plane: chosen for a run and for a record that holds them, else refused."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import PATIENCE
from tests.browser.stage import SHORT, finished, press, ready, saved, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

expect.set_options(timeout=PATIENCE)


def note(page: Page):
    return page.locator(".stage .plane .note")


def choose_axes(page: Page, value: str) -> None:
    page.get_by_role("combobox", name="Axes of the plane").select_option(value)


def test_axes_are_chosen_said_in_words_and_kept_in_the_record(open_page, tmp_path):
    page = open_page(f"source=realizable&attack=l2&seed=10&run=1&pace=full&{SHORT}")
    finished(page)
    canvas = page.locator(".stage .plane canvas")
    expect(note(page)).to_contain_text("before the run")
    pictures = [canvas.screenshot()]
    for axes, words in (
        ("path", "Across: first principal component. Up: second principal component."),
        ("difference", "The direction from the start to z*"),
        ("curvature", "eigenvectors of the Hessian"),
    ):
        choose_axes(page, axes)
        expect(note(page)).to_contain_text(words)
        expect(canvas).to_have_attribute("aria-label", re.compile(r"\(across: .+; up: .+\)"))
        page.wait_for_timeout(300)
        pictures.append(canvas.screenshot())
        assert len(note(page).inner_text().split()) <= 60
    assert len(set(pictures)) == 4
    choose_axes(page, "ahead")
    expect(note(page)).to_contain_text("before the run")

    record = tmp_path / "run.red"
    record.write_bytes(saved(page, "red"))
    other = open_page(f"index=2&{SHORT}")
    ready(other)
    other.locator(".stage .save summary").click()
    with other.expect_file_chooser() as chooser:
        press(other, "open")
    chooser.value.set_files(record)
    until(other, lambda now: now["state"] == "recorded")
    choose_axes(other, "difference")
    expect(note(other)).to_contain_text("The direction from the start to z*")


def test_what_is_not_known_is_refused_in_words(open_page):
    page = open_page()
    until(page, lambda now: now["state"] == "recorded")
    choose_axes(page, "path")
    expect(note(page)).to_contain_text("This recorded run keeps no z")
    page = open_page(f"index=7&{SHORT}")
    ready(page)
    choose_axes(page, "path")
    expect(note(page)).to_contain_text("There is no path yet")
    press(page, "primary")
    finished(page)
    choose_axes(page, "difference")
    expect(note(page)).to_contain_text("z* is not known")

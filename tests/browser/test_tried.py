"""The list of every configuration tried: what it keeps, sorts, opens again and saves."""

from __future__ import annotations

import csv
import io
import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from pages.ui.stage.files import DIGEST
from tests.browser.conftest import PATIENCE, Server
from tests.browser.stage import SHORT, finished, line, press, ready, shown, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

expect.set_options(timeout=PATIENCE)

# A list of `count` runs in a storage of its own; `work` gets it and the storage.
_LIST = """
async ([module, count, most, long, work]) => {
  const { Tried, TriedView } = await import(module)
  const kept = new Map()
  const storage = { getItem: (k) => kept.get(k) ?? null, setItem: (k, v) => kept.set(k, v) }
  const list = new Tried(storage, most)
  const header = {
    dataset: "mnist", title: "MNIST", source: "example", attack: "l2", preset: "best", label: 7,
    total: 140, classes: [..."0123456789"],
  }
  const image = long ? { image: "b".repeat(long) } : {}
  const run = (seed) => list.note({
    header, records: [{ phase: "joint", k: 140, gap: (seed * 7) % 5 / 10 }],
    status: { state: "finished" },
    verdict: seed === 3 ? null : { signal: seed % 10, attack: "l2", seconds: 100 - seed },
  }, { seed: String(seed), index: "7", "solver.steps": "=1+1", teach: "1", ...image },
  { steps: "<b>Steps</b>" })
  for (let seed = 0; seed < count; seed += 1) run(seed)
  const names = { list, run, storage, Tried, TriedView }
  return new Function(...Object.keys(names), work)(...Object.values(names))
}
"""


@pytest.fixture(scope="module")
def page(browser, server: Server):
    context = browser.new_context()
    found = context.new_page()
    found.goto(f"{server.url}stage/{DIGEST}/stage.css")
    yield found
    context.close()


def on(page: Page, work: str, count: int = 6, most: int = 200, long: int = 0) -> Any:
    return page.evaluate(_LIST, [f"/stage/{DIGEST}/tried.js", count, most, long, work])


def test_a_configuration_run_again_is_one_entry_and_the_list_outlives_a_reload(page: Page) -> None:
    found = on(
        page,
        """run(2); const again = new Tried(storage)
           return [list.entries.map((each) => each.query.seed), again.entries.length,
                   list.entries[5].number, Object.keys(list.entries[0].query)]""",
    )
    assert found == [["0", "1", "3", "4", "5", "2"], 6, 3, ["seed", "index", "solver.steps"]]


def test_the_list_is_bounded_in_number_and_in_letters(page: Page) -> None:
    numbers = on(page, "return list.entries.map(({ number }) => number)", count=9, most=4)
    assert numbers == [6, 7, 8, 9]
    length, count = on(
        page,
        "return [storage.getItem('red.tried').length, list.entries.length]",
        count=40,
        long=60_000,
    )
    assert length <= 1_000_000
    assert 2 < count < 20


def test_every_column_sorts_both_ways_and_what_is_not_known_comes_last(page: Page) -> None:
    work = """return ["gap", "seconds", "signal"].map((column) => [false, true].map((down) =>
              list.sorted(column, down).map(({ query }) => Number(query.seed))))"""
    gap, seconds, signal = on(page, work)
    values = [(seed * 7) % 5 / 10 for seed in range(6)]
    assert [values[seed] for seed in gap[0]] == sorted(values)
    assert [values[seed] for seed in gap[1]] == sorted(values, reverse=True)
    assert seconds == [[5, 4, 2, 1, 0, 3], [0, 1, 2, 4, 5, 3]]
    assert signal == [[0, 1, 2, 4, 5, 3], [5, 4, 2, 1, 0, 3]]


def test_the_csv_holds_every_entry_its_link_and_no_formula(page: Page) -> None:
    text = on(page, "return list.csv('http://localhost/red/')")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["number"] for row in rows] == list("123456")
    assert rows[0]["settings"] == "seed 0, <b>Steps</b> =1+1"
    assert rows[2]["duality_gap"] == "0.4"
    assert rows[3]["picture_found"] == rows[3]["seconds"] == ""
    assert rows[4]["link"] == "http://localhost/red/?seed=4&index=7&solver.steps=%3D1%2B1&run=1"
    for row in rows:
        assert not any(value.startswith(("=", "+", "-", "@")) for value in row.values())
    evil = on(page, "list.entries[0].settings = '=HYPERLINK(1)'; return list.csv('x')")
    assert next(csv.DictReader(io.StringIO(evil)))["settings"] == "'=HYPERLINK(1)"


def test_a_damaged_or_denied_storage_begins_an_empty_list(page: Page) -> None:
    work = """return ["{", "3", '{"entries": 4}'].map((text) =>
              new Tried({ getItem: () => text, setItem: () => {} }).entries.length)
              .concat(new Tried(null).entries.length)"""
    assert on(page, work) == [0, 0, 0, 0]


def test_words_from_links_are_shown_as_text(page: Page) -> None:
    work = """const box = document.createElement("section")
              const view = new TriedView(box, list, { page: () => "" })
              view.show(true)
              return [box.querySelectorAll("b").length,
                      box.querySelector("td[data-column=settings]").textContent]"""
    assert on(page, work) == [0, "seed 5, <b>Steps</b> =1+1"]


def test_runs_are_listed_sorted_opened_again_and_saved(open_page):
    page = open_page(f"index=7&run=1&pace=full&{SHORT}")
    finished(page)
    first = line(page).inner_text()
    expect(page.locator("[data-act=tried]")).to_have_text("Runs tried (1)")
    seed = page.get_by_role("spinbutton", name=re.compile("Seed")).last
    seed.fill("3")
    seed.press("Enter")
    expect(page).to_have_url(re.compile("seed=3"))
    ready(page)
    press(page, "primary")
    finished(page)
    press(page, "tried")
    rows = page.locator(".stage .tried tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("seed 3")
    gaps = [float(text) for text in rows.locator("[data-column=gap]").all_inner_texts()]
    press(page, "sort-gap")
    expect(page.locator(".tried th[data-column=gap]")).to_have_attribute("aria-sort", "ascending")
    sorted_ = [float(text) for text in rows.locator("[data-column=gap]").all_inner_texts()]
    assert sorted_ == sorted(gaps)
    with page.expect_download() as download:
        press(page, "tried-csv")
    saved = list(csv.DictReader(io.StringIO(download.value.path().read_text())))
    assert [row["state"] for row in saved] == ["finished", "finished"]
    assert all(float(row["seconds"]) > 0 for row in saved)

    records = shown(page)["run"]
    page.get_by_role("button", name="Open run 1").click()
    until(page, lambda now: now["run"] != records)
    finished(page)
    expect(page.locator(".stage .tried")).to_be_hidden()
    expect(line(page)).to_have_text(first)
    expect(page).not_to_have_url(re.compile("seed="))  # written as the script ends
    page.reload()
    finished(page)
    expect(page.locator("[data-act=tried]")).to_have_text("Runs tried (2)")

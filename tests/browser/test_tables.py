"""The page "Tables" in a real browser, with real trained parts and toy figures."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from pages.ui.look import theme
from red_core.data.assets import assets_root, read_tensors
from tests.browser.conftest import PATIENCE, Server, forget_measured, overhanging, serving_app
from tests.browser.stage import line, ready
from tests.pages.ui.tables.toys import keep_reports, keep_starts, keep_toys, toy_starts

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]
PHONE = {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "has_touch": True}
ATTACKS = ["linf", "l2", "l1", "none"]

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def toy_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server whose tables are toys, and which has no official images."""
    folder = tmp_path_factory.mktemp("tables")
    shutil.copytree(assets_root() / "mnist", folder / "assets" / "mnist")
    for empty in ("fashion", "cifar10"):
        (folder / "assets" / empty).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RED_ASSETS", str(folder / "assets"))
        patch.setenv("RED_DATA", str(folder / "no-data"))
        # Answers on other images would join the toys.
        forget_measured(folder / "assets" / "mnist", "answers*.json")
        labels = read_tensors("mnist", "examples.safetensors")["labels"].long().numpy()
        keep_toys("1", labels, "official", "bundled")
        keep_reports("mnist")
        keep_starts(toy_starts())
        with serving_app(folder) as running:
            yield running
    assert "Traceback" not in running.log.read_text()


@pytest.fixture
def open_tables(visit, toy_server: Server):
    def open_at(query: str = "", **options) -> Page:
        page = visit(f"{toy_server.url}tables?{query}", **options)
        page.wait_for_function(
            "document.querySelector('.st-key-tables-attacks .red-live-chart')?._fullData?.length"
        )
        return page

    return open_at


def headline(page: Page, name: str):
    return page.locator(f".st-key-headline-{name} h2")


def click_cell(page: Page, matrix: str, row: int, column: int) -> None:
    chart = f".st-key-tables-{matrix} .red-live-chart"
    page.locator(chart).scroll_into_view_if_needed()
    x, y = page.evaluate(
        """([chart, row, column]) => {
            const node = document.querySelector(chart)
            const box = node.getBoundingClientRect()
            const { xaxis: across, yaxis: down } = node._fullLayout
            return [box.left + across._offset + across.d2p(column),
                    box.top + down._offset + down.d2p(row)]
        }""",
        [chart, row, column],
    )
    page.mouse.click(x, y)


def said(server: Server, source: str = "bundled") -> dict:
    folder = server.log.parent / "assets" / "mnist"
    suffix = "-bundled" if source == "bundled" else ""
    return json.loads((folder / f"answers1{suffix}.json").read_text())


def test_a_cell_leads_to_its_images_and_an_image_to_the_main_page(open_tables, toy_server):
    answers = said(toy_server)["blocks"]["psi"]["l2"]["bsd-gan-best"]["attack"]
    inside = [index for index, answer in enumerate(answers) if answer == "2"]
    page = open_tables()
    click_cell(page, "attacks", 1, 2)
    expect(page.get_by_text(f"{len(inside)} images under ℓ2 in which")).to_be_visible()
    expect(page).to_have_url(re.compile(r"attack=l2.*cell=attack\.1\.2"))
    expect(headline(page, "matrices")).to_contain_text("under ℓ2")
    thumbnails = page.locator(".st-key-tables-thumbnails button")
    shown = thumbnails.evaluate_all("all => all.map(one => Number(one.value))")
    assert shown == inside[:60]
    thumbnails.nth(2).click()
    expect(page).to_have_url(re.compile(rf"index={inside[2]}$"))
    about = page.get_by_text(re.compile(rf"^Example {inside[2]}, an? \d, under ℓ2\.$"))
    expect(about).to_be_visible()
    page.get_by_role("link", name="Open on the main page").click()
    true = said(toy_server)["true"][inside[2]]
    ready(page)
    expect(line(page)).to_contain_text(re.compile(f"^This is an? {true}\\."))
    expect(
        page.get_by_role("spinbutton", name=re.compile("Example number"), include_hidden=True)
    ).to_have_value(str(inside[2]))
    page.go_back()
    expect(about).to_be_visible()


def test_a_second_image_opens_as_soon_as_the_first_was_seen(open_tables, toy_server):
    """The main page must not take the second link for a late echo of its own."""
    page = open_tables("cell=class.3.3&images=bundled")
    thumbnails = page.locator(".st-key-tables-thumbnails button")
    for place in (0, 1):
        index = thumbnails.nth(place).get_attribute("value")
        thumbnails.nth(place).click()
        expect(page.get_by_text(re.compile(rf"^Example {index}, "))).to_be_visible()
        page.get_by_role("link", name="Open on the main page").click()
        expect(
            page.get_by_role("spinbutton", name=re.compile("Example number"), include_hidden=True)
        ).to_have_value(index)
        page.get_by_role("link", name="Tables", exact=True).click()
        expect(thumbnails.first).to_be_visible()


def test_a_figure_of_the_table_chooses_its_matrices(open_tables):
    page = open_tables()
    figure = page.locator('.st-key-tables-grid-1-white-box button[data-name="white-box l1 msd"]')
    figure.click()
    expect(figure).to_have_attribute("aria-pressed", "true")
    expect(headline(page, "matrices")).to_contain_text("MSD under ℓ1")
    expect(page).to_have_url(re.compile("block=white-box&method=msd&attack=l1"))
    again = open_tables(page.url.split("?", 1)[1])
    expect(headline(again, "matrices")).to_have_text(headline(page, "matrices").inner_text())


def test_a_matrix_counts_what_the_answers_say(open_tables, toy_server):
    kept = said(toy_server)
    given = kept["blocks"]["psi"]["l1"]["cnn"]["signal"]
    right = sum(a == b for a, b in zip(given, kept["true"], strict=True))
    page = open_tables("method=cnn&attack=l1&images=bundled")
    expect(headline(page, "matrices")).to_have_text(
        f"CNN under ℓ1: {right} of {len(given)} images read right."
    )


def test_official_images_that_are_not_here_are_listed_by_number(open_tables):
    page = open_tables("images=official")
    click_cell(page, "classes", 3, 3)
    expect(page.get_by_text(re.compile(r"^Test images \d"))).to_be_visible()
    assert page.locator(".st-key-tables-thumbnails").count() == 0
    expect(page.get_by_text("a click lists their numbers")).to_be_visible()


def test_the_other_data_set_says_what_is_not_measured(open_tables):
    page = open_tables()
    page.get_by_role("radio", name="Fashion-MNIST").or_(
        page.get_by_role("button", name="Fashion-MNIST")
    ).first.click()
    expect(headline(page, "tables")).to_have_text(
        "Table 5 (Fashion-MNIST) has not been measured here yet."
    )
    expect(page.get_by_text("evaluate --table 5").first).to_be_visible()
    expect(page).to_have_url(re.compile("dataset=fashion&table=5"))


def test_the_table_can_be_taken_along(open_tables):
    page = open_tables()
    for label in ("JSON", "Markdown"):
        with page.expect_download() as download:
            page.get_by_role("button", name=label, exact=True).click()
        text = download.value.path().read_text()
        if label == "JSON":
            assert json.loads(text)["table"] == "1"
        else:
            assert "**Table 1." in text
            assert "| BSD-GAN best |" in text


def test_a_phone_scrolls_the_table_inside_itself(open_tables):
    page = open_tables("cell=attack.1.2", **PHONE)
    page.wait_for_timeout(1000)
    assert overhanging(page) == []
    for place in ("grid-1-psi", "spans-mnist-psi", "unknown-mnist"):
        box = page.locator(f".st-key-tables-{place} .scroll")
        box.scroll_into_view_if_needed()
        assert page.evaluate("innerWidth") >= box.bounding_box()["width"]
    box = page.locator(".st-key-tables-grid-1-psi .scroll")
    name = box.locator("tbody .name").first
    figure = box.locator("tbody button").first
    before, first = name.bounding_box()["x"], figure.bounding_box()["x"]
    box.evaluate("node => { node.scrollLeft = 200 }")
    assert name.bounding_box()["x"] == pytest.approx(before, abs=1)
    assert figure.bounding_box()["x"] == pytest.approx(first - 200, abs=1)


def test_a_phone_shows_where_inversions_end(open_tables):
    page = open_tables("dataset=cifar10", **PHONE)
    expect(headline(page, "starts")).to_contain_text("From any class, 82% of the inversions")
    for name in ("right", "ended"):
        page.wait_for_function(
            f"document.querySelector('.st-key-tables-starts-{name} .red-live-chart')"
            "?._fullData?.length > 1"
        )
        page.locator(f".st-key-tables-starts-{name}").scroll_into_view_if_needed()
    page.wait_for_timeout(1000)
    assert overhanging(page) == []


def test_dark_colours_reach_the_matrices_and_the_table(open_tables):
    page = open_tables("cell=attack.1.2", color_scheme="dark")
    ink = page.locator(".st-key-tables-grid-1-psi .value").first.evaluate(
        "node => getComputedStyle(node).color"
    )
    assert min(int(part) for part in re.findall(r"\d+", ink)[:3]) > 180
    scale = page.evaluate(
        "document.querySelector('.st-key-tables-attacks .red-live-chart')"
        "._fullData[0].colorscale.at(-1)[1]"
    )
    assert scale == theme.DARK.linf


def test_the_page_can_be_left_while_blocks_are_compared(open_page):
    page = open_page("dataset=cifar10", path="tables")
    compare = page.get_by_role("button", name="Compare the blocks")
    compare.click()
    expect(page.get_by_text("Comparing the blocks")).to_be_visible()
    page.get_by_role("link", name="Landscape", exact=True).click()
    expect(headline(page, "landscape")).to_be_visible()
    page.get_by_role("link", name="Tables", exact=True).click()
    expect(headline(page, "angles")).to_be_visible()
    expect(compare).to_be_enabled()  # it was left, not waited for

"""Lessons and recorded runs as files: each opens from a disk, asks for nothing and replays."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from pages.ui.learn import view
from pages.ui.learn.export import export
from pages.ui.stage import files
from tests.browser.conftest import PATIENCE
from tests.browser.stage import finished, press, shown, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("export") / "red"
    export(made)
    return made


@pytest.fixture
def open_file(visit, folder: Path):
    """Open a file in a browser without a network; what it asks for but itself fails the test."""
    asked: list[str] = []

    def open_at(name: str, **options) -> Page:
        page = visit("about:blank", **options)
        page.context.set_offline(True)
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"file://{folder / name}")
        return page

    yield open_at
    inside = ("data:", "blob:", f"file://{folder}/")  # the last: pages that links lead to
    assert [url for url in asked if not url.startswith(inside)] == []


def test_the_index_leads_to_every_file(open_file, folder: Path) -> None:
    page = open_file("index.html")
    linked = page.locator("a").evaluate_all("(nodes) => nodes.map((node) => node.href)")
    assert sorted(linked) == sorted(
        f"file://{path}" for path in folder.iterdir() if path.name != "index.html"
    )
    listed = page.locator("main").inner_text()
    for named in (*view.lessons(), *files.stories()):
        assert named["title"] in listed
    page.get_by_role("link", name=files.stories()[0]["title"]).click()
    expect(page.locator(".stage[data-run=recorded]")).to_be_visible()


@pytest.mark.parametrize("story", files.stories(), ids=lambda story: story["dataset"])
def test_a_recorded_run_plays_to_its_verdict(open_file, story: dict[str, str]) -> None:
    name = f"{story['dataset']}-{Path(story['name']).stem}.html"
    page = open_file(name, reduced_motion="reduce")
    finished(page)
    assert page.title() == story["title"]
    assert int(shown(page)["records"]) > 20


@pytest.mark.parametrize("lesson", view.lessons(), ids=lambda lesson: lesson["key"])
def test_a_lesson_shows_every_step_its_question_and_the_next(open_file, lesson) -> None:
    page = open_file(f"lesson-{lesson['key']}.html", reduced_motion="reduce")
    learn = page.locator(".learn[data-lesson]")
    for place, step in enumerate(lesson["steps"], 1):
        expect(learn).to_have_attribute("data-step", str(place))
        expect(page.locator(".learn h2").first).to_have_text(step["title"])
        until(
            page,
            lambda now, step=step: (
                now.get("presented", "").endswith(f" {step['moment']}")
                and now["shown"] == str(step["moment"])
            ),
        )
        assert page.locator(".stage .alert").is_hidden()
        if step["panel"] in ("draw", "line"):
            expect(page.locator(".panel:not([data-drawn='0'])")).to_be_visible()
        if step["panel"] == "lambda":
            page.locator(".panel input").fill("0")
            until(page, lambda now: now["presented"].split()[0] != "" and int(now["shown"]) > 0)
        if place < len(lesson["steps"]):
            press(page, "lesson-next")
    page.locator(".choice").nth(lesson["question"]["right"]).click()
    expect(learn).to_have_attribute("data-answered", "right")
    expect(page.locator("[data-act=lesson-next]")).to_be_disabled()
    order = [each["key"] for each in view.lessons()]
    after = order[order.index(lesson["key"]) + 1 :]
    ways = page.locator("a").evaluate_all("(nodes) => nodes.map((node) => node.pathname)")
    wanted = [f"lesson-{after[0]}.html"] if after else []
    assert [Path(way).name for way in ways] == [*wanted, "index.html"]
    page.locator("a").first.click()
    page.wait_for_url(f"**/{wanted[0] if wanted else 'index.html'}")


def test_with_an_app_the_links_lead_there(visit, tmp_path: Path) -> None:
    export(tmp_path, "https://red.example.org/lab")
    page = visit(f"file://{tmp_path}/lesson-alone.html", reduced_motion="reduce")
    for _ in view.lessons()[3]["steps"][1:]:
        press(page, "lesson-next")
    ways = page.locator(".more a").evaluate_all("(nodes) => nodes.map((node) => node.href)")
    assert ways[0].startswith("https://red.example.org/lab/?index=35")
    assert ways[1] == "https://red.example.org/lab/tables?dataset=mnist&table=1"
    assert len(ways) == 4

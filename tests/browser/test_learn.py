"""The page Learn in a real browser: its steps, its links, G by hand, the slider over lambda."""

from __future__ import annotations

import re
import statistics
import time

import numpy as np
import pytest
import torch
from playwright.sync_api import Page, expect

from pages.ui.learn import view
from pages.ui.learn.lessons import LESSONS
from pages.ui.learn.routes import generator_address, modules_address
from tests.browser.conftest import PATIENCE, overhanging, wait_for
from tests.browser.stage import shown, until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(900)]

expect.set_options(timeout=PATIENCE)
WRITTEN = {lesson["key"]: lesson for lesson in view.lessons()}


def learn(page: Page):
    return page.locator(".learn[data-lesson]")


def at(page: Page, lesson: str, step: int) -> None:
    """The step is shown, with the stage at its moment."""
    expect(learn(page)).to_have_attribute("data-lesson", lesson)
    expect(learn(page)).to_have_attribute("data-step", str(step))
    wanted = WRITTEN[lesson]["steps"][step - 1]
    presented(page, wanted["run"], wanted["moment"])


def presented(page: Page, run: str, moment: int) -> None:
    """The stage shows a run, and has come to a moment of it."""
    until(
        page,
        lambda now: now.get("presented") == f"{run} {moment}" and now["shown"] == str(moment),
    )


def pointed(page: Page) -> set[str]:
    """The parts of the stage that are marked."""
    names = page.locator(".learn .stage section.pointed").evaluate_all(
        "(nodes) => nodes.map((node) => node.classList[0])"
    )
    return set(names)


def choice(page: Page, number: int):
    return page.locator(".learn .choice").nth(number)


def test_every_step_shows_what_it_says_from_the_first_to_the_last(open_page):
    """Once through all lessons with the next button, and one step back."""
    page = open_page("", path="learn", reduced_motion="reduce")
    for lesson in LESSONS:
        for place, step in enumerate(lesson.steps):
            written = WRITTEN[lesson.key]["steps"][place]
            at(page, lesson.key, place + 1)
            assert pointed(page) == set(step.points)
            texts = page.locator(".learn .text > p").all_inner_texts()
            assert texts[: len(step.texts)] == written["texts"]
            assert page.locator(".learn .symbols dt").count() == len(written["symbols"])
            truth = page.locator(".learn [data-act=truth]").get_attribute("aria-pressed")
            assert truth == str(step.truth).lower()
            last = (lesson, place + 1) == (LESSONS[-1], len(lesson.steps))
            if not last:
                page.locator("[data-act=lesson-next]").click()
    expect(page.locator("[data-act=lesson-next]")).to_be_disabled()
    key, count = LESSONS[-1].key, len(LESSONS[-1].steps)
    expect(page).to_have_url(re.compile(f"lesson={key}&step={count}$"))
    page.keyboard.press("PageUp")
    at(page, key, count - 1)


def test_a_link_opens_a_step_and_the_browsers_back_button_leads_back(open_page):
    page = open_page("lesson=lambda&step=2", path="learn")
    at(page, "lambda", 2)
    page.keyboard.press("n")
    at(page, "lambda", 3)
    expect(page).to_have_url(re.compile("lesson=lambda&step=3"))
    page.go_back()
    at(page, "lambda", 2)
    expect(page).to_have_url(re.compile("lesson=lambda&step=2"))


def test_a_step_is_played_up_to_its_moment_and_can_be_shown_again(open_page):
    page = open_page("lesson=attack&step=2", path="learn")
    at(page, "attack", 2)
    step = WRITTEN["attack"]["steps"][1]
    assert step["since"] < step["moment"]
    until(page, lambda now: now["playback"] == "paused")
    expect(page.locator(".learn .stage h2.line")).to_contain_text("Making the attack")
    paints = int(shown(page)["paints"])
    assert paints > 3, "it was played"
    page.locator("[data-act=lesson-again]").click()
    until(page, lambda now: int(now["paints"]) > paints + 3)
    at(page, "attack", 2)


def test_the_slider_over_lambda_changes_the_run(open_page):
    page = open_page("lesson=lambda&step=2", path="learn")
    at(page, "lambda", 2)
    slider = page.get_by_role("slider", name="λ as a share of λₘₐₓ")
    slider.focus()
    for place, step in ((1, None), (2, "ArrowRight"), (3, "ArrowRight")):
        if step:
            page.keyboard.press(step)
        wanted = view.choices()[place]
        presented(page, wanted["run"], wanted["moment"])
        expect(page.locator(".learn .panel output")).to_have_text(
            f"λ = {wanted['share']} λₘₐₓ: {wanted['used']} of {wanted['blocks']} blocks used"
        )


def test_the_browsers_g_is_the_servers(open_page):
    from red_core.run.bundle import load_bundle

    page = open_page("lesson=generator&step=1", path="learn")
    at(page, "generator", 1)
    z = torch.randn(4, 100, generator=torch.Generator().manual_seed(0))
    drawn = page.evaluate(
        """async ([module, weights, z]) => {
             const { readGenerator } = await import(module)
             const generator = readGenerator(await (await fetch(weights)).arrayBuffer())
             return z.map((each) => [...generator.draw(each)]) }""",
        [f"{modules_address()}/generator.js", generator_address(), z.tolist()],
    )
    wanted = load_bundle("mnist").generator(z).flatten(1) * 255
    assert np.abs(np.array(drawn) - wanted.numpy()).max() <= 2


def test_z_is_moved_by_hand(open_page):
    page = open_page("lesson=generator&step=1", path="learn")
    panel = page.locator(".learn .panel")
    expect(panel).to_have_attribute("data-drawn", "1")
    canvas = panel.get_by_role("img", name="G(z)")
    before = canvas.evaluate("(node) => node.toDataURL()")
    panel.get_by_role("slider", name="z1").focus()
    page.keyboard.press("Home")
    expect(panel).to_have_attribute("data-drawn", "2")
    assert canvas.evaluate("(node) => node.toDataURL()") != before
    panel.locator("[data-act=other-z]").click()
    expect(panel).to_have_attribute("data-drawn", "3")
    expect(panel.locator(".note")).to_contain_text("The length of z is")


def test_a_question_is_answered(open_page):
    lesson = next(one for one in LESSONS if one.key == "fails")
    page = open_page(f"lesson=fails&step={len(lesson.steps)}", path="learn")
    at(page, "fails", len(lesson.steps))
    answer = page.locator(".learn .answer")
    expect(answer).to_be_hidden()
    choice(page, 1 - lesson.question.right).click()
    expect(answer).to_contain_text("Not so.")
    choice(page, lesson.question.right).click()
    expect(learn(page)).to_have_attribute("data-answered", "right")
    expect(answer).to_have_text(f"Right. {WRITTEN['fails']['question']['answer']}")


def test_what_is_to_be_tried_is_run_on_the_main_page(open_page):
    steps = len(WRITTEN["norms"]["steps"])
    page = open_page(f"lesson=norms&step={steps}", path="learn")
    at(page, "norms", steps)
    page.locator(".learn a.trial").click()
    expect(page).to_have_url(re.compile("attack=l1.*run=1"))
    # Not `finished`: the lesson's stage, which may still be there, shows a verdict too.
    until(page, lambda now: now["state"] == "finished" and now["verdict"] == "shown")
    page.get_by_role("link", name="Learn", exact=True).click()
    at(page, "norms", steps)


def test_a_playlist_goes_through_its_steps_and_no_others(open_page):
    page = open_page("playlist=norms.2,lambda.3,norms.2&teach=1", path="learn")
    at(page, "norms", 2)
    listed = page.locator(".learn .playlist button")
    expect(listed).to_have_count(3)
    page.keyboard.press("PageDown")
    at(page, "lambda", 3)
    page.keyboard.press("PageDown")
    at(page, "norms", 2)
    expect(listed.nth(2)).to_have_attribute("aria-current", "step")
    expect(page.locator("[data-act=lesson-next]")).to_be_disabled()
    expect(page.get_by_text("A playlist for a class")).to_have_count(0)


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1366, 768), (390, 844)])
def test_lesson_and_stage_fit_the_screen(open_page, width: int, height: int):
    page = open_page(
        "lesson=theorem&step=3", path="learn", viewport={"width": width, "height": height}
    )
    at(page, "theorem", 3)
    assert overhanging(page) == []
    if width > 900:
        for part in (".lesson .moves", ".stage .transport"):
            box = page.locator(f".learn {part}").bounding_box()
            assert box["y"] + box["height"] <= height, part


def test_teaching_hides_the_controls_of_the_stage(open_page):
    page = open_page("teach=1&index=7&solver.restarts=1&solver.start_steps=5&solver.steps=30")
    until(page, lambda now: now["state"] == "idle")
    expect(page.locator("[data-act=primary]")).to_be_visible()
    for hidden in ("[data-act=step-z]", ".save", "[data-act=again]", "[data-act=own]"):
        expect(page.locator(f".stage {hidden}").first).to_be_hidden()
    expect(page.get_by_test_id("stSidebar").get_by_role("radio")).to_have_count(0)


def test_the_first_step_comes_at_once(open_page, server):
    """With the server warm and the browser's cache filled; a loaded machine gets four times it."""
    page = open_page("", path="learn")
    at(page, "attack", 1)
    seconds = []
    for _ in range(5):
        began = time.monotonic()
        page.goto(f"{server.url}learn?lesson=attack&step=1")
        wait_for(lambda: "story" in (shown(page).get("presented") or ""))
        seconds.append(time.monotonic() - began)
    assert statistics.median(seconds) < 6.0, seconds


def test_the_servers_log_is_clean(server):
    text = server.log.read_text()
    assert "Traceback" not in text, text
    assert not re.search(r"\b(WARNING|ERROR)\b", text), text

"""The lessons: every step opens by its link, shows what its text says, and explains its symbols."""

from __future__ import annotations

import re

import numpy as np
import pytest

from pages.ui.learn import view
from pages.ui.learn.facts import facts_of, moments_of
from pages.ui.learn.learn_request import LearnRequest, as_query, from_query
from pages.ui.learn.lesson import PANELS, STAGE_PARTS, Lesson, Trial
from pages.ui.learn.lessons import LAMBDAS, LESSONS, experiments
from pages.ui.look.symbols import symbols_in
from pages.ui.stage import files
from pages.ui.undo import undo_request
from red_core.data.assets import checked_bytes
from red_core.recording.record_file import RecordedRun, read_run

STEPS = [(lesson, place) for lesson in LESSONS for place in range(len(lesson.steps))]
WRITTEN = {lesson["key"]: lesson for lesson in view.lessons()}
# What may be written without an introduction: words of one letter, and counts.
_TOKEN = re.compile(
    r"[Dc]ₐ|(?<![A-Za-z])(?:[A-Za-z]′|ℓ[∞12]|[α-ωΑ-Ω∇](?:[ₐ-ₜ]+|f)?|[A-Za-z])(?![A-Za-zₐ])"
)
_WORDS = {"a", "A", "I", "s"}


def run_of(name: str) -> RecordedRun:
    return read_run(checked_bytes(files.LESSONS, name))


def texts_of(lesson: Lesson, place: int) -> list[str]:
    """Everything that a step writes, filled in."""
    written = WRITTEN[lesson.key]
    step = written["steps"][place]
    found = [step["title"], *step["texts"]]
    if place == len(lesson.steps) - 1:
        asked = written["question"]
        found += [asked["text"], *asked["choices"], asked["answer"], written["trial"]["text"]]
        found += [link["text"] for link in written["links"]]
    return found


def named(step) -> str:
    lesson, place = step
    return f"{lesson.key}.{place + 1}"


def test_there_are_eight_to_ten_lessons_of_a_few_steps() -> None:
    assert 8 <= len(LESSONS) <= 10
    assert len({lesson.key for lesson in LESSONS}) == len(LESSONS)
    assert all(2 <= len(lesson.steps) <= 5 for lesson in LESSONS)


@pytest.mark.parametrize("step", STEPS, ids=map(named, STEPS))
def test_a_step_opens_by_its_link(step) -> None:
    lesson, place = step
    wanted = LearnRequest(lesson.key, place + 1)
    assert from_query(as_query(wanted)) == (wanted, [])


@pytest.mark.parametrize("step", STEPS, ids=map(named, STEPS))
def test_a_step_shows_a_moment_of_a_run_that_ships_and_points_at_parts_there_are(step) -> None:
    lesson, place = step
    source, shown = lesson.steps[place], WRITTEN[lesson.key]["steps"][place]
    run = run_of(source.run)
    assert shown["run"].startswith(f"/stories/mnist/{source.run}?")
    assert 0 <= shown["moment"] < len(run.records)
    assert shown["since"] is None or 0 <= shown["since"] < shown["moment"]
    assert shown["missing"] == ""
    assert source.points
    assert set(source.points) <= set(STAGE_PARTS)
    assert source.panel in PANELS
    stage = (files.BROWSER / "main.js").read_text(encoding="utf-8")
    for part in source.points:
        assert re.search(rf"(place|view)\(\"{part}\"", stage), part


@pytest.mark.parametrize("step", STEPS, ids=map(named, STEPS))
def test_texts_are_short_and_filled_in(step) -> None:
    for text in texts_of(*step):
        assert len(text.split()) <= 60, text
        assert not re.search(r"[{}]|unmeasured|is …", text), text
        assert not re.search(r"\d[eE][-+]\d|10[⁻^]", text), "no powers of ten"


@pytest.mark.parametrize("step", STEPS, ids=map(named, STEPS))
def test_every_symbol_of_a_step_is_introduced_in_it(step) -> None:
    lesson, place = step
    introduced = dict(WRITTEN[lesson.key]["steps"][place]["symbols"])
    for text in texts_of(lesson, place):
        for token in _TOKEN.findall(text):
            assert token in introduced or token in _WORDS, (token, text)
    for name, words in introduced.items():
        assert symbols_in(words) == [], f"{name} is explained by symbols"
        assert len(words.split()) <= 15


def test_the_moments_are_those_of_the_record() -> None:
    for name in {step.run for lesson in LESSONS for step in lesson.steps}:
        run, found = run_of(name), facts_of(files.LESSONS, name).moments
        phase, reads = run.records["phase"], run.records["psi"].argmax(1)
        assert phase[found["clean"]] == phase[found["attacked"]] == 0
        assert phase[found["attacked"] + 1] == phase[found["start"]] == 1
        assert phase[found["start-end"]] == 1
        assert phase[found["code"]] == 2
        assert found["end"] == len(phase) - 1
        label = run.header["label"]
        assert reads[found["attacked"]] != label
        assert all(reads[place] != label for place in range(found["misread"], found["start"]))
        assert found["misread"] == 0 or reads[found["misread"] - 1] == label


def test_the_texts_say_what_the_runs_hold() -> None:
    """The claims that no word of a run fills in."""
    story = run_of("story-linf.red")
    assert story.records["psi"][0].argmax() == story.header["label"], "read rightly at first"
    alone = run_of("lesson-alone.red")
    assert not alone.records["energy"].any(), "G alone"
    both = run_of("lesson-both.red")
    here = moments_of(both)
    assert not both.records["energy"][here["code"]].any(), "the code begins at zero"
    x = [run.records["image"][moments_of(run)["attacked"]] for run in (alone, both)]
    assert np.array_equal(*x), "two runs from one x'"
    most = run_of(LAMBDAS[-1])
    assert not most.records["energy"][-1].any(), "no block at lambda_max"
    used = [int(choice["used"]) for choice in view.choices()]
    assert used == sorted(used, reverse=True)
    assert used[1] > used[2], "the question's answer"
    strong = run_of("lesson-strong.red")
    loss = strong.records["loss"]
    assert loss[-1] < loss[moments_of(strong)["code"]], "the loss falls"
    for name, most_changed in (("story-l1.red", 0.5), ("story-linf.red", 1.0)):
        assert float(facts_of(files.LESSONS, name).words["unchanged"].rstrip("%")) / 100 > (
            1 - most_changed
        )
    columns = facts_of(files.LESSONS, "lesson-both.red").words["columns"]
    assert int(columns.replace(",", "")) > 784, "more columns than pixels"


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.key)
def test_every_lesson_ends_with_a_question_and_a_run_to_try(lesson: Lesson) -> None:
    asked = lesson.question
    assert 2 <= len(asked.choices) <= 3
    assert 0 <= asked.right < len(asked.choices)
    link = view.target(f"{lesson.key}:trial")
    assert link is not None
    assert link.page == "undo.py"
    request, warnings = undo_request.from_query(link.query)
    assert warnings == []
    assert request.run
    recorded = facts_of(files.LESSONS, lesson.trial.run).settings
    assert undo_request.as_query(request) != {**recorded, "run": "1"}, "something is changed"
    for place, other in enumerate(lesson.links):
        assert view.target(f"{lesson.key}:{place}") == other
        assert other.query, "an empty query would mean: as it was"


def test_a_trial_changes_a_recorded_runs_settings() -> None:
    settings = {"index": "3", "attack": "l2", "solver.carry": "2", "solver.steps": "9"}
    trial = Trial("", "", {"solver": None, "preset": "paper", "attack": "l1"})
    assert trial.query(settings) == {"index": "3", "attack": "l1", "preset": "paper", "run": "1"}
    assert view.target("norms:9") is None
    assert view.target("nothing:trial") is None


def test_a_missing_recording_is_named_with_its_command(monkeypatch) -> None:
    monkeypatch.setattr(view, "read_manifest", lambda dataset: {})
    step = next(one for one in view.lessons() if one["key"] == "lambda")["steps"][0]
    assert step["run"] is None
    assert step["missing"].endswith("recipe mnist --only stories,lessons")
    assert view.choices() == []


def test_the_papers_experiments_are_there_by_name() -> None:
    names = [name for name, _, _ in experiments()]
    figures = [f"Figure {number}" for number in range(1, 5)]
    examples = ["Example 15", "Example 16", "Example 17"]
    tables = [f"Table {number}" for number in (1, 2, 4, 5, 6)]
    assert {*figures, *examples, *tables} <= set(names)
    assert all(link.query for _, _, link in experiments())

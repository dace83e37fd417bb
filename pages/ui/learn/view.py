"""The lessons as plain values for the browser, filled with the facts of the recorded runs."""

from __future__ import annotations

from functools import lru_cache
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode

from pages.ui.learn.facts import Facts, facts_of, measured
from pages.ui.learn.lesson import Lesson, Link, Step
from pages.ui.learn.lessons import LAMBDAS, LESSONS, NAMES
from pages.ui.stage import files
from pages.ui.stage.routes import base_path, story_address
from red_core.data.assets import read_manifest


class _Unknown:
    """In the place of a recording that has not been made."""

    def __getattr__(self, name: str) -> str:
        return "…"


def filled(text: str, here: Facts | _Unknown, known: dict[str, Any]) -> str:
    """A text with the words of its step's run (here) and of the others by name."""
    return text.format(here=here, **known)


def known_runs() -> dict[str, Any]:
    """The facts of every run that a text may name, and what was measured."""
    found = {name: facts_or_none(run) or _Unknown() for name, run in NAMES.items()}
    return {**found, "measured": SimpleNamespace(**measured(files.LESSONS))}


def facts_or_none(run: str) -> Facts | None:
    """The facts of a recorded run; None where it has not been made."""
    return facts_of(files.LESSONS, run) if run in read_manifest(files.LESSONS) else None


def lessons() -> list[dict[str, Any]]:
    """Every lesson with its steps, texts filled in, and the links it ends with; not to be changed.

    Made once for each state of the assets: a rerun of the page follows every step.
    """
    return _lessons(*_state())


def choices() -> list[dict[str, Any]]:
    """What the slider over lambda chooses from; [] where a recording is missing. As `lessons`."""
    return _choices(*_state())


def _state() -> tuple[str, tuple[str, ...]]:
    """What lessons and choices hang on: the address of the app, and the files with their sums."""
    manifest = read_manifest(files.LESSONS)
    made = (*NAMES.values(), "unknown.json", "dictionary.safetensors")
    return base_path(), tuple(manifest.get(name, {}).get("sha256", "") for name in made)


@lru_cache(maxsize=2)
def _lessons(base: str, sums: tuple[str, ...]) -> list[dict[str, Any]]:
    known = known_runs()
    urls = addresses()
    return [_lesson(lesson, known, urls) for lesson in LESSONS]


@lru_cache(maxsize=2)
def _choices(base: str, sums: tuple[str, ...]) -> list[dict[str, Any]]:
    urls, found = addresses(), list[dict[str, Any]]()
    for run in LAMBDAS:
        facts = facts_or_none(run)
        if facts is None:
            return []
        words = {name: facts.words[name] for name in ("share", "used", "blocks")}
        found.append({**words, "run": urls[run], "moment": facts.moments["end"]})
    return found


def addresses() -> dict[str, str]:
    """Where the browser gets the recorded runs of the lessons, by name."""
    offered = [each for each in files.stories() if each["dataset"] == files.LESSONS]
    return {each["name"]: story_address(each) for each in [*offered, *files.lessons()]}


def target(identity: str) -> Link | None:
    """The page that a link of a lesson leads to: "norms:trial" or "alone:0"; None for no such."""
    key, _, which = identity.partition(":")
    lesson = next((one for one in LESSONS if one.key == key), None)
    if lesson is None:
        return None
    if which == "trial":
        return _trial(lesson, known_runs())
    if which.isdecimal() and int(which) < len(lesson.links):
        return lesson.links[int(which)]
    return None


def href(link: Link) -> str:
    """The address of a page at a query."""
    page = "" if link.page == "undo.py" else link.page.removesuffix(".py")
    return f"{base_path()}/{page}?{urlencode(link.query)}"


def _lesson(lesson: Lesson, known: dict[str, Any], urls: dict[str, str]) -> dict[str, Any]:
    last = facts_or_none(lesson.steps[-1].run) or _Unknown()
    asked, trial = lesson.question, _trial(lesson, known)

    def say(text: str) -> str:
        return filled(text, last, known)

    question = {
        "text": say(asked.text),
        "choices": [say(text) for text in asked.choices],
        "right": asked.right,
        "answer": say(asked.answer),
    }
    ending = [asked.text, *asked.choices, asked.answer, *(link.text for link in lesson.links)]
    steps = [_step(step, known, urls) for step in lesson.steps]
    for place, step in enumerate(steps):
        texts = [step["title"], *step["texts"]]
        if place == len(steps) - 1:
            texts += [*map(say, ending), trial.text]
        if "verdict" in step["points"]:
            texts.append("ψ")  # a row of the verdict
        step["symbols"] = [list(pair) for pair in lesson.introduced(texts)]
    return {
        "key": lesson.key,
        "title": lesson.title,
        "steps": steps,
        "question": question,
        "trial": {"text": trial.text, "href": href(trial), "id": f"{lesson.key}:trial"},
        "links": [
            {"text": link.text, "href": href(link), "id": f"{lesson.key}:{place}"}
            for place, link in enumerate(lesson.links)
        ],
    }


def _trial(lesson: Lesson, known: dict[str, Any]) -> Link:
    facts = facts_or_none(lesson.trial.run)
    query = lesson.trial.query({} if facts is None else facts.settings)
    return Link(filled(lesson.trial.text, facts or _Unknown(), known), "undo.py", query)


def _step(step: Step, known: dict[str, Any], urls: dict[str, str]) -> dict[str, Any]:
    facts = facts_or_none(step.run)
    command = f"python -m red_core recipe {files.LESSONS} --only stories,lessons"
    return {
        "title": step.title,
        "texts": [filled(text, facts or _Unknown(), known) for text in step.texts],
        "run": urls.get(step.run) if facts else None,
        "missing": "" if facts else f"This recorded run has not been made: {command}",
        "moment": facts.moments[step.moment] if facts else 0,
        "since": facts.moments[step.since] if facts and step.since else None,
        "points": list(step.points),
        "truth": step.truth,
        "panel": step.panel,
    }

"""Lessons and recorded runs as a folder of HTML files that any web server can host.

    python -m pages.ui.learn.export FOLDER [--app https://red.example.org/]

Every file replays in the browser by itself; index.html lists them.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

from pages.ui.learn import view
from pages.ui.learn.generator_file import generator_file
from pages.ui.learn.routes import BROWSER
from pages.ui.stage import files
from pages.ui.stage.routes import base_path
from red_core.data.assets import AssetError, checked_bytes
from red_core.data.datasets import DATASETS

TITLE = "Reverse engineering of deceptions"
INDEX = "index.html"
_INDEX_STYLE = """:root { color-scheme: light dark; }
body { font-family: "Source Sans 3", "Source Sans Pro", sans-serif; line-height: 1.5;
  max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
li { margin: .3rem 0; }
a { color: inherit; }
small { opacity: .8; }"""
_LESSON_SCRIPT = """import * as stage from "stage/main.js"
import * as paint from "stage/paint.js"
import { openAlone } from "lessons/alone.js"
const data = JSON.parse(document.getElementById("data").textContent)
openAlone(document.querySelector(".learn"), data, embedded, { ...stage, ...paint })"""


class ExportError(Exception):
    """A folder that cannot be written, or a recorded run that is missing: one sentence."""


def export(folder: Path, app: str | None = None) -> list[Path]:
    """Write the files, the index first; their paths.

    folder: a new or an empty one; app: address of a running app, to which the lessons' links to try
    something live lead; they are left out without it. Raises ExportError.
    """
    _check_empty(folder)
    try:
        pages = made(app)
    except AssetError as error:
        raise ExportError(str(error)) from error
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in pages.items():
            (folder / name).write_bytes(content)
    except OSError as error:
        raise ExportError(f"cannot write into {folder}: {error.strerror}") from error
    return [folder / name for name in pages]


def made(app: str | None = None) -> dict[str, bytes]:
    """The files by name, the index first.

    Raises AssetError or ExportError where a recorded run is missing.
    """
    lessons, stories = view.lessons(), files.stories()
    pages = {INDEX: _index(lessons, stories)}
    for place, lesson in enumerate(lessons):
        after = lessons[place + 1] if place + 1 < len(lessons) else None
        pages[_lesson_name(lesson)] = _lesson_page(lesson, after, app)
    for story in stories:
        record = checked_bytes(story["dataset"], story["name"])
        pages[_story_name(story)] = files.replay_page(record, story["title"])
    return pages


def _lesson_name(lesson: dict[str, Any]) -> str:
    return f"lesson-{lesson['key']}.html"


def _story_name(story: dict[str, str]) -> str:
    return f"{story['dataset']}-{Path(story['name']).stem}.html"


def _index(lessons: Sequence[dict[str, Any]], stories: Sequence[dict[str, str]]) -> bytes:
    """The list of the files, in plain words."""

    def items(found: Sequence[tuple[str, str, str]]) -> str:
        return "\n".join(
            f'<li><a href="{name}">{escape(title)}</a>{more}</li>' for name, title, more in found
        )

    learnt = [
        (_lesson_name(lesson), lesson["title"], f" <small>({len(lesson['steps'])} steps)</small>")
        for lesson in lessons
    ]
    recorded = [
        (_story_name(story), story["title"], "")
        for dataset in DATASETS
        for story in stories
        if story["dataset"] == dataset
    ]
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>{TITLE}</title><style>{_INDEX_STYLE}</style></head>
<body><main><h1>{TITLE}</h1>
<p>A classifier is shown a picture that was changed so that it misreads it. Here a method recovers
the clean picture and the change at once, step by step. Everything below plays in this browser;
nothing is computed elsewhere.</p>
<h2>Lessons</h2>
<p>Short texts beside a recorded run, each with a question at its end.</p>
<ol>
{items(learnt)}
</ol>
<h2>Recorded runs</h2>
<p>One attacked picture each, from the first step to the verdict.</p>
<ul>
{items(recorded)}
</ul>
</main></body></html>
""".encode()


def _lesson_page(lesson: dict[str, Any], after: dict[str, Any] | None, app: str | None) -> bytes:
    """One lesson with the recorded runs that it shows, and G where a step draws with it."""
    names = {address: name for name, address in view.addresses().items()}
    panels = {step["panel"] for step in lesson["steps"]}
    missing = [step["missing"] for step in lesson["steps"] if step["missing"]]
    if missing:
        raise ExportError(missing[0])
    choices = view.choices() if "lambda" in panels else []
    drawing = bool(panels & {"draw", "line"})
    ways = [(INDEX, "all lessons and recorded runs")]
    if after is not None:
        ways.insert(0, (_lesson_name(after), f"the next lesson, “{after['title']}”"))
    links = [{"text": text, "href": href, "id": href} for href, text in ways]
    steps = [{**step, "run": names[step["run"]]} for step in lesson["steps"]]
    shown = {
        **lesson,
        "steps": steps,
        "trial": None if app is None else _on(lesson["trial"], app),
        "links": [*(_on(link, app) for link in lesson["links"] if app is not None), *links],
    }
    data = {
        "opened": 1,
        "lesson": lesson["key"],
        "step": 1,
        "playlist": [],
        "teach": False,
        "lessons": [shown],
        "choices": [{**choice, "run": names[choice["run"]]} for choice in choices],
        "generator": "generator" if drawing else "",
        "palettes": files.palettes(),
    }
    runs = sorted({each["run"] for each in (*steps, *data["choices"])})
    parts = [files.embedded(name, checked_bytes(files.LESSONS, name)) for name in runs]
    if drawing:
        parts.append(files.embedded("generator", generator_file(files.LESSONS)))
    text = json.dumps(data).replace("<", "\\u003c")  # no tag ends within the script
    return files.standalone_page(
        f"{lesson['title']} - {TITLE}",
        {"stage": files.BROWSER, "lessons": BROWSER},
        """body { margin: 0; padding: 12px; }
.lesson { height: calc(100dvh - 24px); }
.stage { --stage-height: calc(100dvh - 24px); }
@media (max-width: 900px) { .lesson { height: auto; } }""",
        "\n".join(
            [
                '<div class="learn"></div>',
                f'<script type="application/json" id="data">{text}</script>',
                *parts,
            ]
        ),
        _LESSON_SCRIPT,
    )


def _on(link: dict[str, str], app: str | None) -> dict[str, str]:
    """A link of a lesson, to a page of the app at its address."""
    return {**link, "href": f"{app}{link['href'].removeprefix(base_path())}"}


def _check_empty(folder: Path) -> None:
    try:
        if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
            what = "is not empty" if folder.is_dir() else "is a file"
            raise ExportError(f"cannot write into {folder}: it {what}; name a new folder")
    except OSError as error:
        raise ExportError(f"cannot write into {folder}: {error.strerror}") from error


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise ExportError(f"{message} (see {self.prog} --help)")


def _app_address(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise argparse.ArgumentTypeError(
            f"an address such as https://red.example.org/, not {text!r}"
        )
    return text.rstrip("/")


def main(words: Sequence[str] | None = None) -> int:
    """The command; 0, or 2 with one line about what was wrong."""
    parser = _OneLineParser(
        prog="python -m pages.ui.learn.export",
        description="Write the lessons and recorded runs as HTML files that need no server.",
    )
    parser.add_argument("folder", type=Path, help="a new or empty folder")
    parser.add_argument(
        "--app", type=_app_address, help="address of a running app, for links to try things live"
    )
    try:
        arguments = parser.parse_args(words)
        written = export(arguments.folder, arguments.app)
    except ExportError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    size = sum(path.stat().st_size for path in written)
    print(f"written   {len(written)} files, {size / 2**20:.1f} MiB: open {written[0]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())

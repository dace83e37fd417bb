"""The stage: a run drawn by the browser, from records that come over a socket of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import streamlit as st

from pages.ui.live.live_run import LiveRun
from pages.ui.stage import files
from pages.ui.stage.routes import base_path, record_address, story_address

EARLIER = "This run, computed here before"

# The modules come by a route, since relative imports fail in a component's own script. It returns
# a cleanup at once, whether the modules have come or not.
_LOADER = """
export default function (component) {
  const { data, parentElement, setTriggerValue } = component
  const root = parentElement.querySelector(".stage")
  const address = new URL(data.modules + "/main.js", location.origin)
  const mounted = import(address).then(({ mount }) =>
    mount(root, { ...data, ask: (query) => setTriggerValue("ask", query) }))
  return () => mounted.then((cleanup) => cleanup())
}
"""

_mount = st.components.v2.component(
    "red_stage",
    html='<div class="stage"></div>',
    css=(Path(__file__).parent / "browser" / "stage.css").read_text(encoding="utf-8"),
    js=_LOADER,
)


def stage(
    run: LiveRun | None,
    stories: Sequence[Mapping[str, str]],
    *,
    begin: bool = False,
    pace: str = "watch",
    recorded: bool = False,
    earlier: str | None = None,
    teach: bool = False,
    query: Mapping[str, str] | None = None,
    labels: Mapping[str, str] | None = None,
    takes: str = "",
) -> dict[str, str] | None:
    """Show a run, or the first recorded one until the visitor asks for something else.

    stories: the recorded runs to choose from, as `files.stories` lists them; begin: start the run
    as soon as the browser is there; pace: key of PACES; recorded: show the first of `stories`, or
    `earlier`, the SHA-256 of a record of this very run; teach: hide what chooses and saves, and
    keep what plays and scrubs; query: the strings of the run's link, under which the list of what
    was tried keeps it; labels: of the solver's options, for that list; takes: a
    sentence beside the button Run, of a run that takes long.
    Returns what the visitor asks for: the strings of a link, and "to": "run", a configuration to
    compute (a recorded one, or one of the list), or "pair", two of one x' side by side.
    """
    base = base_path()
    offered = [{"title": each["title"], "url": story_address(each)} for each in stories]
    if earlier is not None:
        offered.insert(0, {"title": EARLIER, "url": record_address(earlier)})
    result: Any = _mount(
        key="stage",
        data={
            "run": None if run is None else run.key,
            "begin": begin,
            "pace": pace,
            "story": offered[0]["url"] if recorded and offered else None,
            "stories": offered,
            "base": base,
            "modules": f"{base}/stage/{files.DIGEST}",
            "palettes": files.palettes(),
            "files": {kind: vars(entry) for kind, entry in files.KINDS.items()},
            "controls": "live",
            "teach": teach,
            "query": dict(query or {}),
            "labels": dict(labels or {}),
            "takes": takes,
        },
        on_ask_change=lambda: None,
    )
    asked: dict[str, str] | None = result.ask
    return asked

"""The lessons' component: the text of a step beside the stage, both drawn by the browser."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import streamlit as st

from pages.ui.learn import view
from pages.ui.learn.learn_request import LearnRequest
from pages.ui.learn.routes import BROWSER, generator_address, modules_address
from pages.ui.stage import files
from pages.ui.stage.routes import base_path

# As the stage's own: the modules come by a route, and a cleanup is returned at once.
_LOADER = """
export default function (component) {
  const { data, parentElement, setStateValue, setTriggerValue } = component
  const root = parentElement.querySelector(".learn")
  const from = (address) => import(new URL(address, location.origin))
  const modules = [`${data.stage}/main.js`, `${data.stage}/paint.js`, `${data.modules}/lesson.js`]
  const callbacks = {
    report: (at) => setStateValue("at", at),
    leave: (id) => setTriggerValue("leave", id),
  }
  const opened = Promise.all(modules.map(from)).then(([stage, paint, lesson]) =>
    lesson.open(root, { ...data, ...callbacks }, { ...stage, ...paint }))
  return () => opened.then((cleanup) => cleanup())
}
"""

_mount = st.components.v2.component(
    "red_learn",
    html='<div class="learn"></div>',
    css="\n".join(
        (folder / name).read_text(encoding="utf-8")
        for folder, name in ((files.BROWSER, "stage.css"), (BROWSER, "lesson.css"))
    ),
    js=_LOADER,
)


@dataclass(frozen=True)
class ComponentState:
    """What the component reports: at: the step it shows ("2:norms.3"); leave: a link's identity."""

    at: str | None
    leave: str | None


def lessons(current: LearnRequest, opened: int) -> ComponentState:
    """Show the step of a request; opened: the number of the address that asked for it."""
    result: Any = _mount(
        key="learn",
        data={
            "opened": opened,
            "lesson": current.lesson,
            "step": current.step,
            "playlist": [list(place) for place in current.playlist],
            "teach": current.teach,
            "lessons": view.lessons(),
            "choices": view.choices(),
            "generator": generator_address(),
            "palettes": files.palettes(),
            "stage": f"{base_path()}/stage/{files.DIGEST}",
            "modules": modules_address(),
        },
        on_at_change=lambda: None,
        on_leave_change=lambda: None,
    )
    return ComponentState(result.at, result.leave)

"""The component that shows two runs: the stage's modules, twice, with one transport."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.ui.live.live_run import LiveRun
from pages.ui.pair.differences import differences, sentence
from pages.ui.pair.pair_request import PairRequest, alone
from pages.ui.stage import files
from pages.ui.stage.routes import base_path
from pages.ui.undo.help_texts import OPTION_LABELS

_LOADER = """
export default function (component) {
  const { data, parentElement } = component
  const root = parentElement.querySelector(".pair")
  const address = new URL(data.modules + "/pair.js", location.origin)
  const mounted = import(address).then(({ mountPair }) => mountPair(root, data))
  return () => mounted.then((cleanup) => cleanup())
}
"""

_mount = st.components.v2.component(
    "red_pair",
    html='<div class="stage pair"></div>',
    css="\n".join(
        (path / name).read_text(encoding="utf-8")
        for path, name in ((files.BROWSER, "stage.css"), (Path(__file__).parent, "pair.css"))
    ),
    js=_LOADER,
)


def pair(request: PairRequest, first: LiveRun, other: LiveRun) -> None:
    """Show the two runs of a request."""
    base = base_path()
    _mount(
        key="pair",
        data={
            "first": first.key,
            "other": other.key,
            "queries": [alone(request, 0), alone(request, 1)],
            "sentence": sentence(request),
            "differences": [list(each) for each in differences(request)],
            "begin": request.first.run,
            "pace": request.first.pace,
            "teach": request.first.teach,
            "base": base,
            "modules": f"{base}/stage/{files.DIGEST}",
            "palettes": files.palettes(),
            "labels": OPTION_LABELS,
        },
    )

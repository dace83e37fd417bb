"""The link and the command that repeat a run, and an own image for the command."""

from __future__ import annotations

import io
from urllib.parse import urlencode

import numpy as np
import streamlit as st

from pages.ui.live.live_run import LiveRun
from pages.ui.stage.files import OWN_FILE
from pages.ui.undo.undo_registry import takes_official
from red_core.data.archive import DOWNLOADABLE
from red_core.data.own_datasets import base_of
from red_core.run.settings import RunSettings


def command(settings: RunSettings) -> str:
    """The command line that repeats a run on this machine."""
    line = settings.as_command(OWN_FILE)
    bundled = base_of(settings.dataset) not in DOWNLOADABLE
    if settings.source == "example" and bundled and takes_official(settings.dataset):
        # There --index would mean the official test set; the page shows the bundled examples.
        line = f"env RED_DATA=none {line}"
    return line


def export(run: LiveRun, query: dict[str, str]) -> None:
    """Draw the link and the command; the stage itself saves the files of a run."""
    st.subheader("Link and command", anchor=False)
    st.caption("This link repeats the run to the same iterates.")
    st.code(f"{st.context.url or ''}?{urlencode({**query, 'run': '1'})}", None, wrap_lines=True)
    st.caption("So does this command.")
    st.code(command(run.settings), "bash", wrap_lines=True)
    if run.own is not None:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, image=run.own.squeeze(0).cpu().numpy())
        st.download_button(
            "Image for the command", buffer.getvalue(), OWN_FILE, "application/octet-stream",
            help="Your image as the solver got it; save it where the command runs.",
            key="save-own", on_click="ignore",
        )  # fmt: skip

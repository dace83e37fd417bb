"""The projects of the app: opened when it starts, because the operator named their folders.

    streamlit run app.py -- --project DIR [--project DIR ...]

Each is one more data set on the pages, under its own name. Nothing on the web can open one: its
code runs when a page loads its parts.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import NoReturn

import streamlit as st

from pages.ui.look.literal import literal
from red_core.data.assets import AssetError
from red_core.data.own_datasets import OwnDataset, own_dataset
from red_core.run.project import ProjectError, open_project


class StartError(ValueError):
    """A command line that the app cannot start with; one sentence for the operator."""


class _OneLineParser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise StartError(f"{message}: the app takes --project DIR, once for every project")


def open_named(words: Sequence[str]) -> list[OwnDataset]:
    """Open the projects of a command line, in its order.

    words: what stands behind `--` of `streamlit run app.py`. Raises StartError, one sentence, for
    other words and for a folder that is no project.
    """
    parser = _OneLineParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--project", action="append", default=[], metavar="DIR")
    try:
        return [open_project(folder) for folder in parser.parse_args(list(words)).project]
    except (ProjectError, AssetError) as error:
        raise StartError(str(error)) from error


def origin_note(dataset: str) -> None:
    """Beneath a choice of data set: where a project's parts are from."""
    own = own_dataset(dataset)
    if own is not None:
        st.caption(literal(f"Project {own.title}: {own.origin}."))

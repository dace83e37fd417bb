"""A method's card: pictures, answers, time; a small Components v2 component.

A card changes in place and never its size. What an iterative method went through travels once, as
a sheet of its frames; which of them is shown follows the page's one scrubber in the browser alone
(`scrubber`), so that all cards move together and nothing waits for the server.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

_HERE = Path(__file__).parent

_mount = st.components.v2.component(
    "red_compare_card",
    html='<article class="card"></article>',
    css=(_HERE / "card.css").read_text(encoding="utf-8"),
    js=(_HERE / "card.js").read_text(encoding="utf-8"),
)


@dataclass(frozen=True)
class Picture:
    """A picture: its URL ("" draws an empty place), name, caption, and what stands in its place."""

    source: str
    name: str
    caption: str
    instead: str = ""


@dataclass(frozen=True)
class Answer:
    """A row of answers: what is asked, what the method says, right, wrong or "", and its colour.

    given: whether it is an answer at all, and not the place of one.
    """

    asked: str
    said: str
    given: bool = False
    mark: str = ""
    colour: str = ""


@dataclass(frozen=True)
class Strip:
    """An iterative method's frames side by side, and a caption for each."""

    source: str
    captions: tuple[str, ...]


@dataclass(frozen=True)
class Card:
    """What a card shows. status: a word or two; busy: whether the method is at work; message: a
    sentence in place of the pictures, where there will be none; strip: of the first picture.
    """

    title: str
    about: str
    status: str
    busy: bool
    message: str
    pictures: tuple[Picture, Picture]
    answers: tuple[Answer, ...]
    strip: Strip | None = None


def card(shown: Mapping[str, Any], *, key: str) -> None:
    """Draw a card; its width is the container's.

    shown: a `Card` in plain values, with the name of the slot that brings more.
    """
    _mount(key=key, data=dict(shown))

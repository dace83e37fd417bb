"""What is below the lessons: the paper's experiments by name, and a playlist for a class."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlencode

import streamlit as st

from pages.ui.learn.learn_request import LearnRequest, Place, as_query, read_place, written
from pages.ui.learn.lessons import LESSONS
from pages.ui.learn.lessons import experiments as named_experiments

_COLUMNS = 3


def experiments() -> None:
    """Every figure, example and table of the paper, with a link to the page that shows it."""
    with st.expander("The paper's experiments, and where they are"):
        columns = st.columns(_COLUMNS)
        found = named_experiments()
        for place, (name, words, link) in enumerate(found):
            columns[place * _COLUMNS // len(found)].page_link(
                link.page, label=f"**{name}**: {words}", query_params=dict(link.query)
            )
        st.caption(
            "Table 3 lists the layers of ψ, the classifier that is attacked; there is nothing to "
            "run in it."
        )


def playlist_maker(current: LearnRequest) -> None:
    """Choose steps, get one link for a class."""
    titles = {
        written((lesson.key, place + 1)): f"{lesson.title}: {step.title}"
        for lesson in LESSONS
        for place, step in enumerate(lesson.steps)
    }
    with st.expander("A playlist for a class"):
        chosen = st.multiselect(
            "Steps, in the order in which they are shown",
            list(titles),
            default=[written(place) for place in current.playlist if written(place) in titles],
            format_func=titles.__getitem__,
            key="learn.playlist",
        )
        if not chosen:
            st.caption("Choose some steps: one link then shows these, and nothing else.")
            return
        places: tuple[Place, ...] = tuple(read_place(text) for text in chosen)
        listed = replace(
            current, playlist=places, lesson=places[0][0], step=places[0][1], teach=True
        )
        st.caption("This link shows these steps without controls.")
        address = (st.context.url or "").split("?")[0]
        st.code(f"{address}?{urlencode(as_query(listed), safe=',')}", None, wrap_lines=True)

"""The state of the page "Learn"."""

from __future__ import annotations

from dataclasses import replace

from pages.ui.learn.learn_request import LearnRequest, as_query, from_query, read_place
from pages.ui.link.page_request import PageRequest

PAGE = PageRequest(
    "learn", as_query, from_query, leads_to=("reverse", "tables", "landscape", "error_bound")
)


def moved_to(current: LearnRequest, reported: str | None) -> LearnRequest:
    """Keep the step that the component shows; reported: "2:norms.3", None before the first.

    The number is that of the address that was opened last: what the component reports of an older
    one no longer counts.
    """
    number, _, text = (reported or "").partition(":")
    if number != str(PAGE.renewed):
        return current
    try:
        lesson, step = read_place(text)
    except ValueError:  # not from our component
        return current
    return PAGE.keep(replace(current, lesson=lesson, step=step))

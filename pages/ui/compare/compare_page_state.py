"""The state of the page "Compare"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pages.ui.compare.compare_registry import compare_registry, image_key
from pages.ui.compare.compare_request import CompareRequest, as_query, from_query, image_of
from pages.ui.compare.opening import opening
from pages.ui.link import page_state as main_page
from pages.ui.link.page_request import PageRequest
from pages.ui.link.page_state import models_of
from pages.ui.live.queue_status import in_turn
from pages.ui.undo.undo_registry import RunContext
from pages.ui.undo.undo_request import Request
from red_core.run.settings import RunSettings


def _opened(query: Mapping[str, str]) -> tuple[CompareRequest, list[str]]:
    """The request of a link.

    A first visit without one begins with the main page's present image, or, where none was
    chosen there, with an example on which the methods differ (`opening`).
    """
    request, warnings = from_query(query)
    if not query:
        request = _opening(main_page.PAGE.known)
    return request, warnings


PAGE = PageRequest("compare", as_query, _opened)
load_request = PAGE.load


def read_url() -> CompareRequest:
    """The request this run of the page begins with, as this machine can show it."""
    PAGE.read_url()
    there, _, changes = main_page.acceptable(Request(PAGE.current.settings, PAGE.current.own))
    if changes:
        PAGE.warn(*changes)
        PAGE.change(settings=there.settings)
        PAGE.renew()
    return PAGE.current


def _opening(there: Request | None) -> CompareRequest:
    """What a visit without a query begins with; there: what the main page holds."""
    chosen = there is not None and image_of(there.settings) != image_of(RunSettings())
    if there is not None and (chosen or there.own is not None):
        return CompareRequest(there.settings, there.own)
    usual = RunSettings()
    return opening(usual.dataset, len(models_of(usual).bundle.examples))


def update_request(request: CompareRequest) -> CompareRequest:
    """Keep what the controls ask for; another image ends the wish to run, and old warnings."""
    other = image_key(request) != image_key(PAGE.current)
    if other:
        request = replace(request, run=False, sweep=False)
    return PAGE.keep(request, other=other)


def context_of(current: CompareRequest) -> RunContext:
    """Load the models and craft x', in turn with everybody's computing."""
    parts = models_of(current.settings)
    made = in_turn(
        "craft the attack",
        "Crafting the attack",
        lambda tell: compare_registry().images.craft(parts, current.settings, current.own, tell),
    )
    return RunContext(current.settings, parts, made, image_key(current))

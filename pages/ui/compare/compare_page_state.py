"""The state of the page "Compare"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pages.ui.compare.compare_registry import compare_registry, image_key
from pages.ui.compare.compare_request import CompareRequest, as_query, from_query, image_of
from pages.ui.compare.opening import opening
from pages.ui.link import page_state as main_page
from pages.ui.link.page_request import PageRequest
from pages.ui.link.page_state import OWN_TARGET, models_of, without_own_target
from pages.ui.live.queue_status import in_turn
from pages.ui.undo.undo_registry import RunContext, devices
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
    if request.settings.device not in devices():
        warnings.append(
            f"This machine has no {request.settings.device} device: auto takes its place."
        )
        request = replace(request, settings=replace(request.settings, device="auto"))
    return request, warnings


PAGE = PageRequest("compare", as_query, _opened)
load_request = PAGE.load


def read_url() -> CompareRequest:
    """The request this run of the page begins with."""
    PAGE.read_url()
    return _within_examples()


def _opening(there: Request | None) -> CompareRequest:
    """What a visit without a query begins with; there: what the main page holds."""
    chosen = there is not None and image_of(there.settings) != image_of(RunSettings())
    if there is not None and (chosen or there.own is not None):
        return CompareRequest(there.settings, there.own)
    usual = RunSettings()
    return opening(usual.dataset, len(models_of(usual).bundle.examples))


def _within_examples() -> CompareRequest:
    """The current request, with example 0 in the place of one that there is not."""
    current = PAGE.current
    count = len(models_of(current.settings).bundle.examples)
    if current.settings.index >= count:
        PAGE.warn(
            f"There is no example {current.settings.index}: the bundled ones are numbered 0 to "
            f"{count - 1}. Example 0 takes its place."
        )
        current = PAGE.change(settings=replace(current.settings, index=0))
        PAGE.renew()
    bundle = models_of(current.settings).bundle
    settings = without_own_target(current.settings, current.own, bundle)
    if settings != current.settings:
        PAGE.warn(OWN_TARGET)
        current = PAGE.change(settings=settings)
        PAGE.renew()
    return current


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

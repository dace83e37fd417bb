"""The state of the main page, and the models of a request."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st
from torch import Tensor

from pages.ui.link.page_request import PageRequest
from pages.ui.live.loaded_models import LoadedModels
from pages.ui.look.literal import literal
from pages.ui.undo.undo_controls import seed_widgets
from pages.ui.undo.undo_registry import devices, digest, load_models
from pages.ui.undo.undo_request import Request, as_query, canonical, from_query
from pages.ui.undo.widget_scope import same_numbers
from red_core.algorithm.presets import DEFAULT_PRESET, OWN, presets_of
from red_core.data.archive import DOWNLOADABLE, is_there
from red_core.data.assets import AssetError
from red_core.data.datasets import SHAPES, TITLES
from red_core.data.own_datasets import base_of
from red_core.run.bundle import Bundle, choose_device, has_generator
from red_core.run.experiment import aims_at_own_class, clean_example
from red_core.run.photographs import has_photographs
from red_core.run.project import ProjectError
from red_core.run.settings import RunSettings

PAGE = PageRequest("reverse", as_query, from_query)
OWN_TARGET = "The target class is left out: it is the image's own class."


def read_url() -> tuple[Request, Bundle]:
    """The request this run of the page begins with, and the bundle of trained models."""
    fresh = PAGE.read_url()
    PAGE.current, bundle, more = acceptable(PAGE.current)
    PAGE.warn(*more)
    if fresh or "ui.source" not in st.session_state:
        seed_widgets(PAGE.current, bundle)
    return PAGE.current, bundle


def acceptable(request: Request) -> tuple[Request, Bundle, list[str]]:
    """The request as this machine can run it, its models, and a sentence about every change.

    What a URL may name and a machine lack: a device, a generator, an example, another target.
    """
    settings, warnings = request.settings, list[str]()
    if settings.device not in devices():
        warnings.append(f"This machine has no {settings.device} device: auto takes its place.")
        settings = replace(settings, device="auto")
    with_generator = _with_made_generator(settings)
    if with_generator != settings:
        warnings.append(
            f"The paper's own generator of {TITLES[settings.dataset]} has not been "
            "made on this machine: ours takes its place."
        )
        settings = with_generator
    settings, there = with_image(settings)
    warnings += there
    bundle = models_of(settings).bundle
    aimed = without_own_target(settings, request.own, bundle)
    if aimed != settings:
        warnings.append(OWN_TARGET)
    return replace(request, settings=aimed), bundle, warnings


def with_image(settings: RunSettings) -> tuple[RunSettings, list[str]]:
    """The settings with an image that there is, and a sentence where theirs is not."""
    if settings.source == "photograph" and not has_photographs(settings.dataset):
        return replace(settings, source="example", index=0), []
    count = len(models_of(settings).bundle.examples)
    if settings.index < count:
        return settings, []
    what = settings.source
    return replace(settings, index=0), [
        f"There is no {what} {settings.index}: the bundled ones are numbered 0 to {count - 1}. "
        f"{what.capitalize()} 0 takes its place."
    ]


def galleries_of(settings: RunSettings) -> dict[str, Bundle]:
    """By the source of RunSettings: what may be chosen from, in the order in which it is shown."""
    sources = [*(["photograph"] if has_photographs(settings.dataset) else []), "example"]
    return {
        source: models_of(replace(settings, source=source, index=0)).bundle for source in sources
    }


def without_own_target(settings: RunSettings, own: Tensor | None, bundle: Bundle) -> RunSettings:
    """The settings without a target that is the image's own class."""
    if settings.source == "own" and own is None:
        return settings
    _, label = clean_example(bundle, settings, own)
    return replace(settings, target=None) if aims_at_own_class(settings, label) else settings


def load_request(request: Request) -> None:
    """Take over a whole request, as if its URL had been opened."""
    PAGE.load(replace(request, settings=canonical(request.settings)))
    seed_widgets(PAGE.current, models_of(request.settings).bundle)


def switch(dataset: str) -> None:
    """Take another data set and keep everything else that it can take: for the picker.

    Budgets, preset and the solver's options are kept where they mean the same there.
    """
    settings, own = PAGE.current.settings, PAGE.current.own
    if settings.source == "photograph":  # the other data set may have none
        settings = replace(settings, source="example", index=0)
    if not same_numbers(settings.dataset, dataset):
        known = settings.preset in presets_of(dataset)
        preset = settings.preset if known else DEFAULT_PRESET
        settings = replace(settings, preset=DEFAULT_PRESET, generator=OWN, solver=())
        settings = replace(settings, eps=None, step_size=None, attack_steps=None)
        settings = replace(settings, dataset=dataset, preset=preset)
    else:
        settings = _with_made_generator(replace(settings, dataset=dataset))
    if settings.source in ("example", "photograph"):
        settings = first_picture(settings)
    if own is not None and tuple(own.shape) != SHAPES[dataset]:
        settings, own = first_picture(settings), None
    request = replace(PAGE.current, settings=canonical(settings), own=own, run=False)
    PAGE.keep(request, other=True)
    state = st.session_state
    state["ui.picture"] = first_picture(replace(settings, source="example")).source
    state["ui.index"] = settings.index


def first_picture(settings: RunSettings) -> RunSettings:
    """The settings on the picture that their data set begins with: a photograph where it has any.

    Otherwise an example's number stays what it is.
    """
    if has_photographs(settings.dataset):
        return replace(settings, source="photograph", index=0)
    index = settings.index if settings.source == "example" else 0
    return replace(settings, source="example", index=index)


def update_request(settings: RunSettings, own: Tensor | None) -> Request:
    """Keep what the controls ask for; a change ends the wish to run and old warnings."""
    before = PAGE.current
    own = own if settings.source == "own" else None
    other = settings != before.settings or digest(own) != digest(before.own)
    run = before.run and not other
    return PAGE.keep(replace(before, settings=settings, own=own, run=run), other=other)


def _with_made_generator(settings: RunSettings) -> RunSettings:
    """The settings, with our own generator where theirs has not been made."""
    made = settings.generator == OWN or has_generator(settings.dataset, settings.generator)
    return settings if made else replace(settings, generator=OWN)


def models_of(settings: RunSettings) -> LoadedModels:
    """The loaded models, or the page ends with one clear message."""
    try:
        dataset, base = settings.dataset, base_of(settings.dataset)
        there = base in DOWNLOADABLE and is_there(base)
        device = str(choose_device(settings.device))
        parts = load_models(dataset, device, there, settings.generator)
        return parts.photographs if settings.source == "photograph" else parts
    except (AssetError, ProjectError) as error:
        st.error(literal(f"The trained files cannot be used. {error}", commands=True))
        st.stop()

"""The sidebar of the page "Compare". Widgets begin with the current request and answer the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.ui.compare import compare_help_texts as texts
from pages.ui.compare.compare_page_state import PAGE, load_request
from pages.ui.compare.compare_request import (
    STORY,
    CompareRequest,
    first_choice,
    image_of,
    main_page,
)
from pages.ui.compare.opening import opening
from pages.ui.link import page_state as main
from pages.ui.link.page_state import (
    first_picture,
    galleries_of,
    models_of,
    without_own_target,
)
from pages.ui.link.projects import origin_note
from pages.ui.look.literal import literal_from, refused_settings
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.undo.undo_registry import devices, digest
from pages.ui.widgets.download_offer import drawn_note
from pages.ui.widgets.gallery import first_of, galleries
from red_core.attacks.pgd import ATTACKS, MAX_EPS, MAX_STEPS, PAPER_ATTACKS, AttackSettings
from red_core.data.assets import is_made
from red_core.data.datasets import CLASSES, TITLES
from red_core.run.settings import MAX_SEED, RunSettings, SettingsError

_ANY = "any other class"


def controls(current: CompareRequest) -> CompareRequest:
    """Draw the controls; the request they ask for, or the current one if it is refused."""
    st.subheader("Image", anchor=False)
    dataset = _dataset(current)
    origin_note(dataset)
    if dataset != current.settings.dataset:
        # The same methods, so far as the data set has them; its own story in the place of one.
        chosen = current.methods
        methods = STORY if chosen == first_choice(current.settings.dataset) else chosen
        usual = RunSettings(dataset=dataset)
        first = opening(dataset, len(models_of(usual).bundle.examples))
        load_request(replace(first, methods=methods, sweep=False))
        st.rerun()
    _image(current)
    st.subheader("Attack", anchor=False)
    try:
        settings = image_of(replace(current.settings, **_attack(current.settings)))
        bundle = models_of(current.settings).bundle
        if without_own_target(settings, current.own, bundle) != settings:
            raise SettingsError("the target class is the image's own class")
    except SettingsError as error:
        st.error(refused_settings(error))
        return current
    current = replace(current, settings=settings)
    _links(current)
    return current


def available() -> list[str]:
    """The data sets whose trained parts are there."""
    return [name for name in CLASSES if is_made(name)]


def _dataset(current: CompareRequest) -> str:
    known = available()
    if len(known) < 2 or current.settings.dataset not in known:
        return current.settings.dataset
    chosen = st.segmented_control(
        "Data set", known, format_func=literal_from(TITLES), required=True,
        default=current.settings.dataset, help=texts.DATASET, key=PAGE.key("dataset"),
        width="stretch",
    )  # fmt: skip
    return str(chosen or current.settings.dataset)


def _image(current: CompareRequest) -> None:
    """The gallery; what is not from it is only shown."""
    bundles = galleries_of(current.settings)
    if current.settings.source not in bundles:
        own = current.settings.source == "own"
        st.caption("An image of your own." if own else "An image that G made from the seed.")
        st.button(
            "Choose from the gallery", key=PAGE.key("gallery"), on_click=load_request,
            help="Takes an image of the gallery in its place.",
            args=(
                replace(
                    current,
                    own=None,
                    settings=first_picture(replace(current.settings, source="example")),
                ),
            ),
        )  # fmt: skip
        return
    source, index = current.settings.source, current.settings.index
    bundle = bundles[source]
    names, label = bundle.class_names, int(bundle.examples.labels[index])

    def to_picture(source: str, index: int) -> None:
        settings = replace(current.settings, source=source, index=index)
        load_request(replace(current, settings=settings))

    def to_class() -> None:
        to_picture(*first_of(bundles, st.session_state[PAGE.key("class")]))

    st.subheader("Class", anchor=False)
    st.pills(
        "Class", range(len(names)), format_func=literal_from(names), required=True, default=label,
        help=texts.CLASS, label_visibility="collapsed", key=PAGE.key("class"),
        on_change=PAGE.unless_renewed(to_class),
    )  # fmt: skip
    galleries(
        *(bundles, label, (source, index), to_picture),
        key="compare.thumbnails",
        attack=current.settings.attack,
        before_examples=lambda: drawn_note(bundle.dataset),
    )


def _attack(settings: RunSettings) -> dict[str, Any]:
    """The attack's part of RunSettings, and what everything random starts from."""
    kind = st.segmented_control(
        "Norm", [*ATTACKS, "none"], format_func=ATTACK_LABELS.__getitem__, required=True,
        default=settings.attack, help=texts.ATTACK, key=PAGE.key("attack"), width="stretch",
    ) or settings.attack  # fmt: skip
    chosen: dict[str, Any] = {"attack": kind}
    crafted = kind != "none" and settings.source != "realizable"
    if crafted:
        now = _now(settings, kind)
        paper = PAPER_ATTACKS[settings.dataset][kind]
        chosen["eps"] = PAGE.real(
            "Budget ε", f"eps.{kind}", now.eps, 0, MAX_EPS[kind], paper.eps / 4,
            texts.EPS.format(paper=paper.eps),
        )  # fmt: skip
    with st.expander("More"):
        if crafted:
            chosen.update(_steps(settings, kind))
        chosen["seed"] = PAGE.whole("Seed", "seed", settings.seed, 0, MAX_SEED, texts.SEED)
        known = devices()
        chosen["device"] = st.selectbox(
            "Device", known, known.index(settings.device), help=texts.DEVICE,
            key=PAGE.key("device"),
        )  # fmt: skip
    return chosen


def _now(settings: RunSettings, kind: str) -> AttackSettings:
    """The current attack, or the paper's where another norm has been chosen."""
    current = settings.attack_settings() if kind == settings.attack else None
    return PAPER_ATTACKS[settings.dataset][kind] if current is None else current


def _steps(settings: RunSettings, kind: str) -> dict[str, Any]:
    """How PGD goes, and where to."""
    now, paper = _now(settings, kind), PAPER_ATTACKS[settings.dataset][kind]
    names = CLASSES[settings.dataset]
    step_size = PAGE.real(
        "Step size", f"step_size.{kind}", now.step_size, 0, MAX_EPS[kind], paper.step_size / 4,
        texts.STEP_SIZE.format(paper=paper.step_size),
    )  # fmt: skip
    steps = PAGE.whole(
        "PGD steps", f"steps.{kind}", now.steps, 1, MAX_STEPS,
        texts.STEPS.format(paper=paper.steps),
    )  # fmt: skip
    target = st.selectbox(
        "Target", [_ANY, *range(len(names))],
        0 if settings.target is None else settings.target + 1,
        format_func=lambda label: label if label == _ANY else names[label],
        help=texts.TARGET, key=PAGE.key("target"),
    )  # fmt: skip
    return {
        "step_size": step_size,
        "attack_steps": steps,
        "target": None if target == _ANY else target,
    }


def _links(current: CompareRequest) -> None:
    """To the main page with this image, and from it with that one."""
    there = main.PAGE.known
    st.page_link(
        "undo.py", label="Open on the main page", icon=":material/open_in_new:",
        query_params=main_page(current, there),
    )  # fmt: skip
    if there is None:
        return
    same = image_of(there.settings) == current.settings and digest(there.own) == digest(current.own)
    st.button(
        "Take the main page's image", key="compare.take", help=texts.TAKE, disabled=same,
        on_click=load_request,
        args=(replace(current, settings=image_of(there.settings), own=there.own),),
    )  # fmt: skip

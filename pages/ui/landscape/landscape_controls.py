"""The sidebar of the page "Landscape". Widgets begin with the current request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.ui.landscape import landscape_help_texts as texts
from pages.ui.landscape.landscape_page_state import PAGE, load_request
from pages.ui.landscape.landscape_request import (
    KINDS,
    MAX_LAYERS,
    MAX_M,
    MAX_RATE,
    PLANE_FAMILIES,
    LandscapeRequest,
)
from pages.ui.link.page_state import models_of
from pages.ui.link.projects import origin_note
from pages.ui.look.labels import ACTIVATION_LABELS, SCALE_LABELS
from pages.ui.look.literal import literal_from, refused_settings
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.widgets.download_offer import drawn_note
from pages.ui.widgets.gallery import gallery, indices_of
from red_core.data.assets import is_made
from red_core.data.datasets import CLASSES, NOUNS, TITLES
from red_core.parse import written
from red_core.run.settings import MAX_SEED
from red_core.synthetic import ACTIVATIONS, FAMILIES, SCALES, InstanceSettings

WDC_CONSTANTS = tuple(float(f"1e{exponent}") for exponent in range(-28, 0, 2))


def controls(current: LandscapeRequest) -> LandscapeRequest:
    """Draw the controls; the request they ask for, or the current one if it is refused."""
    try:
        return _synthetic(current) if current.show == "synthetic" else _real(current)
    except ValueError as error:
        st.error(refused_settings(error))
        return current


def _synthetic(current: LandscapeRequest) -> LandscapeRequest:
    st.subheader("Network", anchor=False)
    settings = _network(current)
    st.subheader("Descent", anchor=False)
    rate = PAGE.real(
        "Step size η, times the safe one", "rate", current.rate, 0.05, MAX_RATE, 0.25, texts.RATE
    )
    st.subheader("Picture", anchor=False)
    log = st.toggle("log₁₀ f", current.log, help=texts.LOG, key=PAGE.key("log"))
    basins = st.toggle(
        "Colour the basins", current.basins, help=texts.BASINS, key=PAGE.key("basins")
    )
    with st.expander("More"):
        wdc = _wdc(current.wdc)
    return replace(current, settings=settings, rate=rate, log=log, basins=basins, wdc=wdc)


def _wdc(now: float) -> float:
    """The constant for which Corollary 4's balls are drawn, 0 for none."""
    known = {written(value): value for value in sorted({0.0, *WDC_CONSTANTS, now})}
    # As texts: Streamlit takes numbers for equal that differ by less than 5e-13.
    chosen = st.select_slider(
        "Excluded balls for a WDC constant", list(known), written(now), help=texts.BALLS,
        format_func=lambda text: text if known[text] else "none", key=PAGE.key("wdc"),
    )  # fmt: skip
    return known[str(chosen)]


def _real(current: LandscapeRequest) -> LandscapeRequest:
    index, kind = current.index, current.kind
    if current.show == "image":
        st.subheader("Image", anchor=False)
        _dataset(current)
        bundle = models_of(current.run_settings()).bundle
        examples, names = bundle.examples, bundle.class_names
        label = int(examples.labels[index])
        drawn_note(bundle.dataset)

        def to_class() -> None:
            chosen = st.session_state[PAGE.key("class")]
            first = indices_of(bundle, chosen)[0]
            load_request(replace(current, index=first))

        noun = NOUNS[current.dataset].one.capitalize()
        st.subheader(noun, anchor=False)
        st.pills(
            noun, range(len(names)), format_func=literal_from(names), required=True, default=label,
            help=texts.IMAGE, label_visibility="collapsed", key=PAGE.key("class"),
            on_change=PAGE.unless_renewed(to_class),
        )  # fmt: skip
        gallery(
            *(bundle, label, index, lambda i: load_request(replace(current, index=i))),
            key="landscape.gallery", attack=kind,
        )  # fmt: skip
        st.subheader("Attack", anchor=False)
        kind = st.segmented_control(
            "Norm", KINDS, format_func=ATTACK_LABELS.__getitem__, required=True, default=kind,
            help=texts.KIND, key=PAGE.key("kind"), width="stretch",
        ) or kind  # fmt: skip
    else:
        st.subheader("Run", anchor=False)
        st.caption(texts.MAIN_RUN)
        st.page_link("undo.py", label="To the main page", icon=":material/arrow_back:")
    st.subheader("Picture", anchor=False)
    log = st.toggle("log₁₀ f", current.log, help=texts.LOG, key=PAGE.key("log"))
    return replace(current, index=index, kind=kind, log=log)


def _dataset(current: LandscapeRequest) -> None:
    """The picker of the data set; the index and the attack stay."""
    names = [name for name in CLASSES if name == current.dataset or is_made(name)]

    def to_dataset() -> None:
        load_request(replace(current, dataset=st.session_state[PAGE.key("dataset")]))

    st.segmented_control(
        "Data set", names, format_func=literal_from(TITLES), required=True, default=current.dataset,
        help=texts.DATASET, key=PAGE.key("dataset"),
        on_change=PAGE.unless_renewed(to_dataset), width="stretch",
    )  # fmt: skip
    origin_note(current.dataset)


def _network(current: LandscapeRequest) -> InstanceSettings:
    now = current.settings

    def to_family() -> None:
        """A family comes with a scale and layers of its own, and some with a least m."""
        chosen = st.session_state[PAGE.key("family")]
        m = max(now.m, FAMILIES[chosen].least_m)
        load_request(
            replace(current, settings=replace(now, family=chosen, m=m, layers=1, scale=None))
        )

    def to_activation() -> None:
        """An activation comes with a parameter of its own."""
        chosen = st.session_state[PAGE.key("activation")]
        load_request(replace(current, settings=replace(now, activation=chosen, parameter=None)))

    family = FAMILIES[now.family]
    st.selectbox(
        "Family of W", PLANE_FAMILIES, PLANE_FAMILIES.index(now.family), help=texts.FAMILY,
        format_func=lambda name: FAMILIES[name].title, key=PAGE.key("family"),
        on_change=PAGE.unless_renewed(to_family),
    )  # fmt: skip
    st.caption(family.note)
    names = list(ACTIVATIONS)
    st.selectbox(
        "Activation σ", names, names.index(now.activation), help=texts.ACTIVATION,
        format_func=ACTIVATION_LABELS.__getitem__, key=PAGE.key("activation"),
        on_change=PAGE.unless_renewed(to_activation),
    )  # fmt: skip
    values: dict[str, Any] = {}
    with st.expander("More"):
        left, right = st.columns(2, wrap=False)
        with left:
            values["m"] = PAGE.whole("Outputs m", "m", now.m, 2, MAX_M, texts.M)
        if family.layers is None:
            with right:
                values["layers"] = PAGE.whole(
                    "Layers", "layers", now.layers, 1, MAX_LAYERS, texts.LAYERS
                )
        if now.parameter is not None:
            leaky = now.activation == "leaky_relu"
            label, text = ("Slope below zero", texts.SLOPE) if leaky else ("β", texts.BETA)
            most, step = (1.0, 0.05) if leaky else (100.0, 1.0)
            values["parameter"] = PAGE.real(
                label, "parameter", now.parameter, 0.01, most, step, text
            )
        if now.family == "example15":
            values["noise"] = PAGE.real(
                "Noise of the rows", "noise", now.noise, 0, 10, 0.25, texts.NOISE
            )
        left, right = st.columns(2, wrap=False)
        with left:
            values["scale"] = st.selectbox(
                "Scale of W", SCALES, SCALES.index(now.scale or SCALES[0]), help=texts.SCALE,
                format_func=SCALE_LABELS.__getitem__, key=PAGE.key("scale"),
            )  # fmt: skip
        with right:
            values["seed"] = PAGE.whole("Seed", "seed", now.seed, 0, MAX_SEED, texts.SEED)
    return replace(now, **values)

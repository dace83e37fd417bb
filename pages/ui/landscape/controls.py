"""The sidebar of the page "Landscape". Widgets start from the held request and answer the next."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.ui.labels import ACTIVATION_LABELS, SCALE_LABELS
from pages.ui.landscape import texts
from pages.ui.landscape.arrival import PREFIX
from pages.ui.landscape.request import (
    MAX_LAYERS,
    MAX_M,
    MAX_RATE,
    PLANE_FAMILIES,
    LandscapeRequest,
)
from red_core.settings import MAX_SEED
from red_core.synthetic import ACTIVATIONS, FAMILIES, SCALES, InstanceSettings


def controls(held: LandscapeRequest) -> LandscapeRequest:
    """Draw the controls; the request they ask for, or the held one if it is refused."""
    try:
        return _synthetic(held)
    except ValueError as error:
        st.error(f"{str(error)[:1].upper()}{str(error)[1:]}. The settings before it still hold.")
        return held


def _synthetic(held: LandscapeRequest) -> LandscapeRequest:
    st.subheader("Network", anchor=False)
    settings = _network()
    st.subheader("Descent", anchor=False)
    rate = st.number_input(
        "Step size η, times the safe one", 0.05, MAX_RATE, step=0.25, format="%g",
        help=texts.RATE, key=PREFIX + "rate",
    )  # fmt: skip
    st.subheader("Picture", anchor=False)
    log = st.toggle("log₁₀ f", help=texts.LOG, key=PREFIX + "log")
    basins = st.toggle("Colour the basins", help=texts.BASINS, key=PREFIX + "basins")
    return replace(held, settings=settings, rate=float(f"{rate:.6g}"), log=log, basins=basins)


def _network() -> InstanceSettings:
    state = st.session_state

    def to_family() -> None:
        """A family comes with a scale of its own, and some with a least m."""
        chosen = FAMILIES[state[PREFIX + "family"]]
        state[PREFIX + "scale"] = chosen.scale
        state[PREFIX + "m"] = max(state.get(PREFIX + "m", 100), chosen.least_m)

    name = st.selectbox(
        "Family of W",
        list(PLANE_FAMILIES),
        format_func=lambda key: FAMILIES[key].title,
        help=texts.FAMILY,
        key=PREFIX + "family",
        on_change=to_family,
    )
    family = FAMILIES[name]
    st.caption(family.note)
    values: dict[str, Any] = {"family": name}
    left, right = st.columns(2, wrap=False)
    with left:
        values["m"] = _whole("Outputs m", "m", 2, MAX_M, texts.M)
    if family.layers is None:
        with right:
            values["layers"] = _whole("Layers", "layers", 1, MAX_LAYERS, texts.LAYERS)
    values |= _activation()
    if name == "example15":
        state.setdefault(PREFIX + "noise", 0.2)
        noise = st.number_input(
            "Noise of the rows", 0.0, 10.0, step=0.05, format="%g", help=texts.NOISE,
            key=PREFIX + "noise",
        )  # fmt: skip
        values["noise"] = float(f"{noise:.12g}")
    left, right = st.columns(2, wrap=False)
    with left:
        values["scale"] = st.selectbox(
            "Scale of W", SCALES, format_func=SCALE_LABELS.__getitem__, help=texts.SCALE,
            key=PREFIX + "scale",
        )  # fmt: skip
    with right:
        values["seed"] = _whole("Seed", "seed", 0, MAX_SEED, texts.SEED)
    return InstanceSettings(d=2, examples=1, **values)


def _activation() -> dict[str, Any]:
    name = st.selectbox(
        "Activation σ",
        list(ACTIVATIONS),
        format_func=ACTIVATION_LABELS.__getitem__,
        help=texts.ACTIVATION,
        key=PREFIX + "activation",
    )
    default = ACTIVATIONS[name]
    if default is None:
        return {"activation": name}
    key = f"{PREFIX}parameter.{name}"
    st.session_state.setdefault(key, default)
    slope = name == "leaky_relu"
    value = st.number_input(
        "Slope below zero" if slope else "β",
        0.01,
        1.0 if slope else 100.0,
        step=0.05 if slope else 1.0,
        format="%g",
        help=texts.SLOPE if slope else texts.BETA,
        key=key,
    )
    return {"activation": name, "parameter": float(f"{value:.12g}")}


def _whole(label: str, name: str, low: int, high: int, text: str) -> int:
    key = PREFIX + name
    st.session_state.setdefault(key, low)
    return int(st.number_input(label, low, high, help=text, key=key))

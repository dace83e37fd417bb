"""The sidebar of the page "Error bound": problem and descent.

Widgets begin with the current request and answer the next one. A choice that brings other values
with it (a family its scale, an attack its method) exchanges the request, and all widgets with it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st

from pages.ui.error_bound import error_bound_help_texts as texts
from pages.ui.error_bound.error_bound_page_state import PAGE, exchange
from pages.ui.error_bound.error_bound_presets import STUDIES, STUDY_STEPS
from pages.ui.error_bound.error_bound_request import LIMITS, MAX_STEPS, STEPS, ErrorBoundRequest
from pages.ui.error_bound.matrix import take_matrix
from pages.ui.live.uploads import show_refusal
from pages.ui.look.labels import ACTIVATION_LABELS, SCALE_LABELS
from pages.ui.look.literal import literal, refused_settings
from red_core.run.settings import MAX_SEED
from red_core.synthetic import ACTIVATIONS, FAMILIES, SCALES, MatrixError

METHOD_LABELS = {
    "inversion": "4.1 z alone",
    "alternating": "4.2 both",
    "proximal": "4.3 with λ",
}
STEP_LABELS = {
    "safe": "safe",
    "local": "local",
    "theorem": "the theorem's",
    "number": "a number",
}
_NOISY = ("example15", "hadamard_noisy")
_FIRST_ETA = 0.1


def controls(current: ErrorBoundRequest) -> ErrorBoundRequest:
    """Draw the controls; the request they ask for, or the current one if it is refused."""
    st.subheader("Problem", anchor=False)
    problem = _problem(current) if current.show == "descent" else _of_study(current)
    st.subheader("Descent", anchor=False)
    descent = _descent(current)
    try:
        return replace(current, settings=replace(current.settings, **problem), **descent)
    except ValueError as error:
        st.error(refused_settings(error))
        return current


# --- problem ---------------------------------------------------------------------------------


def _problem(current: ErrorBoundRequest) -> dict[str, Any]:
    """What the widgets ask for of G, of D_a and of the start."""
    now, values = current.settings, dict[str, Any]()
    _family(current)
    _attacked(current)
    with st.expander("More"):
        values |= _size(current) | _activation(current)
        values["scale"] = _scale(current)
        if now.family in _NOISY:
            values["noise"] = PAGE.real(
                "Noise of the rows", "noise", now.noise, 0, 10, 0.05, texts.NOISE
            )
        if now.attack:
            values |= _dictionary(current)
        return values | _start(current) | _instances(current)


def _size(current: ErrorBoundRequest) -> dict[str, Any]:
    """m, d and the layers, so far as the family leaves them open."""
    now, values = current.settings, dict[str, Any]()
    family = FAMILIES[now.family]
    if now.family != "own":
        left, right = st.columns(2, wrap=False)
        with left:
            values["m"] = PAGE.whole("Outputs m", "m", now.m, 2, LIMITS["m"], texts.M)
        with right:
            fixed = family.latent is not None
            values["d"] = PAGE.whole(
                "Latent d", "d", now.d, 1, LIMITS["d"], texts.D, disabled=fixed
            )
    if family.layers is None:
        values["layers"] = PAGE.whole(
            "Layers", "layers", now.layers, 1, LIMITS["layers"], texts.LAYERS
        )
    return values


def _instances(current: ErrorBoundRequest) -> dict[str, Any]:
    """How many instances are drawn, and from which seed."""
    values = {}
    left, right = st.columns(2, wrap=False)
    if current.show != "examples":  # those have numbers of their own
        with left:
            values["examples"] = PAGE.whole(
                "Instances", "examples", current.settings.examples, 1, LIMITS["examples"],
                texts.EXAMPLES,
            )  # fmt: skip
    with right:
        values["seed"] = PAGE.whole("Seed", "seed", current.settings.seed, 0, MAX_SEED, texts.SEED)
    return values


def _of_study(current: ErrorBoundRequest) -> dict[str, Any]:
    """What a study leaves open: the activation, and over m the scale of W."""
    values = _activation(current)
    with st.expander("More"):
        if current.show in STUDIES:
            values["scale"] = _scale(current)
        return values | _instances(current)


def _family(current: ErrorBoundRequest) -> None:
    state, now = st.session_state, current.settings

    def to_family() -> None:
        """A family comes with a scale of its own, and some with a d and a least m."""
        chosen = state[PAGE.key("family")]
        own = state.get("error_bound.own") if chosen == "own" else None
        if chosen == "own" and own is None:  # the present problem stays until there is a matrix
            state["error_bound.asks_own"] = True
            return
        m = max(now.m, FAMILIES[chosen].least_m)
        settings = replace(now, family=chosen, m=m, layers=1, scale=None)
        exchange(replace(current, settings=settings, own=own))

    asks = bool(state["error_bound.asks_own"])
    shown = "own" if asks else now.family
    st.selectbox(
        "Family of W", list(FAMILIES), list(FAMILIES).index(shown), help=texts.FAMILY,
        format_func=lambda key: FAMILIES[key].title, key=PAGE.key("family"),
        on_change=PAGE.unless_renewed(to_family),
    )  # fmt: skip
    st.caption(FAMILIES[shown].note)
    if shown == "own":
        _upload(current)


def _upload(current: ErrorBoundRequest) -> None:
    """The uploader; a file that cannot be taken leaves everything as it is."""
    state = st.session_state

    def take() -> None:
        file = state["error_bound.file"]
        state["error_bound.refused"] = ""
        if file is None:
            return
        try:
            own = take_matrix(file.getvalue(), file.name)
        except MatrixError as error:
            state["error_bound.refused"] = f"{error} What was set before still holds."
            return
        settings = replace(current.settings, family="own", layers=1, scale=None)
        exchange(replace(current, settings=settings, own=own))

    st.file_uploader(
        "Your W", ["csv", "npy", "txt"], help=texts.MATRIX, key="error_bound.file", on_change=take
    )
    show_refusal()
    if state["error_bound.refused"]:
        st.error(literal(state["error_bound.refused"]))
    if current.own is None:
        st.caption("Upload a matrix. Until then the present problem stays.")
    else:
        st.caption(f"W is {current.own.shape[0]} × {current.own.shape[1]}.")


def _activation(current: ErrorBoundRequest) -> dict[str, Any]:
    now = current.settings

    def to_activation() -> None:
        """An activation comes with a parameter of its own."""
        chosen = st.session_state[PAGE.key("activation")]
        exchange(replace(current, settings=replace(now, activation=chosen, parameter=None)))

    names = list(ACTIVATIONS)
    st.selectbox(
        "Activation σ", names, names.index(now.activation), help=texts.ACTIVATION,
        format_func=ACTIVATION_LABELS.__getitem__, key=PAGE.key("activation"),
        on_change=PAGE.unless_renewed(to_activation),
    )  # fmt: skip
    if now.parameter is None:
        return {}
    if now.activation == "leaky_relu":
        slope = PAGE.real("Slope below zero", "slope", now.parameter, 0.01, 1, 0.05, texts.SLOPE)
        return {"parameter": slope}
    return {"parameter": PAGE.real("Sharpness β", "beta", now.parameter, 0.1, 100, 1, texts.BETA)}


def _scale(current: ErrorBoundRequest) -> str | None:
    return st.selectbox(
        "Variance of W's entries", SCALES, SCALES.index(current.settings.scale or SCALES[0]),
        format_func=SCALE_LABELS.__getitem__, help=texts.SCALE, key=PAGE.key("scale"),
    )  # fmt: skip


def _attacked(current: ErrorBoundRequest) -> None:
    now = current.settings

    def to_attack() -> None:
        """An attack comes with the method of 4.2; without one there is 4.1 alone."""
        attack = bool(st.session_state[PAGE.key("attack")])
        settings = replace(now, attack=attack)
        exchange(
            replace(current, settings=settings, method="alternating" if attack else "inversion")
        )

    st.toggle(
        "Attacked: x' = G(z*) + D_a c_a*", now.attack, help=texts.ATTACK, key=PAGE.key("attack"),
        on_change=PAGE.unless_renewed(to_attack),
    )  # fmt: skip


def _dictionary(current: ErrorBoundRequest) -> dict[str, Any]:
    """The size of D_a, and of the classifier that its attacks are on."""
    now = current.settings
    left, right = st.columns(2, wrap=False)
    with left:
        training = PAGE.whole(
            "Columns of D_a", "training", now.training, 2, LIMITS["training"], texts.TRAINING, 2
        )
    with right:
        hidden = PAGE.whole("Neurons of ψ", "hidden", now.hidden, 1, 2000, texts.HIDDEN)
    return {"training": training, "hidden": hidden}


def _start(current: ErrorBoundRequest) -> dict[str, Any]:
    now = current.settings
    start = st.segmented_control(
        "Start", ["random", "near"], default=now.start, required=True, help=texts.START,
        format_func={"random": "random", "near": "near the solution"}.__getitem__,
        key=PAGE.key("start"), width="stretch",
    )  # fmt: skip
    if start != "near":
        return {"start": "random"}
    radius = PAGE.real("Distance", "radius", now.radius, 1e-6, 100, 0.1, texts.RADIUS)
    return {"start": "near", "radius": radius}


# --- descent ---------------------------------------------------------------------------------


def _descent(current: ErrorBoundRequest) -> dict[str, Any]:
    """method, lambda_fraction, eta and steps."""
    values: dict[str, Any] = {"method": current.method}
    if current.settings.attack and current.show == "descent":
        values["method"] = st.segmented_control(
            "Method (Section)", list(METHOD_LABELS), default=current.method, required=True,
            format_func=METHOD_LABELS.__getitem__, help=texts.METHOD, key=PAGE.key("method"),
            width="stretch",
        )  # fmt: skip
    proximal = values["method"] == "proximal"
    values["eta"] = _eta(current, STUDY_STEPS if proximal or current.show != "descent" else STEPS)
    if current.show == "examples":
        return values
    with st.expander("More"):
        if proximal:
            values["lambda_fraction"] = PAGE.real(
                "λ / λ_max", "lambda", current.lambda_fraction, 0.001, 2, 0.05, texts.LAMBDA
            )
        values["steps"] = PAGE.whole(
            "Steps at most", "steps", current.steps, 1, MAX_STEPS, texts.STEPS
        )
    return values


def _eta(current: ErrorBoundRequest, names: tuple[str, ...]) -> str | float:
    """One of `names`, or a number."""
    choices = [*names, "number"]
    now = current.eta if isinstance(current.eta, str) else "number"
    chosen = st.selectbox(
        "Step size η", choices, choices.index(now) if now in choices else 0, help=texts.STEP,
        format_func=STEP_LABELS.__getitem__, key=PAGE.key(f"step.{len(names)}"),
    )  # fmt: skip
    if chosen != "number":
        return str(chosen)
    eta = _FIRST_ETA if isinstance(current.eta, str) else current.eta
    return PAGE.real("η", "eta", eta, 1e-6, 1e6, 0.01, texts.ETA)

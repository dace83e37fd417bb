"""The sidebar of the page "Error bound": problem, attack, descent.

Widgets start from the held request and answer the next one. Their keys begin with "lab.ui.".
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import streamlit as st
from torch import Tensor

from pages.ui.lab import texts
from pages.ui.lab.matrix import take_matrix
from pages.ui.lab.presets import STUDIES, STUDY_STEPS
from pages.ui.lab.request import LIMITS, MAX_STEPS, STEPS, LabRequest
from red_core.settings import MAX_SEED
from red_core.synthetic import ACTIVATIONS, FAMILIES, SCALES, InstanceSettings, MatrixError

ACTIVATION_LABELS = {
    "leaky_relu": "leaky ReLU",
    "relu": "ReLU",
    "linear": "linear",
    "softplus": "softplus",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "gelu": "GELU",
    "silu": "SiLU",
}
SCALE_LABELS = {"1/m": "1 / outputs", "1/d": "1 / inputs", "1": "1"}
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
_PREFIX = "lab.ui."


def seed_widgets(request: LabRequest) -> None:
    """Set every widget to the request's values; call it before the widgets are drawn."""
    state, settings = st.session_state, request.settings
    for key in [str(key) for key in state if str(key).startswith(_PREFIX)]:
        if not key.startswith(f"{_PREFIX}file"):
            del state[key]
    for name in (
        *("family", "m", "d", "layers", "activation", "scale", "noise", "attack", "training"),
        *("hidden", "start", "radius", "examples", "seed"),
    ):
        state[_PREFIX + name] = getattr(settings, name)
    if settings.parameter is not None:
        state[f"{_PREFIX}parameter.{settings.activation}"] = settings.parameter
    state[_PREFIX + "method"] = request.method
    state[_PREFIX + "lambda"] = request.lambda_fraction
    state[_PREFIX + "step"] = request.eta if isinstance(request.eta, str) else "number"
    if not isinstance(request.eta, str):
        state[_PREFIX + "eta"] = request.eta
    state[_PREFIX + "steps"] = request.steps


def controls(held: LabRequest) -> LabRequest:
    """Draw the controls; the request they ask for, or the held one if it is refused."""
    own = held.own if held.settings.family == "own" else st.session_state.get("lab.own")
    st.subheader("Problem", anchor=False)
    if held.show == "descent":
        problem, own = _problem(held, own)
    else:
        problem = _study_problem(held)
    st.subheader("Descent", anchor=False)
    descent = _descent(held)
    left, right = st.columns(2, wrap=False)
    with right:
        problem["seed"] = _whole("Seed", "seed", 0, MAX_SEED, texts.SEED)
    if held.show != "examples":  # those have numbers of their own
        with left:
            problem["examples"] = _whole(
                "Instances", "examples", 1, LIMITS["examples"], texts.EXAMPLES
            )
    try:
        settings = InstanceSettings(**problem)
        return replace(held, settings=settings, own=own, **descent)
    except ValueError as error:
        st.error(f"{str(error)[:1].upper()}{str(error)[1:]}. The settings before it still hold.")
        return held


# --- problem ---------------------------------------------------------------------------------


def _problem(held: LabRequest, own: Tensor | None) -> tuple[dict[str, Any], Tensor | None]:
    """The fields of InstanceSettings that describe G, D_a and the start; and the user's matrix."""
    state = st.session_state

    def to_family() -> None:
        """A family comes with a scale of its own, and some with a d and a least m."""
        chosen = FAMILIES[state[_PREFIX + "family"]]
        state[_PREFIX + "scale"] = chosen.scale
        state[_PREFIX + "m"] = max(state.get(_PREFIX + "m", 100), chosen.least_m, 2)

    name = st.selectbox(
        "Family of W",
        list(FAMILIES),
        format_func=lambda key: FAMILIES[key].title,
        help=texts.FAMILY,
        key=_PREFIX + "family",
        on_change=to_family,
    )
    family = FAMILIES[name]
    st.caption(family.note)
    values: dict[str, Any] = {"family": name}
    if name == "own":
        own = _upload(own)
        if own is None:  # the last good state stays until there is a matrix
            values = {**_as_fields(held.settings), **_activation(held)}
            return values, held.own
        values |= {"m": own.shape[0], "d": own.shape[1]}
    else:
        left, right = st.columns(2, wrap=False)
        with left:
            values["m"] = _whole("Outputs m", "m", 2, LIMITS["m"], texts.M)
        with right:
            if family.latent is None:
                values["d"] = _whole("Latent d", "d", 1, LIMITS["d"], texts.D)
            else:
                st.number_input(
                    "Latent d", value=family.latent, disabled=True, help=texts.D,
                    key=f"{_PREFIX}fixed.d.{name}",
                )  # fmt: skip
        if family.layers is None:
            values["layers"] = _whole("Layers", "layers", 1, LIMITS["layers"], texts.LAYERS)
    values |= _activation(held)
    values["scale"] = _scale()
    if name in _NOISY:
        values["noise"] = _real("Noise of the rows", "noise", 0.0, 10.0, 0.05, texts.NOISE)
    values |= _attack()
    return values | _start(), own


def _study_problem(held: LabRequest) -> dict[str, Any]:
    """What a study leaves open: the activation, and over m the scale of W."""
    values = _as_fields(held.settings) | _activation(held)
    if held.show in STUDIES:
        values["scale"] = _scale()
    return values


def _as_fields(settings: InstanceSettings) -> dict[str, Any]:
    return settings.as_dict()


def _activation(held: LabRequest) -> dict[str, Any]:
    name = st.selectbox(
        "Activation σ",
        list(ACTIVATIONS),
        format_func=ACTIVATION_LABELS.__getitem__,
        help=texts.ACTIVATION,
        key=_PREFIX + "activation",
    )
    default = ACTIVATIONS[name]
    if default is None:
        return {"activation": name, "parameter": None}
    key = f"parameter.{name}"
    st.session_state.setdefault(_PREFIX + key, default)
    if name == "leaky_relu":
        value = _real("Slope below zero", key, 0.01, 1.0, 0.05, texts.SLOPE)
    else:
        value = _real("Sharpness β", key, 0.1, 100.0, 1.0, texts.BETA)
    return {"activation": name, "parameter": value}


def _scale() -> str:
    return str(
        st.selectbox(
            "Variance of W's entries",
            list(SCALES),
            format_func=SCALE_LABELS.__getitem__,
            help=texts.SCALE,
            key=_PREFIX + "scale",
        )
    )


def _attack() -> dict[str, Any]:
    state = st.session_state

    def to_method() -> None:
        state[_PREFIX + "method"] = "alternating" if state[_PREFIX + "attack"] else "inversion"

    attack = st.toggle(
        "Attacked: x' = G(z*) + D_a c_a*",
        help=texts.ATTACK,
        key=_PREFIX + "attack",
        on_change=to_method,
    )
    values: dict[str, Any] = {"attack": bool(attack)}
    if attack:
        left, right = st.columns(2, wrap=False)
        with left:
            values["training"] = _whole(
                "Columns of D_a", "training", 2, LIMITS["training"], texts.TRAINING, step=2
            )
        with right:
            values["hidden"] = _whole("Neurons of ψ", "hidden", 1, 2000, texts.HIDDEN)
    return values


def _start() -> dict[str, Any]:
    state = st.session_state
    start = st.segmented_control(
        "Start",
        ["random", "near"],
        format_func={"random": "random", "near": "near the solution"}.__getitem__,
        required=True,
        help=texts.START,
        key=_PREFIX + "start",
        width="stretch",
    )
    values: dict[str, Any] = {"start": start or "random"}
    if start == "near":
        values["radius"] = _real("Distance", "radius", 1e-6, 100.0, 0.1, texts.RADIUS)
    else:
        values["radius"] = state.get(_PREFIX + "radius", 0.1)
    return values


def _upload(own: Tensor | None) -> Tensor | None:
    """The uploader; a file that cannot be taken leaves the matrix held before as it is."""
    file = st.file_uploader(
        "Your W", type=["csv", "npy", "txt"], help=texts.MATRIX, key=f"{_PREFIX}file.matrix"
    )
    if file is not None:
        try:
            own = take_matrix(file.getvalue(), file.name)
        except MatrixError as error:
            st.error(f"{error} What was set before still holds.")
    if own is None:
        st.caption("Upload a matrix. Until then the present problem stays.")
    else:
        st.caption(f"W is {own.shape[0]} x {own.shape[1]}.")
        st.session_state["lab.own"] = own
    return own


# --- descent ---------------------------------------------------------------------------------


def _descent(held: LabRequest) -> dict[str, Any]:
    """method, lambda_fraction, eta and steps."""
    state = st.session_state
    values: dict[str, Any] = {"method": "inversion"}
    attacked = held.settings.attack if held.show != "descent" else state[_PREFIX + "attack"]
    if held.show in STUDIES:
        values["method"] = held.method
    elif attacked:
        method = st.segmented_control(
            "Method (Section)",
            list(METHOD_LABELS),
            format_func=METHOD_LABELS.__getitem__,
            required=True,
            help=texts.METHOD,
            key=_PREFIX + "method",
            width="stretch",
        )
        values["method"] = method or "alternating"
        if method == "proximal":
            values["lambda_fraction"] = _real("λ / λ_max", "lambda", 0.001, 2.0, 0.05, texts.LAMBDA)
    named = STEPS if held.show == "descent" and values["method"] != "proximal" else STUDY_STEPS
    values["eta"] = _eta(named)
    if held.show != "examples":
        values["steps"] = _whole("Steps at most", "steps", 1, MAX_STEPS, texts.STEPS)
    return values


def _eta(names: tuple[str, ...]) -> str | float:
    state = st.session_state
    if state.get(_PREFIX + "step") not in (*names, "number"):
        state[_PREFIX + "step"] = names[0]
    chosen = st.selectbox(
        "Step size η",
        [*names, "number"],
        format_func=STEP_LABELS.__getitem__,
        help=texts.STEP,
        key=_PREFIX + "step",
    )
    if chosen != "number":
        return str(chosen)
    state.setdefault(_PREFIX + "eta", 0.1)
    return _real("η", "eta", 1e-6, 1e6, 0.01, texts.ETA)


# --- widgets ---------------------------------------------------------------------------------


def _whole(label: str, name: str, least: int, most: int, text: str, step: int = 1) -> int:
    key = _PREFIX + name
    st.session_state.setdefault(key, getattr(InstanceSettings(), name, least))
    return int(st.number_input(label, least, most, step=step, help=text, key=key))


def _real(label: str, name: str, least: float, most: float, step: float, text: str) -> float:
    key = _PREFIX + name
    st.session_state.setdefault(key, getattr(InstanceSettings(), name, 0.1))
    value = st.number_input(label, least, most, step=step, format="%g", help=text, key=key)
    return float(f"{value:.12g}")  # 0.1 + 0.05 is 0.15, not 0.15000000000000002

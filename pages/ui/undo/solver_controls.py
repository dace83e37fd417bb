"""The sidebar's third part: preset and seed, and everything else of the solver under Advanced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

import streamlit as st

from pages.ui.undo import help_texts as texts
from pages.ui.undo.undo_registry import devices
from pages.ui.undo.widget_scope import numbers_of
from pages.ui.widgets.widget_keys import option_index, widget_value
from red_core.algorithm.options import (
    ACCELERATIONS,
    DIFFUSION,
    SIGNAL_STEPS,
    START_LOSSES,
    SolverOptions,
)
from red_core.algorithm.presets import DEFAULT_PRESET, GENERATORS, OWN, presets_of, presets_with
from red_core.data.datasets import FEATURED
from red_core.data.own_datasets import is_style
from red_core.run.bundle import has_generator
from red_core.run.settings import MAX_SEED, RunSettings

_IN_LATENT = tuple(name for name in SIGNAL_STEPS if name != DIFFUSION)
_CHOICES = {
    "start_step": _IN_LATENT,
    "signal_step": _IN_LATENT,
    "start_loss": START_LOSSES,
    "acceleration": ACCELERATIONS,
}
_PURIFYING = ("noise", "noise_levels", "noise_stochastic", "noise_draws", "remainder")
_MOVING = (
    *("restarts", "encoder_start", "mean_start", "carry", "halve_at", "start_step", "start_rate"),
    *("start_draws", "start_momentum", "class_start", "one_w"),
    *("start_loss", "start_maps", "start_l1_weight"),
    *("signal_step", "signal_rate", "latent_weight", "feature_weight"),
)
# What needs feature maps of psi, and what needs W+.
_OF_FEATURES = ("start_loss", "start_maps", "start_l1_weight", "feature_weight")
_OF_W_PLUS = ("class_start", "one_w")


def seed_solver(settings: RunSettings, prefix: str = "ui") -> None:
    """Set the solver's widgets to the values of settings; call it before they are drawn."""
    state = st.session_state
    for name in ("preset", "generator", "seed", "device"):
        state[f"{prefix}.{name}"] = getattr(settings, name)
    for name, value in settings.solver:
        state[solver_key(settings.dataset, settings.preset, name, prefix)] = shown(value)


def solver_controls(
    dataset: str, prefix: str = "ui", left_out: Sequence[str] = ()
) -> dict[str, Any]:
    """The solver's part of RunSettings.

    prefix: of the widgets' keys, one for each set of them; left_out: of generator, seed and device
    those that are not asked for.
    """
    presets = presets_of(dataset)
    if st.session_state.get(f"{prefix}.preset") not in presets:  # the data set was changed
        st.session_state[f"{prefix}.preset"] = DEFAULT_PRESET
    preset = st.selectbox(
        "Preset",
        list(presets),
        option_index(f"{prefix}.preset", list(presets)),
        help=texts.presets(dataset),
        key=f"{prefix}.preset",
    )
    chosen: dict[str, Any] = {"preset": preset}
    if "seed" not in left_out:
        key = f"{prefix}.seed"
        seed = st.number_input("Seed", 0, MAX_SEED, widget_value(key, 0), help=texts.SEED, key=key)
        chosen["seed"] = int(seed)
    options, hidden = [], _deciding_nothing(dataset, presets[preset])
    with st.expander("Advanced"):
        if "generator" not in left_out:
            chosen["generator"] = _generator(dataset, preset, prefix)
        if "device" not in left_out:
            key, offered = f"{prefix}.device", devices()
            place = option_index(key, offered)
            chosen["device"] = st.selectbox("Device", offered, place, help=texts.DEVICE, key=key)
        for field in fields(SolverOptions):
            base = getattr(presets[preset], field.name)
            if field.name in hidden:
                continue
            value = _option(solver_key(dataset, preset, field.name, prefix), field.name, base)
            options.append((field.name, value))
    chosen["solver"] = tuple(options)
    return chosen


def _generator(dataset: str, preset: str, prefix: str) -> str:
    """The generator, asked for where the data set and the preset leave a choice."""
    offered = [
        name
        for name in GENERATORS
        if preset in presets_with(dataset, name) and has_generator(dataset, name)
    ]
    if len(offered) < 2:
        return OWN
    key = f"{prefix}.generator"
    if st.session_state.get(key) not in offered:
        st.session_state[key] = OWN
    chosen: str = st.selectbox(
        "Generator", offered, option_index(key, offered), help=texts.GENERATOR, key=key
    )
    return chosen


def _deciding_nothing(dataset: str, preset: SolverOptions) -> tuple[str, ...]:
    """Options that decide nothing: where D(x') takes the place of G(z), or G(z) that of D(x')."""
    if preset.signal_step == DIFFUSION:
        return _MOVING
    without_features = () if dataset in FEATURED else _OF_FEATURES
    return (*_PURIFYING, *without_features, *(() if is_style(dataset) else _OF_W_PLUS))


def solver_key(dataset: str, preset: str, name: str, prefix: str = "ui") -> str:
    """The key of an option's widget."""
    return f"{prefix}.solver.{numbers_of(dataset)}.{preset}.{name}"


def shown(value: object) -> object:
    """An option's value as its widget holds it."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def _option(key: str, name: str, base: Any) -> Any:
    """One solver option in a widget of its type."""
    label, text = texts.OPTIONS.get(name, (name.replace("_", " ").capitalize(), None))
    value = widget_value(key, shown(base))
    if isinstance(base, bool):
        return st.toggle(label, value, help=text, key=key)
    if name in _CHOICES:
        return st.selectbox(
            label, _CHOICES[name], option_index(key, _CHOICES[name]), help=text, key=key
        )
    if isinstance(base, tuple):
        written = st.text_input(label, value, help=text, key=key)
        parts = [part.strip() for part in written.split(",") if part.strip()]
        if not all(part.isdecimal() and len(part) < 6 for part in parts):
            st.error("Write whole numbers with commas between them.")
            return base
        return tuple(int(part) for part in parts)
    if isinstance(base, int):
        return int(st.number_input(label, 0, 10_000, value, help=text, key=key))
    if isinstance(base, float):
        found = st.number_input(label, 0.0, 10.0, value, step=0.01, format="%g", help=text, key=key)
        return float(f"{found:.12g}")
    return st.text_input(label, value, help=text, key=key)

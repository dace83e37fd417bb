"""The sidebar: image, attack, solver. Widgets start from the held request and answer the next one.

A widget's key names what its value is measured against (`ui.eps.mnist.linf`,
`ui.solver.mnist.paper.steps`): a value equal to the paper's or the preset's is not part of the
settings, so links stay short, and another data set has numbers of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import streamlit as st
from torch import Tensor

from pages.ui import own_image, session, texts
from pages.ui.download import download_panel
from pages.ui.gallery import gallery, indices_of
from pages.ui.named import named
from pages.ui.session import devices
from pages.ui.state import Request, canonical
from pages.ui.theme import ATTACK_LABELS
from pages.ui.words import a
from red_core.attacks import ATTACKS, MAX_EPS, MAX_STEPS, PAPER_ATTACKS
from red_core.bundle import Bundle
from red_core.data.archive import DOWNLOADABLE
from red_core.data.assets import is_made
from red_core.data.datasets import CLASSES, NOUNS, TITLES
from red_core.data.intake import Intake
from red_core.presets import DEFAULT_PRESET, presets_of
from red_core.settings import MAX_SEED, RunSettings, SettingsError
from red_core.solver import ACCELERATIONS, DIFFUSION, SIGNAL_STEPS, SolverOptions

_ANY = "any other class"
_IN_LATENT = tuple(name for name in SIGNAL_STEPS if name != DIFFUSION)
_CHOICES = {
    "start_step": _IN_LATENT,
    "signal_step": _IN_LATENT,
    "acceleration": ACCELERATIONS,
}
_PURIFYING = ("noise", "noise_levels", "noise_draws", "remainder")
# Options that decide nothing where z is moved in a latent space, and where D(x') replaces it.
_NOT_OF = {
    False: _PURIFYING,
    True: (
        *("restarts", "encoder_start", "mean_start", "carry", "halve_at", "start_step"),
        *("start_rate", "signal_step", "signal_rate", "latent_weight", "feature_weight"),
    ),
}
_GREY = {"linf": 0.05, "l2": 0.25, "l1": 1.0}
# Of the number fields for eps.
_STEPS = {"mnist": _GREY, "fashion": _GREY, "cifar10": {"linf": 0.005, "l2": 0.1, "l1": 1.0}}


def seed_widgets(request: Request, bundle: Bundle) -> None:
    """Set every widget to the request's values; call it before the widgets are drawn."""
    state, settings = st.session_state, request.settings
    for key in [str(key) for key in state if str(key).startswith("ui.")]:
        if not key.startswith("ui.file"):
            del state[key]
    state["ui.dataset"] = settings.dataset
    state["ui.source"] = {"example": "gallery", "realizable": "generated"}.get(
        settings.source, "upload"
    )
    index = settings.index if settings.index < len(bundle.examples) else 0
    state["ui.index"] = index
    state[f"ui.label.{settings.dataset}"] = settings.label
    state["ui.attack"] = settings.attack
    attack = settings.attack_settings()
    if attack is not None:
        for name in ("eps", "step_size", "steps"):
            state[f"ui.{name}.{settings.dataset}.{attack.kind}"] = getattr(attack, name)
    target = f"ui.target.{settings.dataset}"
    state[target] = _ANY if settings.target is None else settings.target
    state["ui.preset"] = settings.preset
    for name, value in settings.solver:
        state[_solver_key(settings.dataset, settings.preset, name)] = _shown(value)
    state["ui.seed"] = settings.seed
    state["ui.device"] = settings.device
    if request.own is not None:
        state["own.upload"] = own_image.from_link(request.own)


def controls(
    held: Request,
    bundle: Bundle,
    adopt: Callable[[Request], None],
    switch: Callable[[str], None],
) -> tuple[RunSettings, Tensor | None]:
    """Draw the controls; the settings and own image they ask for, or the held ones if refused.

    adopt: takes over a whole request, for the named settings; switch: takes over a data set.
    """
    st.subheader("Image", anchor=False)
    _dataset(switch)
    image, own = _image(bundle)
    st.subheader("Attack", anchor=False)
    attack = _attack(held.settings.dataset, image["source"], bundle.class_names)
    st.subheader("Solver", anchor=False)
    solver = _solver(held.settings.dataset)
    _named(held.settings.dataset, adopt)
    if image["source"] == "own" and own is None:
        return held.settings, held.own
    try:
        settings = canonical(
            RunSettings(dataset=held.settings.dataset, **image, **attack, **solver)
        )
    except SettingsError as error:
        st.error(f"{str(error)[:1].upper()}{str(error)[1:]}. The settings before it still hold.")
        return held.settings, held.own
    return settings, None if own is None else own.image


# --- image -----------------------------------------------------------------------------------


def _dataset(switch: Callable[[str], None]) -> None:
    """The picker of the data set; what else was chosen stays chosen."""
    state = st.session_state

    held = state["ui.dataset"]

    def take() -> None:
        chosen = state["ui.dataset"]
        state[f"ui.target.{chosen}"] = state.get(f"ui.target.{held}", _ANY)
        switch(chosen)

    names = [name for name in CLASSES if name == held or is_made(name)]
    st.segmented_control(
        "Data set",
        names,
        format_func=TITLES.__getitem__,
        required=True,
        help=texts.DATASET,
        key="ui.dataset",
        on_change=take,
        width="stretch",
    )


def source_labels(dataset: str) -> dict[str, str]:
    """Where an image may come from, by the source's name."""
    brief = NOUNS[dataset].brief
    kept = "" if dataset in DOWNLOADABLE else "held-out "  # G may have drawn them
    labels = {
        "gallery": f"Gallery of {kept}{brief}s",
        "upload": "Upload a picture",
        "draw": f"Draw {a(brief)}",
        "generated": "Made by the generator",
    }
    if dataset not in own_image.PENS:
        del labels["draw"]
    return labels


def _image(bundle: Bundle) -> tuple[dict[str, Any], Intake | None]:
    """The image's part of RunSettings, and the user's image."""
    state = st.session_state
    labels = source_labels(bundle.dataset)
    if state.get("ui.source") not in labels:  # it was chosen for another data set
        state["ui.source"] = "gallery"
    chosen = st.selectbox(
        "Source",
        list(labels),
        format_func=labels.__getitem__,
        help=texts.about(texts.SOURCE, bundle.dataset),
        key="ui.source",
    )
    if chosen in ("upload", "draw"):
        widget = own_image.upload if chosen == "upload" else own_image.draw
        held = own_image.fitting(state.get(f"own.{chosen}"), bundle.dataset)
        own = widget(held, bundle.dataset, key=f"ui.file.{chosen}")
        state[f"own.{chosen}"] = own
        return {"source": "own", "label": _label(bundle)}, own
    if chosen == "generated":
        st.caption("An image that G makes from the seed, with a pattern of D_a added to it.")
        return {"source": "realizable"}, None
    if bundle.dataset in DOWNLOADABLE:
        download_panel(bundle.dataset, _reload)
    _gallery(bundle)
    return {"source": "example", "index": int(state["ui.index"])}, None


def _reload() -> None:
    """Forget what was loaded before a data set came: the gallery is to show its images."""
    session.load_parts.clear()
    session.takes_official.clear()


def _label(bundle: Bundle) -> int | None:
    """The class of the user's image, if they tell it."""
    chosen: int | None = st.selectbox(
        "Its class",
        range(len(bundle.class_names)),
        index=None,
        format_func=bundle.class_names.__getitem__,
        placeholder="Not known",
        help=texts.LABEL,
        key=f"ui.label.{bundle.dataset}",
    )
    return chosen


def _gallery(bundle: Bundle) -> None:
    state, examples, names = st.session_state, bundle.examples, bundle.class_names
    if not state.get("ui.index", 0) < len(examples):
        state["ui.index"] = 0
    state.setdefault("ui.index", 0)
    key = f"ui.class.{bundle.dataset}"
    # After a download the same number is another image.
    if state.get(f"{key}.of") != examples.source or key not in state:
        state[f"{key}.of"] = examples.source
        state[key] = int(examples.labels[state["ui.index"]])

    def to_class() -> None:
        state["ui.index"] = indices_of(examples, state[key])[0]

    def to_index(index: int) -> None:
        state["ui.index"] = index

    def follow_index() -> None:
        state[key] = int(examples.labels[state["ui.index"]])

    st.pills(
        NOUNS[bundle.dataset].one.capitalize(),
        range(len(names)),
        format_func=names.__getitem__,
        required=True,
        help=texts.CLASS,
        key=key,
        on_change=to_class,
    )
    label = int(state[key])
    gallery(examples, label, names[label], state["ui.index"], to_index, key="ui.gallery")
    st.number_input(
        "Example number",
        min_value=0,
        max_value=len(examples) - 1,
        help=texts.INDEX,
        key="ui.index",
        on_change=follow_index,
    )


# --- attack ----------------------------------------------------------------------------------


def _attack(dataset: str, source: str, class_names: tuple[str, ...]) -> dict[str, Any]:
    """The attack's part of RunSettings."""
    state = st.session_state
    kind = st.segmented_control(
        "Norm",
        [*ATTACKS, "none"],
        format_func=ATTACK_LABELS.__getitem__,
        required=True,
        help=texts.ATTACK,
        key="ui.attack",
        width="stretch",
    )
    if kind is None or kind == "none":
        return {"attack": "none"}
    if source == "realizable":
        st.caption("Its size is the mean of the dictionary's own attacks of this kind.")
        return {"attack": kind}
    paper = PAPER_ATTACKS[dataset][kind]
    place = f"{dataset}.{kind}"
    eps = _number(
        f"ui.eps.{place}", "Budget ε", paper.eps, _STEPS[dataset][kind], MAX_EPS[kind], texts.EPS
    )
    left, right = st.columns(2, wrap=False)
    with left:
        step = _number(
            f"ui.step_size.{place}",
            "Step size",
            paper.step_size,
            paper.step_size / 2,
            MAX_EPS[kind],
            texts.STEP_SIZE,
        )
    key = f"ui.steps.{place}"
    state.setdefault(key, paper.steps)
    steps = right.number_input(
        "PGD steps", 1, MAX_STEPS, help=texts.ATTACK_STEPS.format(paper=paper.steps), key=key
    )
    target = st.selectbox(
        "Target",
        [_ANY, *range(len(class_names))],
        format_func=lambda label: label if label == _ANY else class_names[label],
        help=texts.TARGET,
        key=f"ui.target.{dataset}",
    )
    return {
        "attack": kind,
        "eps": eps,
        "step_size": step,
        "attack_steps": int(steps),
        "target": None if target == _ANY else target,
    }


def _number(key: str, label: str, paper: float, step: float, most: float, text: str) -> float:
    st.session_state.setdefault(key, paper)
    value = st.number_input(
        label, 0.0, most, step=step, format="%g", help=text.format(paper=paper), key=key
    )
    return float(f"{value:.12g}")  # 0.1 + 0.05 is 0.15, not 0.15000000000000002


# --- solver ----------------------------------------------------------------------------------


def _solver(dataset: str) -> dict[str, Any]:
    """The solver's part of RunSettings."""
    presets = presets_of(dataset)
    if st.session_state.get("ui.preset") not in presets:  # the data set was changed
        st.session_state["ui.preset"] = DEFAULT_PRESET
    preset = st.selectbox("Preset", list(presets), help=texts.PRESETS[dataset], key="ui.preset")
    options = []
    with st.expander("Advanced"):
        for field in fields(SolverOptions):
            base = getattr(presets[preset], field.name)
            if field.name in _NOT_OF[presets[preset].signal_step == DIFFUSION]:
                continue
            value = _option(_solver_key(dataset, preset, field.name), field.name, base)
            options.append((field.name, value))
    left, right = st.columns(2, wrap=False)
    st.session_state.setdefault("ui.seed", 0)
    seed = left.number_input("Seed", 0, MAX_SEED, help=texts.SEED, key="ui.seed")
    device = right.selectbox("Device", devices(), help=texts.DEVICE, key="ui.device")
    return {
        "preset": preset,
        "solver": tuple(options),
        "seed": int(seed),
        "device": device,
    }


def _solver_key(dataset: str, preset: str, name: str) -> str:
    return f"ui.solver.{dataset}.{preset}.{name}"


def _shown(value: object) -> object:
    """An option's value as its widget holds it."""
    return ", ".join(map(str, value)) if isinstance(value, tuple) else value


def _option(key: str, name: str, base: Any) -> Any:
    """One solver option in a widget of its type."""
    label, text = texts.OPTIONS.get(name, (name.replace("_", " ").capitalize(), None))
    st.session_state.setdefault(key, _shown(base))
    if isinstance(base, bool):
        return st.toggle(label, help=text, key=key)
    if name in _CHOICES:
        return st.selectbox(label, _CHOICES[name], help=text, key=key)
    if isinstance(base, tuple):
        written = st.text_input(label, help=text, key=key)
        parts = [part.strip() for part in written.split(",") if part.strip()]
        if not all(part.isdecimal() and len(part) < 6 for part in parts):
            st.error("Write whole numbers with commas between them.")
            return base
        return tuple(int(part) for part in parts)
    if isinstance(base, int):
        return int(st.number_input(label, 0, 10_000, help=text, key=key))
    if isinstance(base, float):
        value = st.number_input(label, 0.0, 10.0, step=0.01, format="%g", help=text, key=key)
        return float(f"{value:.12g}")
    return st.text_input(label, help=text, key=key)


def _named(dataset: str, adopt: Callable[[Request], None]) -> None:
    """The named settings: choosing one takes it over whole."""

    ready = named(dataset)

    def load() -> None:
        chosen = st.session_state["pick"]
        if chosen is not None:
            adopt(Request(ready[chosen].settings))
        st.session_state["pick"] = None

    st.selectbox(
        "Named settings",
        range(len(ready)),
        index=None,
        format_func=lambda place: ready[place].name,
        placeholder="The paper's experiments",
        help="Each sets everything above.\n\n"
        + "\n\n".join(f"**{one.name}.** {one.about}" for one in ready),
        key="pick",
        on_change=load,
    )

"""The sidebar: image, attack, solver. Widgets begin with the current request.

A widget's key names what its value is measured against (`ui.eps.grey.linf`,
`ui.solver.grey.paper.steps`): a value equal to the paper's or the preset's is not part of the
settings, so links stay short, and a data set with other numbers has widgets of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import streamlit as st
from torch import Tensor

from pages.ui.look.literal import refused_settings
from pages.ui.undo import own_image
from pages.ui.undo.attack_controls import ANY, attack_controls
from pages.ui.undo.image_controls import NOT_KNOWN, dataset_picker, image_controls
from pages.ui.undo.solver_controls import seed_solver, solver_controls
from pages.ui.undo.undo_presets import named
from pages.ui.undo.undo_registry import digest
from pages.ui.undo.undo_request import Request, canonical
from pages.ui.undo.widget_scope import numbers_of
from red_core.run.bundle import Bundle
from red_core.run.experiment import aims_at_own_class, clean_example
from red_core.run.settings import RunSettings, SettingsError


def seed_widgets(request: Request, bundle: Bundle) -> None:
    """Set every widget to the request's values; call it before the widgets are drawn."""
    state, settings = st.session_state, request.settings
    for key in [str(key) for key in state if str(key).startswith("ui.")]:
        if not key.startswith("ui.file"):
            del state[key]
    state["ui.dataset"] = settings.dataset
    state["ui.source"] = {"own": "upload", "realizable": "generated"}.get(
        settings.source, "gallery"
    )
    state["ui.picture"] = "photograph" if settings.source == "photograph" else "example"
    index = settings.index if settings.index < len(bundle.examples) else 0
    state["ui.index"] = index
    label = f"ui.label.{settings.dataset}"
    state[label] = NOT_KNOWN if settings.label is None else settings.label
    state["ui.attack"] = settings.attack
    attack = settings.attack_settings()
    if attack is not None:
        for name in ("eps", "step_size", "steps"):
            state[f"ui.{name}.{numbers_of(settings.dataset)}.{attack.kind}"] = getattr(attack, name)
    target = f"ui.target.{settings.dataset}"
    state[target] = ANY if settings.target is None else settings.target
    seed_solver(settings)
    if request.own is not None:
        state["own.upload"] = own_image.from_link(request.own)
        state["own.asked"] = digest(request.own)
        state["ui.attacked"] = settings.attack == "none"


def controls(
    current: Request,
    galleries: Mapping[str, Bundle],
    load_request: Callable[[Request], None],
    switch: Callable[[str], None],
) -> tuple[RunSettings, Tensor | None]:
    """Draw the controls; the settings and own image they ask for, or the current ones if refused.

    galleries: by the source of RunSettings, as the page shows them; load_request: takes over a
    whole request, for the named settings; switch: takes over a data set.
    """
    bundle = galleries["example"]
    st.subheader("Image", anchor=False)
    dataset_picker(switch)
    image, own = image_controls(galleries)
    st.subheader("Attack", anchor=False)
    if "attack" in image:  # the user's image is attacked already
        st.caption("Your image is attacked already: nothing is added to it.")
        attack = {"attack": image.pop("attack")}
    else:
        attack = attack_controls(current.settings.dataset, image["source"], bundle.class_names)
    st.subheader("Solver", anchor=False)
    solver = solver_controls(current.settings.dataset)
    st.subheader("The paper's experiments", anchor=False)
    _named(current.settings.dataset, load_request)
    if image["source"] == "own" and own is None:
        return current.settings, current.own
    try:
        settings = canonical(
            RunSettings(dataset=current.settings.dataset, **image, **attack, **solver)
        )
    except SettingsError as error:
        st.error(refused_settings(error))
        return current.settings, current.own
    image_of = None if own is None else own.image
    bundle = galleries.get(settings.source, bundle)
    if aims_at_own_class(settings, clean_example(bundle, settings, image_of)[1]):
        st.error(refused_settings("the target class is the image's own class"))
        return current.settings, current.own
    return settings, image_of


def _named(dataset: str, load_request: Callable[[Request], None]) -> None:
    """The named settings: choosing one takes it over whole."""

    ready = named(dataset)

    def load() -> None:
        chosen = st.session_state["pick"]
        if chosen is not None:
            load_request(Request(ready[chosen].settings))
        st.session_state["pick"] = None

    st.selectbox(
        "Named settings",
        range(len(ready)),
        index=None,
        format_func=lambda place: ready[place].name,
        placeholder="Choose one",
        label_visibility="collapsed",
        help="Each sets everything above.\n\n"
        + "\n\n".join(f"**{one.name}.** {one.about}" for one in ready),
        key="pick",
        on_change=load,
    )

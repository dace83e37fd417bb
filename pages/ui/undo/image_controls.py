"""The sidebar's first part: the data set, and which of its images or the user's own is attacked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import streamlit as st

from pages.ui.link.projects import origin_note
from pages.ui.look.literal import literal_from
from pages.ui.undo import help_texts as texts
from pages.ui.undo import own_image
from pages.ui.undo import undo_registry as session
from pages.ui.undo.attack_controls import ANY
from pages.ui.undo.headlines import a
from pages.ui.widgets.download_offer import download_panel
from pages.ui.widgets.gallery import first_of, galleries
from pages.ui.widgets.widget_keys import option_index, widget_value
from red_core.data.archive import DOWNLOADABLE
from red_core.data.assets import is_made
from red_core.data.datasets import CLASSES, NOUNS, TITLES
from red_core.data.intake import Intake
from red_core.data.own_datasets import base_of
from red_core.run.bundle import Bundle

NOT_KNOWN = "Not known"


def dataset_picker(switch: Callable[[str], None]) -> None:
    """The picker of the data set; what else was chosen stays chosen."""
    state = st.session_state

    current = state["ui.dataset"]

    def take() -> None:
        chosen = state["ui.dataset"]
        state[f"ui.target.{chosen}"] = state.get(f"ui.target.{current}", ANY)
        switch(chosen)

    names = [name for name in CLASSES if name == current or is_made(name)]
    st.segmented_control(
        "Data set",
        names,
        format_func=literal_from(TITLES),
        required=True,
        help=texts.DATASET,
        default=widget_value("ui.dataset"),
        key="ui.dataset",
        on_change=take,
        width="stretch",
    )
    origin_note(current)


def source_labels(dataset: str) -> dict[str, str]:
    """Where an image may come from, by the source's name."""
    brief = NOUNS[dataset].brief
    kept = "" if base_of(dataset) in DOWNLOADABLE else "held-out "  # G may have drawn them
    labels = {
        "gallery": f"Gallery of {kept}{brief}s",
        "upload": "Upload a picture",
        "draw": f"Draw {a(brief)}",
        "generated": "Made by the generator",
    }
    if base_of(dataset) not in own_image.PENS:
        del labels["draw"]
    return labels


def image_controls(bundles: Mapping[str, Bundle]) -> tuple[dict[str, Any], Intake | None]:
    """The image's part of RunSettings, and the user's image; bundles: by source, in order."""
    state, bundle = st.session_state, bundles["example"]
    labels = source_labels(bundle.dataset)
    if state.get("ui.source") not in labels:  # it was chosen for another data set
        state["ui.source"] = "gallery"
    chosen = st.selectbox(
        "Source",
        list(labels),
        option_index("ui.source", list(labels)),
        format_func=labels.__getitem__,
        help=texts.about(texts.SOURCE, bundle.dataset),
        key="ui.source",
    )
    if chosen in ("upload", "draw"):
        widget = own_image.upload if chosen == "upload" else own_image.draw
        current = own_image.of_shape(state.get(f"own.{chosen}"), bundle.dataset)
        own = widget(current, bundle.dataset, key=f"ui.file.{chosen}")
        state[f"own.{chosen}"] = own
        image: dict[str, Any] = {"source": "own", "label": _label(bundle)}
        if chosen == "upload" and own is not None and own_image.is_attacked(bundle, own):
            image["attack"] = "none"
        return image, own
    if chosen == "generated":
        st.caption("An image that G makes from the seed, with a pattern of D_a added to it.")
        return {"source": "realizable"}, None
    _gallery(bundles)
    return {"source": state.get("ui.picture", "example"), "index": int(state["ui.index"])}, None


def _offer(dataset: str) -> None:
    """Above the examples: that a generator drew them, and the offer to download the data set."""
    base = base_of(dataset)
    if base in DOWNLOADABLE:
        download_panel(base, _reload)


def _reload() -> None:
    """Forget what was loaded before a data set came: the gallery is to show its images."""
    session.load_models.clear()
    session.takes_official.clear()


def _label(bundle: Bundle) -> int | None:
    """The class of the user's image, if they tell it."""
    key, names = f"ui.label.{bundle.dataset}", bundle.class_names
    classes = [NOT_KNOWN, *range(len(names))]
    chosen = st.selectbox(
        "Its class",
        classes,
        option_index(key, classes),
        format_func=lambda label: label if label == NOT_KNOWN else names[label],
        help=texts.LABEL,
        key=key,
    )
    return None if chosen == NOT_KNOWN else chosen


def _gallery(bundles: Mapping[str, Bundle]) -> None:
    state, dataset = st.session_state, bundles["example"].dataset
    if state.get("ui.picture") not in bundles:
        state["ui.picture"] = "example"
    bundle = bundles[state["ui.picture"]]
    examples, names = bundle.examples, bundle.class_names
    if not state.get("ui.index", 0) < len(examples):
        state["ui.index"] = 0
    state.setdefault("ui.index", 0)
    key = f"ui.class.{dataset}"
    # After a download the same number is another image.
    if state.get(f"{key}.of") != examples.source or key not in state:
        state[f"{key}.of"] = examples.source
        state[key] = int(examples.labels[state["ui.index"]])

    def to_class() -> None:
        state["ui.picture"], state["ui.index"] = first_of(bundles, state[key])
        state[f"{key}.of"] = bundles[state["ui.picture"]].examples.source

    def to_picture(source: str, index: int) -> None:
        state["ui.picture"], state["ui.index"] = source, index

    def follow_index() -> None:
        state[key] = int(examples.labels[state["ui.index"]])

    noun = NOUNS[dataset].one.capitalize()
    st.subheader(noun, anchor=False)
    st.pills(
        noun,
        range(len(names)),
        format_func=literal_from(names),
        required=True,
        default=widget_value(key),
        help=texts.CLASS,
        label_visibility="collapsed",
        key=key,
        on_change=to_class,
    )
    galleries(
        *(bundles, int(state[key]), (state["ui.picture"], state["ui.index"]), to_picture),
        key="ui.gallery",
        attack=state.get("ui.attack", "none"),
        before_examples=partial(_offer, dataset),
    )
    with st.expander("More"):
        st.number_input(
            f"{state['ui.picture'].capitalize()} number",
            min_value=0,
            max_value=len(examples) - 1,
            value=widget_value("ui.index"),
            help=texts.INDEX,
            key="ui.index",
            on_change=follow_index,
        )

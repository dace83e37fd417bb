"""The images that answers belong to, where they are at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from red_core.data.assets import AssetError
from red_core.data.datasets import DataDamaged, DataMissing, ImageSet, has_official, load_official
from red_core.measure.tables.table_store import BUNDLED, OFFICIAL
from red_core.run.bundle import load_examples

SOURCE_LABELS = {OFFICIAL: "Official test set", BUNDLED: "Bundled examples"}


def images_of(dataset: str, source: str) -> ImageSet | None:
    """The images of a source in the order of the answers; None where they are not at hand.

    Those that are not are looked for again: who has cured a damaged set needs no new server.
    """
    try:
        return kept_images(dataset, source)
    except (AssetError, DataMissing, DataDamaged):  # see `damage_of`
        return None


@st.cache_resource(max_entries=4, show_spinner=False)
def kept_images(dataset: str, source: str) -> ImageSet:
    """`images_of`, read once; what it raises is not kept."""
    return load_official(dataset, "test") if source == OFFICIAL else load_examples(dataset)


def damage_of(dataset: str) -> str | None:
    """What is wrong with the official test set and what to do, where it is there and damaged."""
    try:
        has_official(dataset)
    except DataDamaged as error:
        return str(error)
    return None


def fit(images: ImageSet, answers: Mapping[str, Any]) -> bool:
    """Whether answers were given on these images: their classes are those that the file has."""
    true = str(answers.get("true", ""))
    labels = "".join(str(label) for label in images.labels[: len(true)].tolist())
    return bool(true) and labels == true

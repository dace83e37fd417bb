"""Theorems 3 and 6 near planted solutions of the trained generators: kept numbers, as a table."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.error_bound import error_bound_help_texts as texts
from pages.ui.error_bound.number_tables import html_table, short
from pages.ui.look.page_style import banner
from red_core.data.datasets import TITLES
from red_core.measure.result_store import stored

Row = dict[str, Any]
_HEAD = (
    "theorem", "start, away", "μ, smallest", "μ at the solution", "ρ", "ε", "μ² / (32/9 ρε)",
    "η admitted", "and no kink met",
)  # fmt: skip


def trained() -> None:
    """Draw the rows of the generator that is chosen."""
    rows: list[Row] = stored("theory", "planted.json").get("numbers", [])
    if not rows:
        return
    known = list(dict.fromkeys((row["dataset"], row["generator"]) for row in rows))
    place = st.segmented_control(
        "Trained generator",
        range(len(known)),
        default=0,
        format_func=lambda place: title(*known[place]),
        required=True,
        key="error-bound-trained",
        help=texts.TRAINED_GENERATOR,
    )
    chosen = known[place or 0]
    shown = [row for row in rows if (row["dataset"], row["generator"]) == chosen]
    banner("trained", "On trained generators", headline(shown))
    st.html(html_table(_HEAD, [cells(row) for row in shown], "numbers trained"))
    st.caption(f"{texts.TRAINED_WHOLE} {shown[0]['ranks']}")
    with st.expander("What am I seeing?"):
        st.markdown(texts.TRAINED)


def title(dataset: str, generator: str) -> str:
    """The name of a trained generator."""
    paper = {"mnist": "DCGAN", "fashion": "WGAN"}.get(dataset, "own")
    return f"{TITLES[dataset]}, {'ours' if generator == 'own' else f'the paper’s {paper}'}"


def headline(rows: list[Row]) -> str:
    """How far from the solution the theorems' conditions on the constants are met."""
    radii = list(dict.fromkeys(row["radius"] for row in rows))
    by_radius = {radius: [row for row in rows if row["radius"] == radius] for radius in radii}
    met = [at for at in radii if all(row["inside"] == row["descents"] for row in by_radius[at])]
    unmet = [at for at in radii if all(row["inside"] == 0 for row in by_radius[at])]
    if not met:
        return "Near this generator's solutions the conditions of neither theorem are met."
    said = f"The conditions on μ, ρ and ε are met up to {max(met):g} away from the solution"
    return f"{said}, and for no start {min(unmet):g} away." if unmet else f"{said}."


def cells(row: Row) -> list[str]:
    """A row of the table."""
    share = row["mu_squared_over_needed"]
    count = row["descents"]
    return [
        row["theorem"].removeprefix("Theorem "),
        f"{row['radius']:g}",
        short(row["mu"]),
        short(row["mu_limit"]),
        short(row["rho"]),
        short(row["epsilon"]),
        "∞" if share is None else short(share),
        f"{row['inside']} of {count}",
        f"{row['applies']} of {count}",
    ]

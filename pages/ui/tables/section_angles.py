"""Identifiability: how near D_a's blocks come to each other, and when the type must be right."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial

import streamlit as st
from torch import Tensor

from pages.ui.charts.block_angles import block_angles
from pages.ui.live.compute_queue import COMPUTE_QUEUE
from pages.ui.live.queue_status import in_turn
from pages.ui.look.page_style import banner
from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.tables import tables_help_texts as texts
from pages.ui.tables.tables_request import TablesRequest
from pages.ui.undo.undo_registry import load_models
from pages.ui.widgets.live_chart import live_chart
from red_core.algorithm.problem import AttackDictionary
from red_core.attacks.pgd import ATTACKS
from red_core.data.datasets import CLASSES
from red_core.measure.identifiability import Identifiability, identifiability

HEIGHT = 430


@st.cache_resource(show_spinner=False)
def kept() -> dict[str, Identifiability]:
    """What was compared in this process, by data set."""
    return {}


def angles(current: TablesRequest) -> None:
    """Draw the angles of the chosen data set's D_a, once somebody has asked for them."""
    found = kept().get(current.dataset)
    banner("angles", "Identifiability · the angles between blocks", headline(found))
    st.button(
        "Compare the blocks", help=texts.COMPARE_BLOCKS, key="tables-angles",
        disabled=found is not None, on_click=_ask, args=(current.dataset,),
    )  # fmt: skip
    if st.session_state.pop("tables.angles", None) == current.dataset and found is None:
        kept()[current.dataset] = in_turn(
            "compare the blocks",
            "Comparing the blocks",
            lambda report: identifiability(dictionary_of(current.dataset), partial(_turn, report)),
        )
        st.rerun()
    left, right = st.columns(2, gap="medium")
    with left:
        names = CLASSES[current.dataset]
        apart = None if found is None else found.apart
        figure = block_angles(apart, ATTACKS, names)
        live_chart(figure, key="tables-block-angles", height=HEIGHT)
    with right:
        st.markdown(margins(found))
    with st.expander("What am I seeing?"):
        st.markdown(texts.ANGLES)


def _turn(report: Callable[[int], None]) -> AbstractContextManager[bool]:
    """One of its turns; between two, the script ends where somebody has chosen something else."""
    report(0)
    return COMPUTE_QUEUE.turn(report)


def dictionary_of(dataset: str) -> AttackDictionary:
    """D_a of a data set."""
    return load_models(dataset, "cpu").bundle.dictionary


def _ask(dataset: str) -> None:
    st.session_state["tables.angles"] = dataset


def headline(found: Identifiability | None) -> str:
    """The smallest margin of all, and whose it is."""
    if found is None:
        return "When must an attack's type be named right?"
    least = found.margin.amin(1)
    kind = int(least.argmin())
    name = ATTACK_LABELS[found.attacks[kind]]
    return (
        f"The margin is smallest for {name}: {float(least[kind]):.1%} of what its block explains."
    )


def margins(found: Identifiability | None) -> str:
    """For every attack the margin, and the block of another type that comes nearest."""
    if found is None:
        return "The margins of all attacks will be shown here."
    lines = []
    for kind, attack in enumerate(found.attacks):
        least, most = float(found.margin[kind].min()), float(found.margin[kind].max())
        rows = slice(kind * found.classes, (kind + 1) * found.classes)
        nearest = max(
            (other for other in range(len(found.attacks)) if other != kind),
            key=lambda other: float(_between(found, rows, other).max()),
        )
        lines.append(
            f"- **{ATTACK_LABELS[attack]}**: right while its block leaves over less than "
            f"{least:.1%} of what it explains ({most:.1%} in the best class). "
            f"{ATTACK_LABELS[found.attacks[nearest]]} comes nearest, with a cosine of "
            f"{float(_between(found, rows, nearest).max()):.4f}."
        )
    kinds = [place // found.classes for place in range(len(found.coherence))]
    apart = max(
        float(found.coherence[first, second])
        for first in range(len(kinds))
        for second in range(first)
        if kinds[first] != kinds[second]
    )
    lines.append(f"- **Coherence**: two columns of different types have a cosine of {apart:.2f}.")
    return "\n".join(lines)


def _between(found: Identifiability, rows: slice, other: int) -> Tensor:
    """The cosines between an attack's blocks and those of another one."""
    columns = slice(other * found.classes, (other + 1) * found.classes)
    return found.cosines[rows, columns]

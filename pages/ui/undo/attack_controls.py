"""The sidebar's second part: the attack, with the paper's budget to begin with."""

from __future__ import annotations

from typing import Any

import streamlit as st

from pages.ui.look.theme import ATTACK_LABELS
from pages.ui.undo import help_texts as texts
from pages.ui.undo.widget_scope import numbers_of
from pages.ui.widgets.widget_keys import option_index, widget_value
from red_core.attacks.pgd import ATTACKS, MAX_EPS, MAX_STEPS, PAPER_ATTACKS
from red_core.data.datasets import SHAPES

ANY = "any other class"
# Of the number fields for eps.
_STEPS = {
    "grey": {"linf": 0.05, "l2": 0.25, "l1": 1.0},
    "colour": {"linf": 0.005, "l2": 0.1, "l1": 1.0},
}


def attack_controls(dataset: str, source: str, class_names: tuple[str, ...]) -> dict[str, Any]:
    """The attack's part of RunSettings."""
    kind = st.segmented_control(
        "Norm",
        [*ATTACKS, "none"],
        format_func=ATTACK_LABELS.__getitem__,
        required=True,
        default=widget_value("ui.attack"),
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
    place = f"{numbers_of(dataset)}.{kind}"
    steps_of_eps = _STEPS["grey" if SHAPES[dataset][0] == 1 else "colour"]
    eps = _number(
        f"ui.eps.{place}", "Budget ε", paper.eps, steps_of_eps[kind], MAX_EPS[kind], texts.EPS
    )
    with st.expander("More"):
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
        steps = right.number_input(
            "PGD steps",
            1,
            MAX_STEPS,
            widget_value(key, paper.steps),
            help=texts.ATTACK_STEPS.format(paper=paper.steps),
            key=key,
        )
        targets = [ANY, *range(len(class_names))]
        target = st.selectbox(
            "Target",
            targets,
            option_index(f"ui.target.{dataset}", targets),
            format_func=lambda label: label if label == ANY else class_names[label],
            help=texts.TARGET,
            key=f"ui.target.{dataset}",
        )
    return {
        "attack": kind,
        "eps": eps,
        "step_size": step,
        "attack_steps": int(steps),
        "target": None if target == ANY else target,
    }


def _number(key: str, label: str, paper: float, step: float, most: float, text: str) -> float:
    value = st.number_input(
        label,
        0.0,
        most,
        widget_value(key, paper),
        step=step,
        format="%g",
        help=text.format(paper=paper),
        key=key,
    )
    return float(f"{value:.12g}")  # 0.1 + 0.05 is 0.15, not 0.15000000000000002

"""Act 1, the problem: what W is like, what is known of it before any step, what ranks allow."""

from __future__ import annotations

import math

import streamlit as st
import torch

from pages.ui.charts.angles import angle_figure
from pages.ui.error_bound import error_bound_headlines as words
from pages.ui.error_bound import error_bound_help_texts as texts
from pages.ui.error_bound.error_bound_request import ErrorBoundRequest
from pages.ui.error_bound.number_tables import facts_table, short
from pages.ui.error_bound.view_model import floor_of, pretty
from pages.ui.look.page_style import headline
from pages.ui.widgets.live_chart import live_chart
from red_core.synthetic import Instances
from red_core.theory import rank_sentence


def problem(current: ErrorBoundRequest, instances: Instances) -> None:
    """Draw the act."""
    headline(1, "The problem", words.problem_headline(instances.settings))
    left, right = st.columns(2, gap="medium")
    with left:
        live_chart(
            angle_figure(instances.network.weights[0][0]), key="error-bound-angles", height=230
        )
    with right:
        st.html(facts_table(_facts(current, instances)))
        if instances.k:
            st.caption(ranks(current, instances))
    with st.expander("What am I seeing?"):
        st.markdown(texts.ACT_1)


def ranks(current: ErrorBoundRequest, instances: Instances) -> str:
    """What the ranks allow mu to be."""
    if current.method == "inversion":
        return "Under 4.1 c_a is known and only z moves, so the ranks of D_a do not matter."
    return pretty(rank_sentence(int(instances.ranks.max()), instances.k, instances.d, instances.n))


def _facts(current: ErrorBoundRequest, instances: Instances) -> list[tuple[str, str]]:
    sigma = instances.network.activation
    values = torch.linalg.svdvals(instances.network.weights[0][0])
    small, large = float(values[-1]), float(values[0])
    smooth = "holds" if sigma.smooth else "fails: σ has a kink"
    facts = [
        ("Assumption 1, σ is smooth", smooth),
        ("singular values of W", f"{short(small)} to {short(large)}"),
        ("condition of W", short(large / small) if small > 0 else "infinite"),
    ]
    floor = None if current.method != "inversion" else floor_of(instances, None)
    if floor is not None:
        facts.append(
            ("μ never falls below", f"{short(floor[0])} = {floor[1].removeprefix('floor ')}")
        )
    elif len(instances.network.weights) > 1:
        facts.append(("layers", " → ".join(str(width) for width in _widths(instances))))
    if instances.k:
        share = float(instances.flipped.double().mean())
        facts.append(("rank(D_a) + d against n", _against(instances)))
        facts.append(("attacks that fool ψ", "–" if math.isnan(share) else f"{share:.0%}"))
    return facts


def _against(instances: Instances) -> str:
    total, n = int(instances.ranks.max()) + instances.d, instances.n
    return f"{total} {'>' if total > n else '≤'} {n}"


def _widths(instances: Instances) -> list[int]:
    weights = instances.network.weights
    return [instances.d, *(weight.shape[-2] for weight in weights)]

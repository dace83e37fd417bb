"""A page for test_live_chart: three live charts, brought up to date five times a second."""

import math

import streamlit as st

from pages.ui.charts.energies import energy_figure
from pages.ui.charts.traces import loss_figure, mu_figure
from pages.ui.widgets.live_chart import live_chart

TOTAL = 400


@st.fragment(run_every=0.2)
def charts() -> None:
    """One more step in every chart."""
    count = st.session_state["count"] = st.session_state.get("count", 0) + 1
    ks = list(range(min(count, TOTAL) + 1))
    losses = [30 * math.exp(-k / 25) + 1 for k in ks]
    gaps = [3 * math.exp(-k / 15) + 1e-3 for k in ks]
    energies = [[abs(math.sin(count / 9 + i + 2 * j)) for j in range(3)] for i in range(10)]
    attacks = ("linf", "l2", "l1")
    live_chart(loss_figure(ks, losses, gaps, TOTAL, 50), key="loss", height=230)
    live_chart(energy_figure(energies, "0123456789", attacks, 1.0), key="energies", height=230)
    live_chart(mu_figure(ks, gaps, "μ, exact", TOTAL, 50), key="mu", height=190)


charts()

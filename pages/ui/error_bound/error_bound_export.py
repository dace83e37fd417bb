"""What can be taken along: the link, the command and the numbers of a run."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import streamlit as st

from pages.ui.error_bound.error_bound_presets import STUDIES
from pages.ui.error_bound.error_bound_request import OWN_FILE, ErrorBoundRequest, command
from pages.ui.error_bound.findings import SAMPLES
from pages.ui.error_bound.matrix import as_npy, pack_matrix
from pages.ui.error_bound.number_tables import plain
from pages.ui.error_bound.run import ErrorBoundView
from pages.ui.error_bound.study import StudyView
from pages.ui.live.compute_queue import COMPUTE_QUEUE
from red_core.measure.studies import EXAMPLES
from red_core.synthetic import Instances
from red_core.theory import ProximalGuarantee
from red_core.theory.verification import Found, Verification, report


def export(
    current: ErrorBoundRequest,
    instances: Instances | None,
    view: ErrorBoundView | StudyView | None,
    query: dict[str, str],
) -> None:
    """Draw the link, the command and the download buttons."""
    st.subheader("Link and export", anchor=False)
    st.caption("This link repeats the run to the same numbers.")
    st.code(f"{st.context.url or ''}?{urlencode({**query, 'run': '1'})}", None, wrap_lines=True)
    if current.own is not None and pack_matrix(current.own) is None:
        st.caption("Your matrix is too large for a link: save it and upload it again there.")
    st.caption("So does this command.")
    st.code(command(current), "bash", wrap_lines=True)
    if current.own is not None:
        own = current.own
        _button("Matrix for the command", lambda: as_npy(own), OWN_FILE, _NPY, True)
    ready = view is not None and view.ended and not view.busy and not view.error
    # Said either way, so that the button keeps its place.
    note = "are those of the run as it ended." if ready else "can be saved once a run has ended."
    st.caption(f"The numbers {note}")
    # ready means that there is a view: the lambda runs on a click only.
    _button("JSON", lambda: _json(current, instances, view), "red-theory.json", _JSON, ready)


_PROXIMAL = ("mu", "rho", "curvature", "predicted", "observed", "lowest", "applies")
_NPY, _JSON = "application/octet-stream", "application/json"
_HELP = {
    "Matrix for the command": "Your W; save it where the command runs.",
    "JSON": "Settings, constants, rates and the recorded path of every instance.",
}


def numbers(
    current: ErrorBoundRequest, instances: Instances | None, view: ErrorBoundView | StudyView
) -> dict[str, Any]:
    """Everything a run has found, as plain values; what does not exist is None."""
    if isinstance(view, StudyView):
        return _study_numbers(current, view)
    assert instances is not None
    content: dict[str, Any] = {}
    if isinstance(view.findings, Found):
        with COMPUTE_QUEUE.turn():  # it measures once more what the page does not show
            content = report(_asked(current), view.findings)
    elif isinstance(view.findings, ProximalGuarantee):
        findings = view.findings
        content = {
            "theorem": "Theorem 8",
            **{name: plain(getattr(findings, name)) for name in _PROXIMAL},
            "why": list(findings.why),
            "settings": instances.settings.as_dict(),
        }
    content |= _of_every_step(view)
    if view.path is not None:
        names = ("k", "distance_z", "distance_row", "loss", "mu", "mu_row")
        content["path"] = {name: plain(getattr(view.path, name)) for name in names}
    if view.lemma is not None:
        content["lemma_14_fails"] = {bound.name: bound.fails for bound in view.lemma.bounds[1:]}
    return content


def _of_every_step(view: ErrorBoundView) -> dict[str, Any]:
    """mu and arrivals over all steps: the recorded path has some of them only."""
    if view.mu_mean is None or view.mu_least is None or view.arrived_at is None:
        return {}
    return {
        "mu_mean": plain(float(view.mu_mean.nanmean())),
        "mu_mean_of_instances": plain(view.mu_mean),
        "mu_min": plain(float(view.mu_least.min())),
        "arrived_at": plain(view.arrived_at),
        "success_rate": float((view.arrived_at >= 0).double().mean()),
    }


def _asked(current: ErrorBoundRequest) -> Verification:
    step = current.eta if isinstance(current.eta, str) else "theorem"
    return Verification(current.settings, current.options(), step, samples=SAMPLES)


def _study_numbers(current: ErrorBoundRequest, view: StudyView) -> dict[str, Any]:
    """The rows as `studies.expansiveness` and `studies.examples` give them."""
    settings = {"settings": current.settings.as_dict(), "steps": current.steps, "eta": current.eta}
    if current.show in STUDIES:
        rows = [{"m": int(name), **row} for name, row in zip(view.names, view.rows, strict=False)]
        return {current.show: rows, **settings}
    named = zip(EXAMPLES.items(), view.rows, strict=False)
    rows_by_name = {name: {**row, "paper_mu": study.paper_mu} for (name, study), row in named}
    return {"examples": rows_by_name, **settings}


def _json(current: ErrorBoundRequest, instances: Instances | None, view: Any) -> str:
    return json.dumps(numbers(current, instances, view), indent=1, allow_nan=False) + "\n"


def _button(label: str, make: Any, file: str, mime: str, ready: bool) -> None:
    st.download_button(
        label,
        make,  # on the click, not at every rerun
        file,
        mime,
        key=f"error-bound-save-{label}",
        help=_HELP[label],
        on_click="ignore",
        disabled=not ready,
    )

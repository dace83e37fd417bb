"""What the acts draw and say, taken from a run's view: thin, so that the acts stay layout."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from pages.ui.charts.interval import StepSizes
from pages.ui.charts.rates import Rates
from pages.ui.error_bound.error_bound_headlines import THEOREM, Outcome, Progress
from pages.ui.error_bound.run import ErrorBoundView
from red_core.synthetic import Instances
from red_core.theory import ProximalGuarantee, leaky_floor, one_layer_contraction
from red_core.theory.cocoercivity import Cocoercivity, cocoercivity
from red_core.theory.descent import Path
from red_core.theory.rate_dependence import RateDependence, rate_dependence
from red_core.theory.verification import Found

Lines = Sequence[tuple[str, Sequence[float]]]

_PRETTY = (
    (r"\brho\b", "ρ"),
    (r"\bepsilon\b", "ε"),
    (r"\beta\b", "η"),
    (r"\bmu\^2", "μ²"),
    (r"\bmu\b", "μ"),
    (r"\bleaky_relu\b", "leaky ReLU"),
    (r"\brelu\b", "ReLU"),
)


def pretty(sentence: str) -> str:
    """A sentence of the core with the paper's letters."""
    for pattern, letter in _PRETTY:
        sentence = re.sub(pattern, letter, sentence)
    return sentence


def progress_of(view: ErrorBoundView | None, place: int | None, count: int) -> Progress | None:
    """Where a descent stands, at the iterate looked at."""
    if view is None:
        return None
    arrived, left, k, proximal = 0, float("nan"), 0, False
    if view.path is not None and place is not None:
        path = view.path
        proximal = path.method == "proximal"
        arrived = int((~path.under_way[place]).sum())
        value = value_lines(view)[0][place] if proximal else path.distance[place]
        left = float(torch.as_tensor(value).nanmedian())
        k = int(path.k[place])
    return Progress(
        state=view.state,
        phase=view.phase,
        place=view.place,
        k=k,
        total=view.total,
        arrived=arrived,
        count=count,
        left=left,
        proximal=proximal,
        searched=view.searched,
    )


def until_arrival(path: Path, values: Tensor) -> NDArray[np.float64]:
    """values [K, I] until each instance has arrived, NaN after that: there they are rounding."""
    shown = torch.where(path.under_way, values, torch.nan)
    return np.asarray(shown.numpy(), dtype=np.float64)


def mean_mu(view: ErrorBoundView | None) -> float | None:
    """mu averaged as in Figures 1 and 3: over each path until it arrives, then over all paths."""
    if view is None or view.mu_mean is None:
        return None
    return float(view.mu_mean.nanmean())


def has_kernel(instances: Instances) -> bool:
    """Whether D_a has one: then Assumption 5 can hold in its row space at most."""
    return bool((instances.ranks < instances.k).any())


def floor_of(instances: Instances, path: Path | None) -> tuple[float, str] | None:
    """What mu cannot fall below, with its name; None where there is no such number."""
    sigma = instances.network.activation
    alone = path is None or path.method == "inversion"
    if not alone or len(instances.network.weights) > 1 or sigma.name not in _PIECEWISE:
        return None
    floor = float(leaky_floor(instances.network.weights[0], sigma.slopes[0]).min())
    name = "2 σ_min(W)²" if sigma.slopes[0] == 1 else "floor 2α² σ_min(W)²"
    return floor, name


_PIECEWISE = ("leaky_relu", "linear")


def distance_bounds(instances: Instances, view: ErrorBoundView) -> Lines:
    """What no instance's distance exceeds: Theorem 3's or 6's, and the closed form of one layer.

    The theorem's line is the largest bound among the instances to which it applies.
    """
    lines: list[tuple[str, Sequence[float]]] = []
    path, found = view.path, view.findings
    if path is None:
        return lines
    half = path.k.double()[:, None] / 2
    if isinstance(found, Found) and bool(found.guarantee.applies.any()):
        applies = found.guarantee.applies
        start = path.distance[0, : len(applies)][applies]
        bound = start * found.guarantee.predicted[applies] ** half
        lines.append((f"bound of {found.guarantee.theorem}", bound.amax(1).tolist()))
    factor = _one_layer(instances, path)
    if factor is not None:
        bound = path.distance[0] * factor**half
        lines.append(("bound for one layer", bound.amax(1).tolist()))
    return lines


def _one_layer(instances: Instances, path: Path) -> Tensor | None:
    """The closed form's factor on the squared distance [I], where it promises anything."""
    sigma, weights = instances.network.activation, instances.network.weights
    if path.method != "inversion" or len(weights) > 1 or sigma.slopes[0] <= 0:
        return None
    factor = one_layer_contraction(weights[0], sigma.slopes, path.eta)
    return factor if bool((factor < 1).all()) else None


def value_lines(view: ErrorBoundView) -> tuple[NDArray[np.float64], Lines]:
    """f, or L - L* under 4.3, over the recorded steps [K, I]; and Theorem 8's bound on it."""
    path, found = view.path, view.findings
    assert path is not None
    lowest, lines = torch.zeros(path.loss.shape[1]), list[tuple[str, Sequence[float]]]()
    if path.method == "proximal":
        lowest = path.loss.nan_to_num(torch.inf).amin(0)
        if view.lowest is not None:
            lowest = torch.minimum(lowest, view.lowest)
        if isinstance(found, ProximalGuarantee):
            known = len(found.lowest)
            lowest = torch.cat((torch.minimum(lowest[:known], found.lowest), lowest[known:]))
            if bool(found.applies.any()):
                start = (path.loss[0] - lowest)[:known][found.applies]
                bound = start * found.predicted[found.applies] ** path.k.double()[:, None]
                lines.append(("bound of Theorem 8", bound.amax(1).tolist()))
    return np.asarray((path.loss - lowest).numpy(), dtype=np.float64), lines


def outcome_of(instances: Instances, view: ErrorBoundView | None) -> Outcome | None:
    """What the theorem says of a descent that has ended."""
    if view is None or view.path is None or view.findings is None:
        return None
    path, found, count = view.path, view.findings, len(instances)
    result = found.guarantee if isinstance(found, Found) else found
    name = found.guarantee.theorem if isinstance(found, Found) else THEOREM[path.method]
    applies = result.applies
    some = applies if bool(applies.any()) else torch.ones_like(applies)
    observed = result.observed[some]
    failing = [why for why, fine in zip(result.why, applies.tolist(), strict=True) if not fine]
    closed = _one_layer(instances, path)
    return Outcome(
        theorem=name,
        judged=len(applies),
        count=count,
        applies=int(applies.sum()),
        arrived=int(path.success.sum()),
        smooth=instances.network.activation.smooth,
        promised=float(result.predicted[applies].max()) if bool(applies.any()) else None,
        observed=_largest(observed),
        bound_kept=bool((result.observed[applies] <= result.predicted[applies] * (1 + 1e-9)).all()),
        of_value=isinstance(found, ProximalGuarantee),
        reason=pretty(failing[0]) if failing else "",
        one_layer=None if closed is None else float(closed.max()),
    )


def _largest(values: Tensor) -> float | None:
    known = values[torch.isfinite(values)]
    return float(known.max()) if len(known) else None


def step_sizes_of(view: ErrorBoundView | None, count: int) -> StepSizes | None:
    """The step-size axis of every instance; NaN for those not measured yet, None before any is."""
    if view is None or view.path is None:
        return None
    nothing = torch.full((count,), torch.nan, dtype=torch.float64)
    low, high, rho, epsilon = nothing, nothing, nothing, nothing
    name = StepSizes.rho_name
    if isinstance(view.findings, Found):
        result = view.findings.guarantee
        low, high = _padded(result.low, count), _padded(result.high, count)
        rho, epsilon = _padded(1.5 / result.rho, count), _padded(0.25 / result.epsilon, count)
    elif isinstance(view.findings, ProximalGuarantee):
        # Theorem 8 is compared with rho = 1 / eta: it asks for no more curvature than that.
        rho, name = _padded(1 / view.findings.curvature, count), "1/curvature"
        high = torch.where(_padded(view.findings.predicted, count).isnan(), torch.nan, rho)
        low = 0 * high
    return StepSizes(
        eta=view.path.eta.numpy(),
        low=low.numpy(),
        high=high.numpy(),
        rho_limit=rho.numpy(),
        epsilon_limit=epsilon.numpy(),
        rho_name=name,
    )


def rates_of(view: ErrorBoundView | None, count: int) -> Rates | None:
    """Promised and observed factors of every instance, None before any is measured."""
    if view is None or view.findings is None:
        return None
    found = view.findings
    result = found.guarantee if isinstance(found, Found) else found
    applies = result.applies
    promised = torch.where(applies, result.predicted, torch.nan)
    nothing = torch.full_like(promised, torch.nan)
    sharper = found.guarantee.sharper if isinstance(found, Found) else nothing
    mean = found.guarantee.observed_mean if isinstance(found, Found) else nothing
    parts = (promised, sharper, result.observed, mean)
    return Rates(*(_padded(part, count).numpy() for part in parts))


def cocoercivity_of(
    instances: Instances, view: ErrorBoundView | None
) -> tuple[Tensor, Cocoercivity] | None:
    """Lemma 9 at the steps that were examined: k [K], and both sides of (14) until arrival.

    None while something is still computed, and for a regularised descent.
    """
    if view is None or view.busy or view.path is None or not isinstance(view.findings, Found):
        return None
    path, result = view.path, view.findings.guarantee
    count = len(result)
    at = torch.isin(path.k, result.steps.k)
    found = cocoercivity(
        instances.take(torch.arange(count)), path.z[at][:, :count], path.c_a[at][:, :count],
        path.eta[:count], result.rho, result.epsilon, path.method == "inversion",
    )  # fmt: skip
    under_way = path.under_way[at][:, :count]
    sides = (torch.where(under_way, side, torch.nan) for side in (found.left, found.right))
    return path.k[at], Cocoercivity(*sides)


def dependence_of(view: ErrorBoundView | None) -> RateDependence | None:
    """How the promise depends on its constants, at their medians; None where it has none."""
    if view is None or view.busy or not isinstance(view.findings, Found):
        return None
    result = view.findings.guarantee
    mu, rho, epsilon = (float(part.nanmedian()) for part in (result.mu, result.rho, result.epsilon))
    if not (math.isfinite(epsilon) and 0 < mu < math.inf and 0 < rho < math.inf):
        return None
    return rate_dependence(mu, rho, epsilon)


def _padded(values: Tensor, count: int) -> Tensor:
    more = values.new_full((count - len(values),), torch.nan)
    return torch.cat((values, more))

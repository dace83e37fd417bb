"""What the page "Error bound" says in sentences: pure functions of a run's numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch

from pages.ui.error_bound.constants import Lemma
from pages.ui.undo.headlines import FIGURE_SPACE, number
from red_core.synthetic import FAMILIES, InstanceSettings
from red_core.theory import WDC
from red_core.theory.cocoercivity import Cocoercivity
from red_core.theory.growth import PowerLaw
from red_core.theory.rate_dependence import RateDependence

TIGHTEST = 1 / 290  # what Huang et al. (2021) ask of the WDC's constant (footnote 4)

ACTIVATION_WORDS = {
    "leaky_relu": "leaky ReLU of slope {}",
    "relu": "ReLU",
    "linear": "a linear σ",
    "softplus": "softplus of β = {}",
    "sigmoid": "sigmoid",
    "tanh": "tanh",
    "gelu": "GELU",
    "silu": "SiLU",
}
THEOREM = {"inversion": "Theorem 3", "alternating": "Theorem 6", "proximal": "Theorem 8"}


@dataclass(frozen=True)
class Progress:
    """A descent at one moment.

    arrived, count: instances; left: the median distance, or of L - L* where proximal; searched:
    instances for which the theorem's step size has been looked for.
    """

    state: str
    phase: str
    place: int
    k: int
    total: int
    arrived: int
    count: int
    left: float
    proximal: bool = False
    searched: int = 0


@dataclass(frozen=True)
class Outcome:
    """What a finished descent says of its theorem, over `count` instances.

    applies: to how many it applies; judged: how many have been looked at; smooth: Assumption 1;
    promised: the largest promised factor among those to which it applies; observed: the worst
    factor of any step of those, or of all where it applies to none; bound_kept: whether no
    instance did worse than promised; of_value: whether factors are of L - L* (Theorem 8) or of
    the squared distance; reason: the first failed condition of an instance to which it does not
    apply; one_layer: the factor that one layer of positive slope has from every start.
    """

    theorem: str
    judged: int
    count: int
    applies: int
    arrived: int
    smooth: bool
    promised: float | None
    observed: float | None
    bound_kept: bool
    of_value: bool = False
    reason: str = ""
    one_layer: float | None = None


def sigma_words(settings: InstanceSettings) -> str:
    """The activation with its parameter: "leaky ReLU of slope 0.2"."""
    parameter = "" if settings.parameter is None else f"{settings.parameter:g}"
    return ACTIVATION_WORDS[settings.activation].format(parameter)


def problem_headline(settings: InstanceSettings) -> str:
    """Act 1's line."""
    family = FAMILIES[settings.family].title
    layers = "" if settings.layers == 1 else f", {settings.layers} layers"
    attack = f"attacked, D_a of {settings.training} columns" if settings.attack else "no attack"
    return f"{family}: {settings.m} × {settings.d}{layers}, {sigma_words(settings)}, {attack}."


def descent_headline(now: Progress | None) -> str:
    """Act 2's line."""
    if now is None:
        return "Not run yet. Press Run, or take one step."
    if now.state == "failed":
        return "The run failed."
    if now.place:
        return f"Waiting in line: {_runs(now.place)} ahead."
    if now.phase == "search":
        return f"Looking for a step size that the theorem admits: {now.searched} of {now.count}."
    if now.phase == "begin":
        return "Starting."
    if now.state == "finished" and now.arrived == now.count:
        return f"Finished: {_every(now.count)} arrived, after {now.k:,} steps."
    k, arrived = f"{now.k:,}", str(now.arrived)
    if now.state == "running":  # as wide as it will become, so that nothing trembles
        k = k.rjust(len(f"{now.total:,}"), FIGURE_SPACE)
        arrived = arrived.rjust(len(str(now.count)), FIGURE_SPACE)
    state = {"running": "Descending"}.get(now.state, now.state.capitalize())
    step = f"{state}: step {k} of {now.total:,}"
    if now.proximal:
        return f"{step}, median L − L* {number(now.left)}."
    return f"{step}, {arrived} of {now.count} arrived, median distance {number(now.left)}."


def _runs(place: int) -> str:
    return "1 run is" if place == 1 else f"{place} runs are"


def _every(count: int) -> str:
    return "the instance has" if count == 1 else f"all {count} instances have"


def theorem_headline(found: Outcome | None, ended: bool = False) -> str:
    """Act 3's line: whether the theorem applies here, and what was observed."""
    if found is None:
        return "Measuring." if ended else "What the theorem says is known when the run ends."
    if found.judged < found.count:
        done = f"{found.judged} of {found.count}"
        return f"Measuring μ, ρ and ε along the paths: {done} instances."
    return f"{_applies(found)} {_observed(found)}".strip()


def _applies(found: Outcome) -> str:
    name = found.theorem
    if not found.applies:
        return f"{name} does not apply here" + ("." if found.smooth else ": σ has a kink.")
    if not found.bound_kept:
        return f"{name} applies, but a step did worse than it promised:"
    if found.applies == found.count:
        return f"{name} applies and holds:"
    return f"{name} applies to {found.applies} of {found.count}:"


def _observed(found: Outcome) -> str:
    if found.applies and found.promised is not None and found.observed is not None:
        return f"promised × {factor(found.promised)} a step, observed × {factor(found.observed)}."
    if found.of_value:
        return ""
    if found.arrived == found.count:
        return "Descent arrives all the same." if found.count > 1 else "It arrives all the same."
    if found.arrived:
        return f"{found.arrived} of {found.count} arrive all the same."
    return "None has arrived."


def factor(value: float) -> str:
    """A factor of one step, below 1 by what matters: "0.870", "(1 − 2.3e-05)"."""
    if not math.isfinite(value):
        return "–"
    if 0 < abs(1 - value) < 1e-3:
        return f"(1 {'−' if value < 1 else '+'} {abs(1 - value):.1e})"
    return f"{value:.3f}"


def theorem_sentences(found: Outcome | None) -> list[str]:
    """What the theorem says here, in full: sentences of Markdown."""
    if found is None:
        return ["Whether the theorem applies, and why, will be shown here."]
    lines = []
    measured = "L − L*" if found.of_value else "the squared distance"
    if found.applies and found.promised is not None and found.observed is not None:
        lines.append(
            f"Where it applies, {found.theorem} promises that every step multiplies {measured} by "
            f"**{factor(found.promised)}** at most. The worst step that was seen multiplied it by "
            f"**{factor(found.observed)}**."
        )
    elif found.observed is not None:
        lines.append(
            f"No factor is promised. The worst step that was seen multiplied {measured} by "
            f"**{factor(found.observed)}**."
        )
    if found.reason:
        lines.append(found.reason)
    if found.one_layer is not None:
        lines.append(
            "One layer of positive slope needs no theorem: from every start each step multiplies "
            f"the squared distance by **{factor(found.one_layer)}** at most (the bound for one "
            "layer in act 2)."
        )
    return lines


def comparison(
    name: str, paper: float, ours: float | None, least: float | None, rate: float | None
) -> str:
    """The paper's mean mu beside our mean and our smallest: a sentence of Markdown."""
    if ours is None or least is None or not math.isfinite(ours):
        return f"{name}: the paper states μ = **{paper:g}**. Ours comes with the run."
    with_rate = "" if rate is None else f", and {_share(rate)} arrived"
    return (
        f"{name}: the paper states μ = **{paper:g}**. Here the mean is **{ours:.3g}**, the "
        f"smallest {least:.3g}{with_rate}."
    )


def _share(rate: float) -> str:
    return "every instance" if rate == 1 else f"{rate:.0%} of the instances"


def cocoercivity_line(sides: Cocoercivity | None) -> str:
    """Whether (14) held at the steps looked at, and how near its sides came."""
    if sides is None:
        return "It is compared when the run has ended."
    known = torch.isfinite(sides.left) & torch.isfinite(sides.right)
    left, right = sides.left[known], sides.right[known]
    if not len(left):
        return "No step was under way."
    broken = int((right > left + 1e-9 * left.abs().max()).sum())
    if broken:
        return f"The left side is below the bound at {broken} of {len(left)} steps."
    some = left > 0
    if not bool(some.any()):
        return f"The left side is never below the bound, at {len(left)} steps."
    share = float((right[some] / left[some]).max())
    return (
        f"The left side is never below the bound, at {len(left)} steps of {_instances(sides)}; "
        f"the bound reaches {max(share, 0):.0%} of it at most."
    )


def _instances(sides: Cocoercivity) -> str:
    count = sides.left.shape[1]
    return "1 instance" if count == 1 else f"{count} instances"


def dependence_line(found: RateDependence | None) -> str:
    """How far epsilon is from the most that the theorem admits, at the medians."""
    if found is None:
        return "It comes with the run's μ, ρ and ε."
    if found.share >= 1:
        return f"ε is {found.share:.3g} times the most that the theorem admits: no step is left."
    return (
        f"ε is {found.share:.0%} of the most that the theorem admits. At its best step size it "
        f"promises × {factor(found.here)}."
    )


def lemma_line(lemma: Lemma | None) -> str:
    """How tight Lemma 14 is, or why it says nothing."""
    if lemma is None:
        return "Lemma 14 is about one layer; it comes with the run."
    measured, corrected = lemma.bounds[0], lemma.bounds[2]
    if not math.isfinite(corrected.rho):
        return "Lemma 14 says nothing here: σ has a kink, so B_σ'' is infinite."
    times = corrected.rho / measured.rho if measured.rho > 0 else math.inf
    return (
        f"At {lemma.points} steps of {lemma.instances} instances. The corrected ρ is "
        f"{times:.1f} times the measured one."
    )


def wdc_line(wdc: WDC | None, done: bool) -> str:
    """The WDC's constant, as far as it is known: a sentence of Markdown."""
    if wdc is None:
        return (
            "Not defined here: σ' must depend on the sign alone, as for ReLU and leaky ReLU."
            if done
            else "Comes with the run, for ReLU, leaky ReLU and linear σ."
        )
    return (
        f"The constant of W is at least **{wdc.given.constant:.3g}**; for W scaled to the length "
        f"of a random matrix (× {wdc.factor:.3g}) at least **{wdc.rescaled.constant:.3g}**. The "
        f"proofs ask for less than 1/290 = {TIGHTEST:.4f}."
    )


def study_headline(
    show: str, state: str, place: int, done: int, names: tuple[str, ...], k: int
) -> str:
    """Act 2's line for a study."""
    if state == "failed":
        return "The run failed."
    if place:
        return f"Waiting in line: {_runs(place)} ahead."
    count = len(names)
    if done == count:
        return "Finished."
    what = f"m = {names[done]}" if show != "examples" else names[done]
    step = f"{k:,}".rjust(6, FIGURE_SPACE)
    doing = {"running": "Descending", "paused": "Paused", "stopped": "Stopped"}.get(state, state)
    return f"{doing}: {what} ({done + 1} of {count}), step {step}."


def study_finding(show: str, rows: list[dict[str, Any]]) -> str:
    """What a whole study shows, in a headline. rows: of `studies.summary`."""
    rates = [row["success_rate"] for row in rows]
    arrived = "every run arrived" if min(rates) == 1 else f"{min(rates):.0%} of the runs arrived"
    means = [row["mu_mean"] for row in rows]
    if show == "examples":
        return f"Finished: noise on the rows {_raises(means[1] > means[0], means[3] > means[2])}."
    rising = all(low < high for low, high in pairwise(means))
    at_worst = "" if min(rates) == 1 else " at worst"
    rise = "μ rises with m" if rising else "μ does not rise at every m"
    return f"Finished: {rise}, and {arrived}{at_worst}."


def _raises(two_rows: bool, hadamard: bool) -> str:
    if two_rows and hadamard:
        return "raises μ, as in the paper"
    if two_rows or hadamard:
        return f"raises μ for {'the two rows' if two_rows else 'Hadamard'} alone"
    return "does not raise μ here"


def trend(sizes: list[int], means: list[float], law: PowerLaw | None) -> str:
    """Figure 1's or 3's curve in numbers, and the slope of its fit: two sentences of Markdown."""
    grew = means[-1] / means[0] if means[0] > 0 else math.nan
    said = (
        f"From m = {sizes[0]} to m = {sizes[-1]} the mean μ goes from {means[0]:.3g} to "
        f"{means[-1]:.3g}, {grew:.1f} times as much."
    )
    if law is None:
        return said
    return (
        f"{said} A straight line through their logarithms has the slope **{law.exponent:.2f}**: "
        f"where m doubles, μ grows {2**law.exponent:.2f} times."
    )

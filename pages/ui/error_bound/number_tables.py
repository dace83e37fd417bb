"""The page's tables, as HTML in the style of the main page's."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

import torch
from torch import Tensor

from pages.ui.error_bound.constants import NAMES, Lemma
from red_core.theory import ProximalGuarantee
from red_core.theory.verification import Found

Row = tuple[str, Tensor | None]


def short(value: float) -> str:
    """A number in a cell: three digits; a dash where it has no value."""
    if not math.isfinite(value):
        return "–"
    return "0" if value == 0 else f"{value:.3g}"


def plain(values: Tensor | float) -> Any:
    """Numbers for JSON: lists of finite ones, None in the place of the others."""
    if isinstance(values, Tensor):
        return plain_list(values.tolist())
    return plain_list(values)


def plain_list(value: Any) -> Any:
    """`plain` of nested lists."""
    if isinstance(value, list):
        return [plain_list(part) for part in value]
    return value if not isinstance(value, float) or math.isfinite(value) else None


def constants_table(found: Found | ProximalGuarantee | None) -> str:
    """mu, rho, epsilon and what follows from them: median, least and largest over instances."""
    names = ("μ, smallest on the path", "ρ", "ε", "μ²", "32/9 ρε", "η used")
    ends = ("lower end of the interval", "upper end of the interval")
    rows: list[Row] = [(name, None) for name in (*names, *ends)]
    if isinstance(found, Found):
        result = found.guarantee
        needed = 32 / 9 * result.rho * result.epsilon
        values = (result.mu, result.rho, result.epsilon, result.mu.square(), needed, result.eta)
        rows = list(zip((*names, *ends), (*values, result.low, result.high), strict=True))
    elif isinstance(found, ProximalGuarantee):
        rows = [
            ("μ of Assumption 7", found.mu),
            ("ρ = 1/η", found.rho),
            ("curvature met on the way", found.curvature),
            ("L*, lowest L found", found.lowest),
            ("1 − μ/(2ρ)", found.predicted),
        ]
    body = [[name, *_spread(values)] for name, values in rows]
    return html_table(("", "median", "least", "largest"), body, "numbers")


def _spread(values: Tensor | None) -> tuple[str, str, str]:
    if values is None:
        return "–", "–", "–"
    known = values[torch.isfinite(values)]
    if not len(known):
        return "–", "–", "–"
    return short(float(known.median())), short(float(known.min())), short(float(known.max()))


def lemma_table(lemma: Lemma | None) -> str:
    """Lemma 14 beside what was measured; a bound that is exceeded says so."""
    rows = [[name, "–", "–", ""] for name in NAMES]
    if lemma is not None:
        rows = [
            [bound.name, short(bound.rho), short(bound.epsilon), _held(place, bound.fails, lemma)]
            for place, bound in enumerate(lemma.bounds)
        ]
    return html_table(("", "ρ", "ε", ""), rows, "numbers lemma")


def _held(place: int, fails: int, lemma: Lemma) -> str:
    if place == 0:
        return "the truth here"
    if not math.isfinite(lemma.bounds[place].rho):
        return "says nothing"
    if not fails:
        return "holds"
    return f"fails for {fails} of {lemma.instances}"


def html_table(head: Sequence[str], rows: Sequence[Sequence[str]], kind: str = "") -> str:
    """A table; every cell is escaped."""
    line = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows
    )
    return (
        f'<table class="answers {kind}"><thead><tr>{line}</tr></thead><tbody>{body}</tbody></table>'
    )


def facts_table(facts: Sequence[tuple[str, str]]) -> str:
    """Names and values in two columns."""
    return html_table(("", ""), [list(fact) for fact in facts], "facts")

"""The figures, in docs/results.md, of Section 3's assumption and of attacks nobody trained for.

Drawn from `assumption.json` and `unknown.json` of every data set alone.
"""

from __future__ import annotations

from typing import Any

from red_core.algorithm.verdict import NO_ATTACK, UNKNOWN
from red_core.data.datasets import TITLES
from red_core.measure.assumption import ASSUMPTION
from red_core.measure.result_store import stored
from red_core.measure.tables.spec import title_of
from red_core.measure.unknown import GROUPS, MEASURED
from red_core.measure.unknown.measure_unknown import report_name
from red_core.measure.unknown.registry import BEST
from red_core.readme.render import percent

BLOCK = "evidence"  # the markers of its document
_NAMES = {"linf": "l-inf", NO_ATTACK: "no attack", UNKNOWN: "none of the known"}


def render() -> str:
    """All of it, data set by data set; "" where nothing was measured."""
    parts = []
    for dataset in TITLES:
        if report := stored(dataset, ASSUMPTION):
            parts.append(render_assumption(report))
        for method in MEASURED.get(dataset, ()):
            if report := stored(dataset, report_name(method)):
                parts.append(render_unknown(report))
    return "\n\n".join(parts)


def render_assumption(report: dict[str, Any]) -> str:
    """The mean relative residual on every span, and on a random one of its dimension."""
    parts = [
        f"**Section 3 on {TITLES[report['dataset']]}.** The relative residual "
        "||delta - P delta|| / ||delta|| of attacks on the first "
        f"{report['n']:,} images of {report['source']}, which D_a never saw, on spans of its "
        "columns: the mean, and in brackets the mean on a random subspace of the same dimension. "
        f"By `{report['command']}`."
    ]
    for classifier in report["classifiers"].values():
        attacks = classifier["attacks"]
        lines = [
            f"| {classifier['title']}: span | {' | '.join(map(_name, attacks))} |",
            "|---|" + "---:|" * len(attacks),
        ]
        for span, words in report["titles"].items():
            cells = [_residual(attack["spans"][span]) for attack in attacks.values()]
            lines.append(f"| {words} | {' | '.join(cells)} |")
        cells = [percent(attack["nearer"]) for attack in attacks.values()]
        words = "nearer its own attack's drawn columns than the others', percent"
        lines.append(f"| {words} | {' | '.join(cells)} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _residual(span: dict[str, Any]) -> str:
    return f"{span['mean']:.2f} ({span['random']['mean']:.2f})"


def render_unknown(report: dict[str, Any]) -> str:
    """One line an attack: what ψ and a method read, and what the attack is called.

    Of another method than `best`, and where it answers so, what our second classifier reads.
    """
    method = report.get("method", BEST)
    counts = sorted({entry["n"] for entry in report["attacks"].values()})
    sources = sorted({entry["source"] for entry in report["attacks"].values()})
    named = "" if method == BEST else f", {title_of(method)}"
    head = (
        f"**Attacks nobody trained for, {TITLES[report['dataset']]}{named}.** The first "
        f"{' or '.join(f'{count:,}' for count in counts)} images of {' and '.join(sources)}, in "
        "percent with Wilson's 95% interval. "
    )
    made = report["threshold"]
    if made is not None:
        head += (
            f"`best` answers that it is none of the known attacks where the evidence is stranger "
            f"than in all but {100 * made['wrongly_flagged']:g}% of {made['held_out_runs']} runs "
            "on known attacks and clean images that it did not learn from. "
        )
    option = "" if method == BEST else f" --method {method}"
    parts = [head + f"By `python -m red_core unknown{option}`."]
    columns = _columns(report)
    for group, words in GROUPS.items():
        entries = [entry for entry in report["attacks"].values() if entry["group"] == group]
        if entries:
            parts.append(
                "\n".join([*_head(words, columns), *(_line(entry, columns) for entry in entries)])
            )
    return "\n\n".join(parts)


_SHARES = {
    "psi": "ψ on x'",
    "signal": "signal",
    "signal_reader": "our second classifier",
    "unknown": "none of the known",
}


def _columns(report: dict[str, Any]) -> dict[str, str]:
    """The shares that a report has, with their titles."""
    answered = set().union(*report["attacks"].values())
    best = report.get("method", BEST) == BEST
    titles = {**_SHARES, "signal": "signal, `best`"} if best else _SHARES
    return {name: title for name, title in titles.items() if name in answered}


def _head(words: str, columns: dict[str, str]) -> list[str]:
    named = ["named"] if "unknown" in columns else []
    heads = [words, "mean l-inf, l2", "n", *columns.values(), *named]
    figures = "---:|" * (2 + len(columns))
    return [f"| {' | '.join(heads)} |", f"|---|{figures}{'---|' * len(named)}"]


def _line(entry: dict[str, Any], columns: dict[str, str]) -> str:
    norms = entry["norms"]
    cells = [
        f"{entry['title']}: {entry['words']}",
        f"{norms['linf']:.2f}, {norms['l2']:.2f}",
        f"{entry['n']:,}",
        *(percent(entry[name]) for name in columns),
    ]
    if "unknown" in columns:
        named = (
            f"{_name(answer)} {100 * times / entry['n']:.0f}"
            for answer, times in entry["answers"].items()
            if answer != UNKNOWN
        )
        cells.append(", ".join(named))
    return f"| {' | '.join(cells)} |"


def _name(answer: str) -> str:
    return _NAMES.get(answer, answer)

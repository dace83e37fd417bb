"""The figures at other strengths and of speed, from results.json and benchmark.json alone.

The figures at the paper's strength are the tables' (`red_core.measure.tables`). Each data set has a
block of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from red_core.attacks.pgd import ATTACKS
from red_core.measure.intervals import wilson
from red_core.measure.strengths import Row

# Words, preset, eps scale, and which two readings the row shows.
_OWN = ("signal_accuracy", "attack_accuracy")
_RULES = ("psi_signal_accuracy", "block_attack_accuracy")
LINES = (
    ("`best` at 0.5 eps", "best", 0.5, _OWN),
    ("the paper's rules at 0.5 eps", "best", 0.5, _RULES),
    ("`best` at 1.5 eps", "best", 1.5, _OWN),
    ("the paper's rules at 1.5 eps", "best", 1.5, _RULES),
    ("`bsd-dp` at 0.5 eps", "bsd-dp", 0.5, _OWN),
    ("`bsd-dp` at 1.5 eps", "bsd-dp", 1.5, _OWN),
)


def block(dataset: str) -> str:
    """The name of a data set's markers in docs/results.md."""
    return "numbers" if dataset == "mnist" else f"numbers-{dataset}"


def render(dataset: str, results: dict[str, Any], speed: dict[str, Any]) -> str:
    """The Markdown between the markers; "" where nothing was measured."""
    parts = []
    if results:
        parts += [_accuracy_table(results), _commands(dataset, results)]
    if speed:
        parts.append(_speed_table(dataset, speed))
    return "\n\n".join(parts)


def insert(readme: str, numbers: str, block: str = "numbers") -> str:
    """A document with `numbers` between the markers of a block; ValueError where it has none."""
    begin, end = _markers(block)
    before, found, rest = readme.partition(begin)
    _, closed, after = rest.partition(end)
    if not (found and closed):
        raise ValueError(f"the document has no lines {begin} and {end}")
    return f"{before}{begin}\n{numbers}{chr(10) if numbers else ''}{end}{after}"


def between(readme: str, block: str = "numbers") -> str:
    """The text between the markers of a block."""
    begin, end = _markers(block)
    return readme.partition(begin)[2].partition(end)[0].strip("\n")


def percent(part: Mapping[str, float]) -> str:
    """A `statistics.share` in percent, Wilson's 95% interval in brackets."""
    value, low, high = (f"{100 * part[name]:.1f}" for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _markers(block: str) -> tuple[str, str]:
    return f"<!-- {block}:begin -->", f"<!-- {block}:end -->"


def _accuracy_table(results: dict[str, Any]) -> str:
    head = "l-inf | l2 | l1 | mean"
    lines = [
        f"| percent right | signal: {head} | attack: {head} |",
        "|---|" + "---:|" * 8,
    ]
    for words, preset, scale, (signal_rule, attack_rule) in LINES:
        reports = [results.get(Row(preset, kind, scale).key) for kind in ATTACKS]
        if any(reports):
            lines.append(_line(words, _cells(reports, signal_rule), _cells(reports, attack_rule)))
    return "\n".join(lines)


def _line(words: str, signal: list[str], attack: list[str]) -> str:
    return f"| {' | '.join([words, *signal, *attack])} |".replace("  ", " ")


def _cells(reports: list[dict[str, Any] | None], rule: str) -> list[str]:
    """Three attacks and their mean with its interval; "" where not measured."""
    values = [None if report is None else report[rule]["value"] for report in reports]
    cells = ["" if value is None else f"{100 * value:.1f}" for value in values]
    counts = [report["n"] for report in reports if report is not None]
    mean = ""
    if len(counts) == len(reports) and len(set(counts)) == 1:
        # Equal counts: the mean of the shares is the share of all images together.
        right = sum(round(value * counts[0]) for value in values if value is not None)
        low, high = wilson(right, sum(counts))
        mean = f"{100 * right / sum(counts):.1f} ({100 * low:.1f} to {100 * high:.1f})"
    return [*cells, mean]


def _commands(dataset: str, results: dict[str, Any]) -> str:
    reports = list(results.values())
    counts = sorted({report["n"] for report in reports})
    sources = sorted({report["source"] for report in reports})
    example = reports[0]["command"]
    return (
        f"Measured on the first {' or '.join(f'{count:,}' for count in counts)} images of "
        f"{' and '.join(sources)}, attacked at half and at one and a half times the paper's eps "
        "and step size; in brackets Wilson's 95% interval. `best` answers with its own reader of "
        "G(z) and its evidence model; the paper's rules are psi reading G(z) and the block "
        "residuals alone. "
        f"A row's command is in `results.json`, such as `{example}`; all of them: "
        f"`python -m red_core results{_flag(dataset)}`."
    )


def _flag(dataset: str) -> str:
    """The option that names the data set, where it is not the commands' own."""
    return "" if dataset == "mnist" else f" --dataset {dataset}"


def _speed_table(dataset: str, speed: dict[str, Any]) -> str:
    made, where = speed["details"], speed["provenance"]
    rows: tuple[tuple[str, str], ...] = (
        (
            f"throughput of a batch of {made['batch']} over a plain loop, one image at a time",
            f"{speed['throughput_ratio']:.1f} times",
        ),
        ("its mean final objective over the loop's", f"{speed['objective_ratio']:.3f}"),
        ("share of the measured matrix-product peak", f"{100 * speed['peak_share']:.0f}%"),
        ("one image from x' to the verdict, `paper`", f"{speed['paper_seconds']:.1f} s"),
        ("one image from x' to the verdict, `best`", f"{speed['best_seconds']:.1f} s"),
    )
    rows += tuple(
        (f"observing an iterate over a step, `{preset}`", f"{ratio:.2f}")
        for preset, ratio in speed.get("observe_ratio", {}).items()
    )
    rows += tuple(
        (
            "one image beside one busy process over the same alone, "
            f"{threads} thread{'s' if threads != '1' else ''}",
            f"{ratio:.2f}",
        )
        for threads, ratio in speed.get("busy_ratio", {}).items()
    )
    if theory := speed.get("theory"):
        rows += (
            (
                f"theory lab: {theory['instances']} instances at once over one at a time",
                f"{theory['batch_ratio']:.0f} times",
            ),
            ("theory lab: the whole of Figure 1", f"{theory['figure1_seconds']:.0f} s"),
        )
    head = f"speed: {speed['device']}, {where['threads']} threads, preset `{made['preset']}`"
    lines = [f"| {head} | |", "|---|---:|", *(f"| {words} | {value} |" for words, value in rows)]
    # A report from before commands were kept was made with the defaults.
    command = speed.get("command", f"python -m red_core benchmark{_flag(dataset)}")
    return "\n".join(lines) + f"\n\nBy `{command}`."

"""In which class inversions begin and end, in docs/results.md: from each `starts.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from red_core.algorithm.verdict import NO_ATTACK
from red_core.data.datasets import TITLES
from red_core.measure.start_classes import FROM_CLASSES
from red_core.readme.render import percent

BLOCK = "starts"  # the markers of its document


def render(reports: Mapping[str, Mapping[str, Any]]) -> str:
    """The Markdown between the markers: a line for each measured data set; "" for none.

    reports: `starts.json` by data set, {} where it was not measured. CIFAR-10's line is among the
    figures of its models.
    """
    return "\n".join(
        f"- {TITLES[dataset]}: {sentence(report)}"
        for dataset, report in reports.items()
        if report and dataset not in FROM_CLASSES
    )


def sentence(found: Mapping[str, Any]) -> str:
    """One report of `starts` in words."""
    if found["dataset"] in FROM_CLASSES:
        return (
            f"Section 5.2.2's claim: of the first {found['n']:,} test images, each inverted from "
            f"the mean w of every class in {found['steps']} steps without a pull back, ψ reads "
            f"{percent(found['share'])}% right where the inversion ends (the images themselves: "
            f"{percent(found['clean'])}%); {100 * found['kept']:.1f}% of those from another class "
            f"end in the class they began in. By `{found['command']}`."
        )
    attacked = found["attack"] != NO_ATTACK
    return (
        f"of the first {found['n']:,} test images{' under attack' if attacked else ''}, each "
        f"inverted from one random z in {found['steps']} steps of preset `paper` (generator "
        f"{found['generator']}), ψ reads {100 * found['same']:.1f}% in the image's class at the "
        f"first G(z) and {percent(found['share'])}% at the last (the images themselves: "
        f"{percent(found['clean'])}%); {100 * found['kept']:.1f}% of those that began in another "
        f"class end in the class they began in. By `{found['command']}`."
    )

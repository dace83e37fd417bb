"""The theory figures of docs/results.md, drawn from the files that `theory ... --keep` stores."""

from __future__ import annotations

from typing import Any

from red_core.data.datasets import TITLES
from red_core.measure.planted import STEPS
from red_core.theory.planted import EXAMINED

FOLDER = "theory"  # of assets/
PARTS = ("figure1", "figure2", "figure3", "examples", "survey", "planted")
BLOCK = "theory"  # the markers of its document

_EXAMPLE_NAMES = {
    "section_5_1": "two orthonormal rows, with attack (5.1)",
    "example_15": "the same with noise, no attack (Example 15)",
    "example_16": "Hadamard (Example 16)",
    "example_16_noisy": "Hadamard with noise (Example 16)",
    "example_17": "Vandermonde (Example 17)",
}


def render(kept: dict[str, dict[str, Any]]) -> str:
    """The Markdown between the markers; kept: name of PARTS -> stored content, {} where none."""
    parts = []
    for name, words in (("figure1", "Figure 1, one layer"), ("figure3", "Figure 3, three layers")):
        if kept.get(name):
            parts.append(_expansiveness(words, kept[name]))
    if kept.get("examples"):
        parts.append(_examples(kept["examples"]))
    if kept.get("figure2"):
        found = kept["figure2"]["numbers"]
        count = len(found["stationary"])
        points = "its only stationary point is z*" if count == 1 else f"{count} stationary points"
        parts.append(f"Figure 2 (`{kept['figure2']['command']}`): {points}. {found['basins']}")
    if kept.get("survey"):
        parts.append(_survey(kept["survey"]))
    if kept.get("planted"):
        parts.append(_planted(kept["planted"]))
    return "\n\n".join(parts)


def _expansiveness(words: str, content: dict[str, Any]) -> str:
    rows = content["numbers"]

    def line(name: str, key: str, form: str) -> str:
        return f"| {name} | {' | '.join(format(row[key], form) for row in rows)} |"

    lines = [
        line(f"{words}: m", "m", "d"),
        "|---|" + "---:|" * len(rows),
        line("mean mu", "mu_mean", ".3f"),
        line("standard deviation", "mu_std", ".3f"),
        line("success rate", "success_rate", ".2f"),
    ]
    first = rows[0]
    return "\n".join(lines) + (
        f"\n\n{first['instances']} instances each, leaky ReLU of slope {first['parameter']:g}, "
        f"{first['scale']}; success: {first['success_means']}. "
        f"By `{content['command']}`, {content['seconds']:.0f} s."
    )


def _examples(content: dict[str, Any]) -> str:
    lines = ["| mean mu | the paper | ours | success rate |", "|---|---:|---:|---:|"]
    for name, row in content["numbers"].items():
        lines.append(
            f"| {_EXAMPLE_NAMES[name]} | {row['paper_mu']:g} | {row['mu_mean']:.3g} "
            f"| {row['success_rate']:.2f} |"
        )
    return "\n".join(lines) + (
        "\n\nThe paper leaves open the slope, the scale of W, the step size and how long a path "
        "is averaged, and mu depends on each (all are controls on the page Error bound); what "
        "carries over is the order: noise on the rows raises mu. A Vandermonde W is badly "
        "conditioned, so its descents were given 40,000 steps. "
        f"By `{content['command']}`."
    )


def _survey(content: dict[str, Any]) -> str:
    rows = content["numbers"]
    radii = list(dict.fromkeys(row["radius"] for row in rows))
    cases = list(dict.fromkeys(row["case"] for row in rows))
    names = list(dict.fromkeys(row["activation"] for row in rows))
    starts = " / ".join(_start(radius) for radius in radii)
    lines = [
        f"| percent to which the theorem applies; start {starts} | {' | '.join(cases)} |",
        "|---|" + "---:|" * len(cases),
    ]
    for name in names:
        shares = {
            (row["case"], row["radius"]): f"{100 * row['share_applies']:.0f}"
            for row in rows
            if row["activation"] == name
        }
        cells = [" / ".join(shares.get((case, r), "") for r in radii) for case in cases]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    applied = sum(round(row["share_applies"] * row["instances"]) for row in rows)
    total = sum(row["instances"] for row in rows)
    broken = sum(not row["held"] for row in rows)
    kept = "none of them did worse than promised" if not broken else f"{broken} rows broke it"
    return "\n".join(lines) + (
        f"\n\nTheorems 3 and 6 apply to {applied} of {total} descents, and {kept}. They promise "
        "little: the tightness (log of the promised over log of the worst observed factor, 1 were "
        f"it met) is {_range(rows, False)} without an attack and {_range(rows, True)} with one. "
        "With a kink (leaky ReLU) Assumption 1 fails, so they never apply; there the floor "
        f"2 alpha^2 sigma_min(W)^2 holds instead. By `{content['command']}`."
    )


def _planted(content: dict[str, Any]) -> str:
    rows = content["numbers"]
    radii = list(dict.fromkeys(row["radius"] for row in rows))
    starts = " | ".join(f"{radius:g} away" for radius in radii)
    lines = [
        f"| trained generator | theorem | mu at z* | rho | {starts} |",
        "|---|---|---:|---:|" + "---:|" * len(radii),
    ]
    for key in dict.fromkeys((row["dataset"], row["generator"], row["theorem"]) for row in rows):
        some = [row for row in rows if (row["dataset"], row["generator"], row["theorem"]) == key]
        cells = [
            f"{row['inside']} of {row['descents']}, epsilon {row['epsilon']:.2g}" for row in some
        ]
        name = TITLES[key[0]] + (", ours" if key[1] == "own" else ", the paper's")
        first = some[0]
        lines.append(
            f"| {name} | {key[2].removeprefix('Theorem ')} | {first['mu_limit']:.2g} "
            f"| {first['rho']:.3g} | {' | '.join(cells)} |"
        )
    smooth = [sum(row["applies"] for row in rows if row["radius"] == radius) for radius in radii]
    total = sum(row["descents"] for row in rows if row["radius"] == radii[0])
    broken = sum(not row["held"] for row in rows)
    kept = "none of them did worse than promised" if not broken else f"{broken} rows broke it"
    whole = " ".join(dict.fromkeys(f"{TITLES[row['dataset']]}: {row['ranks']}" for row in rows))
    return "\n".join(lines) + (
        "\n\nNear planted solutions (z*, c_a*) of the trained generators, c_a in the row space "
        "of the true block: how many descents have an admitted step size by the constants of "
        f"their own path (mu^2 above 32/9 rho epsilon; mu of {STEPS} steps, rho and epsilon "
        f"sampled along {EXAMINED} of them), and the largest epsilon; {kept}. Strictly, Assumption "
        "1 also needs a path on which no rectifier changes its side: so it is for "
        + ", ".join(f"{count} at {radius:g}" for count, radius in zip(smooth, radii, strict=True))
        + f", of {total} each. With all of D_a neither theorem can apply. {whole} "
        f"By `{content['command']}`, {content['seconds']:.0f} s."
    )


def _start(radius: float | None) -> str:
    return "anywhere" if radius is None else f"{radius:g} away"


def _range(rows: list[dict[str, Any]], attack: bool) -> str:
    """The spread of the rows' tightness."""
    values = sorted(
        row["tightness"]
        for row in rows
        if row["tightness"] is not None and ("attack" in row["case"]) == attack
    )
    return f"{values[0]:.2g} to {values[-1]:.2g}" if values else "not measured"

"""A sweep of the purification measured on nothing, in the shape that its recipe writes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from red_core.attacks.pgd import ATTACKS
from red_core.measure.intervals import share
from red_core.measure.tradeoff import READERS, RULE, SETS, Row

SIGMAS = (0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4)
WAYS = {"flow": 0.9, "ancestral": 1.0, "first guess": 0.95}


def _row(way: str, sigma: float, kind: str, draws: int) -> Row:
    """Clean images are lost along a line; attacked ones are won, then lost."""
    gain = WAYS[way] * (1.05 if kind == "vote" else 1.0)
    shares = []
    for best in (0.25, 0.3):
        won = gain * sigma * (2 * best - sigma) / best**2 * (0.5 + best)
        attacked = {kind: max(0.0, won - 0.03 * place) for place, kind in enumerate(ATTACKS)}
        found = {"clean": 0.92 - 0.5 * sigma, **attacked}
        shares.append({name: round(value, 4) for name, value in found.items()})
    distance = {name: round(8 * sigma, 4) for name in SETS}
    return Row(way, sigma, kind, draws, shares[0], shares[1], distance)


def toy_purification() -> dict[str, Any]:
    """`measured.purification`; psi's choice and our second classifier's differ."""
    rows = [_row("flow", 0.0, "mean", 1)]
    rows += [
        _row(way, sigma, kind, draws)
        for way in WAYS
        for sigma in SIGMAS
        for kind, draws in (("mean", 1), ("mean", 8), ("vote", 8))
    ]
    chosen = {
        "psi": next(r for r in rows if (r.way, r.sigma, r.draws) == ("first guess", 0.2, 1)),
        "reader": next(r for r in rows if (r.way, r.sigma, r.kind) == ("ancestral", 0.25, "vote")),
    }
    test = {
        name: {
            "images": 1000 if name == "clean" else 200,
            "read": {"psi": share(10, 200), "reader": share(20, 200)},
            "read_purified": {"psi": share(140, 200), "reader": share(160, 200)},
        }
        for name in SETS
    }
    return {
        "rule": RULE,
        "chosen_on": "200 clean and 3 x 100 attacked held-out images",
        "choices": {
            reader: {
                **{name: getattr(chosen[reader], name) for name in ("way", "sigma", "kind")},
                **{"draws": chosen[reader].draws, "test": test},
            }
            for reader in READERS
        },
        "sweep": [asdict(row) for row in rows],
        "command": "recipe --only purification",
    }

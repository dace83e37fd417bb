"""B.8's trade-off as the recipe of the purification writes it: noise drowns attack and image alike.

`measured.purification` of `diffusion.safetensors`: a sweep over sigma on held-out training images,
and what was chosen from it, for psi as the reader and for our second classifier.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from red_core.attacks.pgd import ATTACKS

RULE = (
    "the largest share of held-out images read right, averaged over clean images and the three "
    "attacks"
)
READERS = {"psi": "ψ", "reader": "our second classifier"}
SETS = ("clean", *ATTACKS)


@dataclass(frozen=True)
class Combination:
    """What is read of several purifications of one image.

    kind: "mean": their mean image, "vote": each of them, and the probabilities are averaged.
    """

    kind: str
    draws: int

    @property
    def words(self) -> str:
        """In words."""
        if self.draws == 1:
            return "one draw"
        return f"a vote of {self.draws}" if self.kind == "vote" else f"the mean of {self.draws}"


@dataclass(frozen=True)
class Row:
    """One line of the sweep: what is read of held-out images once purified.

    way: how the reverse process is followed; kind, draws: of the `Combination`; psi, reader: the
    share of each of SETS that each of READERS reads right; distance: mean ||D(x') - x'||_2 of each
    set, of images in [0, 1]; of a vote the mean over its purified images.
    """

    way: str
    sigma: float
    kind: str
    draws: int
    psi: Mapping[str, float]
    reader: Mapping[str, float]
    distance: Mapping[str, float]

    @property
    def combination(self) -> Combination:
        """What was read."""
        return Combination(self.kind, self.draws)

    def shares(self, reader: str) -> Mapping[str, float]:
        """What one of READERS reads right, by set."""
        found: Mapping[str, float] = getattr(self, reader)
        return found

    def mean(self, reader: str) -> float:
        """What the choice is made by: the mean over clean images and the attacks."""
        return sum(self.shares(reader)[name] for name in SETS) / len(SETS)

    def attacked(self, reader: str) -> float:
        """The mean over the attacks alone."""
        return sum(self.shares(reader)[kind] for kind in ATTACKS) / len(ATTACKS)

    @property
    def words(self) -> str:
        """The row in words."""
        if not self.sigma:
            return "no noise at all"
        return f"sigma {self.sigma:g}, {self.way}, {self.combination.words}"

    @property
    def moved(self) -> float:
        """||D(x') - x'||_2 in the mean over clean images and the attacks."""
        return sum(self.distance[name] for name in SETS) / len(SETS)


@dataclass(frozen=True)
class Tradeoff:
    """The sweep, and of each of READERS the row that was chosen for it.

    found: everything that the recipe wrote.
    """

    rows: tuple[Row, ...]
    chosen: Mapping[str, Row]
    found: Mapping[str, Any]

    @property
    def plain(self) -> Row:
        """What is read without any noise."""
        return next(row for row in self.rows if not row.sigma)

    def beside(self, reader: str) -> dict[str, list[Row]]:
        """By way the rows combined as the one chosen for a reader, by sigma from 0, no noise."""
        combination = self.chosen[reader].combination
        ways: dict[str, list[Row]] = {}
        for row in sorted(self.rows, key=lambda row: row.sigma):
            if row.sigma and row.combination == combination:
                ways.setdefault(row.way, []).append(row)
        return {way: [self.plain, *rows] for way, rows in ways.items()}


def tradeoff_of(manifest: Mapping[str, Any]) -> Tradeoff | None:
    """The trade-off of a data set's manifest; None where the present recipe has not measured it.

    Raises KeyError, TypeError or StopIteration where what is written has another shape.
    """
    entry = manifest.get("diffusion.safetensors", {})
    found = entry.get("measured", {}).get("purification", {})
    if "choices" not in found:  # nothing, or a sweep of an earlier recipe
        return None
    rows = tuple(Row(**line) for line in found["sweep"])
    chosen = {
        reader: next(row for row in rows if _names(found["choices"][reader], row))
        for reader in READERS
    }
    return Tradeoff(rows, chosen, found)


def _names(choice: Mapping[str, Any], row: Row) -> bool:
    return all(choice[name] == getattr(row, name) for name in ("way", "sigma", "kind", "draws"))

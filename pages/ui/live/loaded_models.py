"""What the runs on a data set share."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from torch import Tensor

from red_core.run.bundle import Bundle
from red_core.theory import row_space


class RowSpace:
    """A basis of D_a's row space, computed when it is first asked for, once for all who ask.

    Seconds for CIFAR-10's 3072 x 6000, so nothing that draws a page may be the first to ask.
    """

    def __init__(self) -> None:
        self._computing = Lock()
        self._basis: Tensor | None = None

    def of(self, bundle: Bundle) -> Tensor:
        """The basis [k, rank]; those who come while it is being computed wait for it."""
        with self._computing:
            if self._basis is None:
                self._basis = row_space(bundle.dictionary)
            return self._basis

    @property
    def rank(self) -> int | None:
        """The rank of D_a, None while nobody has asked for the basis; never waits."""
        return None if self._basis is None else self._basis.shape[1]


@dataclass(frozen=True)
class LoadedModels:
    """What runs share: the trained models, frozen, and what is computed of them once."""

    bundle: Bundle
    rows: RowSpace = field(default_factory=RowSpace, compare=False, repr=False)

    @property
    def basis(self) -> Tensor:
        """A basis [k, rank] of D_a's row space; the first who asks computes it."""
        return self.rows.of(self.bundle)

    @property
    def rank(self) -> int | None:
        """The rank of D_a, once the basis is known."""
        return self.rows.rank

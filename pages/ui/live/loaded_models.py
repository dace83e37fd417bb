"""What the runs on a data set share."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from torch import Tensor

from red_core.run.bundle import Bundle
from red_core.sbsc import BlockDictionary
from red_core.theory import row_space


class DictionaryParts:
    """What is computed of D_a when it is first asked for, once for all who ask.

    Seconds for CIFAR-10's 3072 x 6000, so nothing that draws a page may be the first to ask.
    """

    def __init__(self) -> None:
        self._computing = Lock()
        self._basis: Tensor | None = None
        self._blocks: BlockDictionary | None = None

    def basis_of(self, bundle: Bundle) -> Tensor:
        """The basis [k, rank]; those who come while it is being computed wait for it."""
        with self._computing:
            if self._basis is None:
                self._basis = row_space(bundle.dictionary)
            return self._basis

    def blocks_of(self, bundle: Bundle) -> BlockDictionary:
        """The blocks in float64, on the CPU; those who come meanwhile wait for them."""
        with self._computing:
            if self._blocks is None:
                self._blocks = BlockDictionary.of_attacks(bundle.dictionary.to("cpu"))
            return self._blocks

    @property
    def rank(self) -> int | None:
        """The rank of D_a, None while nobody has asked for the basis; never waits."""
        return None if self._basis is None else self._basis.shape[1]


@dataclass(frozen=True)
class LoadedModels:
    """What runs share: the trained models, frozen, and what is computed of them once."""

    bundle: Bundle
    dictionary: DictionaryParts = field(default_factory=DictionaryParts, compare=False, repr=False)

    @property
    def basis(self) -> Tensor:
        """A basis [k, rank] of D_a's row space; the first who asks computes it."""
        return self.dictionary.basis_of(self.bundle)

    @property
    def blocks(self) -> BlockDictionary:
        """D_a's blocks in their principal axes; the first who asks computes them."""
        return self.dictionary.blocks_of(self.bundle)

    @property
    def rank(self) -> int | None:
        """The rank of D_a, once the basis is known."""
        return self.dictionary.rank

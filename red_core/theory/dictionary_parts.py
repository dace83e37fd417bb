"""What is computed of a D_a when it is first needed, once for all runs that share it."""

from __future__ import annotations

from threading import Lock

from torch import Tensor

from red_core.algorithm.problem import AttackDictionary
from red_core.sbsc import BlockDictionary
from red_core.theory.error_bound import row_space


class DictionaryParts:
    """The row space and the blocks of one D_a; a thread waits while another computes them.

    Seconds for CIFAR-10's 3072 x 6000, so nothing that draws a page may ask for them first.
    """

    def __init__(self, dictionary: AttackDictionary) -> None:
        self._dictionary = dictionary
        self._computing = Lock()
        self._basis: Tensor | None = None
        self._blocks: BlockDictionary | None = None

    @property
    def basis(self) -> Tensor:
        """A basis of the row space, [k, rank] (`row_space`)."""
        with self._computing:
            if self._basis is None:
                self._basis = row_space(self._dictionary)
            return self._basis

    @property
    def blocks(self) -> BlockDictionary:
        """The blocks in their principal axes, in float64 on the CPU."""
        with self._computing:
            if self._blocks is None:
                self._blocks = BlockDictionary.of_attacks(self._dictionary.to("cpu"))
            return self._blocks

    @property
    def rank(self) -> int | None:
        """The rank of D_a, None while the basis has not been computed; never waits."""
        return None if self._basis is None else self._basis.shape[1]

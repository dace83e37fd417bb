"""When the attack's type must be named right: angles and coherence between the blocks of D_a.

Let delta = s + e, s in the span of its own block and e what that block cannot explain. The rule
that names the block whose span is nearest finds ||delta - P delta|| <= ||e|| for its own block, and
at least sin(theta) ||s|| - ||e|| for another one, theta being the smallest principal angle between
the two spans. So the type is right, whatever s is, if

    ||e|| < sin(theta) / 2 ||s||     with the smallest theta over all blocks of other types.

That is enough, not needed: it is for the worst s. BSD-GAN-AD's own rule also pays for c_a and is
asked of what G leaves, which is not delta.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.algorithm.problem import AttackDictionary
from red_core.measure.assumption import span_basis


@dataclass(frozen=True)
class Identifiability:
    """Of every pair of blocks, in the order of `attacks` and within each of the classes.

    cosines [B, B]: of the smallest principal angle between the spans, 1 where they share a
    direction; coherence [B, B]: the largest |<column, column>|; both 1 on the diagonal. margin
    [attacks, classes]: sin(theta) / 2, the share of ||s|| below which the type must be right.
    """

    attacks: tuple[str, ...]
    classes: int
    cosines: Tensor
    coherence: Tensor
    margin: Tensor

    @property
    def apart(self) -> Tensor:
        """sin(theta) / 2 of every pair [B, B], 0 on the diagonal."""
        return (1 - self.cosines.square()).clamp_min(0).sqrt() / 2


def identifiability(
    dictionary: AttackDictionary, turn: Callable[[], AbstractContextManager[object]] = nullcontext
) -> Identifiability:
    """The angles of one dictionary shared by a batch, atoms [n, k], in float64.

    turn: entered around every block's part of the work, so that others may compute between two.
    """
    attacks, classes = dictionary.attacks, dictionary.classes
    places = [(label, kind) for kind in range(len(attacks)) for label in range(classes)]
    atoms = dictionary.atoms.cpu().double()
    blocks = [atoms[:, dictionary.block(label, kind)] for label, kind in places]
    bases: list[Tensor] = []
    count = len(blocks)
    cosines, coherence = torch.eye(count).double(), torch.eye(count).double()
    for first, block in enumerate(blocks):
        with turn():
            bases.append(span_basis(block))
            for second in range(first):
                inner = bases[first].T @ bases[second]
                largest = torch.linalg.matrix_norm(inner, ord=2).clamp_max(1)
                closest = (block.T @ blocks[second]).abs().max()
                cosines[first, second] = cosines[second, first] = largest
                coherence[first, second] = coherence[second, first] = closest
    kinds = torch.arange(count) // classes
    other = kinds[:, None] != kinds[None]
    nearest = torch.where(other, cosines, 0.0).amax(1)
    margin = (1 - nearest.square()).clamp_min(0).sqrt() / 2
    return Identifiability(attacks, classes, cosines, coherence, margin.view(-1, classes))

"""Training images whose attack is known: what the honest competitors learn from.

The pool's attacks at mixed strength and the attack dictionary's own at full strength and full
length, with clean images among them: nothing that the preset `best` does not see as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.attacks.pgd import ATTACKS
from red_core.data.assets import read_tensors
from red_core.data.datasets import load_official
from red_core.recipes.common import RecipeContext, shuffled_batches
from red_core.recipes.pool import attacked_pool
from red_core.recipes.runs import COUNT, SKIP


@dataclass(frozen=True)
class TypedImages:
    """Images [N, 1, 28, 28] in half precision, and what was done to them.

    kinds: [N], index into ATTACKS, or their number where the image is clean.
    """

    images: Tensor
    kinds: Tensor

    def batches(self, size: int, seed: int, epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        """One epoch's batches in float32."""
        for index in shuffled_batches(len(self.kinds), size, seed, epoch):
            yield self.images[index].float(), self.kinds[index]


def typed_images(context: RecipeContext) -> TypedImages:
    """All of a data set: the pool, every third image of it clean too, and D_a's attacks twice.

    Without the images of the finished runs, whose evidence holds what the CNN makes of them.
    """
    pool = attacked_pool(context)
    kept = torch.ones(len(pool.kinds), dtype=torch.bool)
    kept[SKIP : SKIP + COUNT] = False
    attacked, clean, drawn = pool.attacked[kept], pool.clean[kept], pool.kinds[kept]
    train = load_official(context.dataset, "train")
    stored = read_tensors(context.dataset, "dictionary.safetensors")
    origin = train.images[stored["indices"].long().flatten()].half()
    images, kinds = [attacked, clean[::3].half()], [drawn]
    kinds.append(torch.full((len(images[1]),), len(ATTACKS)))
    for number in range(len(ATTACKS)):
        delta = stored["deltas"][:, number].flatten(0, 1).view_as(origin)
        images += [(origin + delta).clamp(0, 1)] * 2
        kinds += [torch.full((len(origin),), number)] * 2
    return TypedImages(torch.cat(images), torch.cat(kinds))

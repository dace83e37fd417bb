"""The perturbations of an attack dictionary in one file: fp16, sparse kinds as coordinates.

Nothing is lost: `unpacked` returns the very fp16 numbers that `packed` was given. An l1 attack
moves few of the values, so that their places (16 bits) and values (16 bits) take less room than
all of them would.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from red_core.data.assets import AssetError

_LARGEST = 2**16  # values of one perturbation whose places 16 bits can tell apart


def packed(deltas: Tensor, attacks: Sequence[str]) -> dict[str, Tensor]:
    """Tensors for a file from deltas [classes, len(attacks), m, n] in fp16.

    An attack `a` is stored as `a` [classes, m, n]; or, where that is smaller, as its nonzero
    values: `a.counts` [classes, m] how many each perturbation has, `a.places` and `a.values` all of
    them one after the other. Raises ValueError for another type or shape.
    """
    if deltas.dtype != torch.float16 or deltas.dim() != 4 or deltas.shape[1] != len(attacks):
        raise ValueError(
            f"perturbations are fp16 [classes, {len(attacks)}, m, n], not {deltas.dtype} "
            f"{list(deltas.shape)}"
        )
    stored: dict[str, Tensor] = {"size": torch.tensor(deltas.shape[-1], dtype=torch.int32)}
    for number, name in enumerate(attacks):
        dense = deltas[:, number].contiguous()
        used = dense.view(torch.int16) != 0  # by bits, so that even -0 comes back as it was
        if dense.shape[-1] <= _LARGEST and 2 * int(used.sum()) < used.numel():
            stored[f"{name}.counts"] = used.sum(-1).int()
            stored[f"{name}.places"] = used.nonzero()[:, -1].to(torch.uint16)
            stored[f"{name}.values"] = dense[used]
        else:
            stored[name] = dense
    return stored


def unpacked(stored: Mapping[str, Tensor], attacks: Sequence[str]) -> Tensor:
    """The perturbations [classes, len(attacks), m, n] in fp16 that `packed` was given.

    Raises AssetError where the tensors are not what `packed` makes of these attacks.
    """
    try:
        size = int(stored["size"])
        if not attacks:
            raise ValueError("a dictionary of no attacks")
        kinds = [_one(stored, name, size) for name in attacks]
        return torch.stack(kinds, 1)
    except (KeyError, RuntimeError, IndexError, ValueError) as error:
        raise AssetError(f"these tensors are no dictionary of {', '.join(attacks)}") from error


def _one(stored: Mapping[str, Tensor], name: str, size: int) -> Tensor:
    if name in stored:
        if stored[name].dtype != torch.float16 or stored[name].shape[-1] != size:
            raise ValueError(name)
        return stored[name]
    counts = stored[f"{name}.counts"]
    places = stored[f"{name}.places"].long()
    row = torch.arange(counts.numel()).repeat_interleave(counts.flatten().long())
    dense = torch.zeros(counts.numel(), size, dtype=torch.float16)
    dense[row, places] = stored[f"{name}.values"]
    return dense.view(*counts.shape, size)

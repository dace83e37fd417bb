"""The state of Algorithm 1 between two steps: frozen, tensors only, nothing hidden."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

_OF_ITEMS = ("k", "lam", "joint", "settled", "checked")  # one value an item, whatever its starts


@dataclass(frozen=True)
class State:
    """Iterate k of B items with S starts each, and what the next step needs.

    k [B]: steps done, in both phases; joint [B]: whether the alternation has begun; z
    [B, S, *latent]; c_a, v [B, S, k_a]: the code, and FISTA's extrapolated point; fit_c, fit_v
    [B, S, n]: D_a c_a and D_a v; t [B, S]: FISTA's momentum number; memory: of z's optimiser,
    tensors [B, S, ...]; lam [B]: lambda, 0 before the alternation; anchor [B, S, *latent]: where
    `latent_weight` pulls z; start [B, S]: which of the given starts each one is; alive [B, S]:
    which of them still compete; settled [B]: whether the stopping rule holds; checked [B]: the
    objective when that rule was last asked.

    At this z and c_a, None where not evaluated: image [B, S, n]: G(z); gradient [B, S, *latent]:
    J(z)^T (G(z) + D_a c_a - x'); feature_energy [B, S] and feature_gradient [B, S, *latent]: the
    objective's optional term in the features of G(z); start_energy [B, S] and start_gradient
    [B, S, *latent]: the start's loss where that is not the squared error.
    """

    k: Tensor
    joint: Tensor
    z: Tensor
    c_a: Tensor
    v: Tensor
    fit_c: Tensor
    fit_v: Tensor
    t: Tensor
    memory: tuple[Tensor, ...]
    lam: Tensor
    anchor: Tensor
    start: Tensor
    alive: Tensor
    settled: Tensor
    checked: Tensor
    image: Tensor | None = None
    gradient: Tensor | None = None
    feature_energy: Tensor | None = None
    feature_gradient: Tensor | None = None
    start_energy: Tensor | None = None
    start_gradient: Tensor | None = None

    def __len__(self) -> int:
        return len(self.k)

    @property
    def starts(self) -> int:
        """S, the starts that every item still carries."""
        return self.z.shape[1]

    def take(self, items: Tensor, starts: Tensor | None = None) -> State:
        """Some items (indices [I]), and of each of them some starts (indices [I, S']) or all."""

        def taken(name: str, value: Tensor) -> Tensor:
            if starts is None or name in _OF_ITEMS:
                return value[items]
            return value[items[:, None], starts]

        return _mapped(taken, [self], lambda values: values[0])


def concatenate(states: Sequence[State]) -> State:
    """The items of several states of one phase, with equally many starts, as one batch.

    What one of them has not evaluated is not evaluated in the answer. Raises ValueError where the
    states are in different phases or carry different numbers of starts.
    """
    if len({state.starts for state in states}) > 1:
        raise ValueError("states of different numbers of starts do not concatenate")
    if len(torch.cat([state.joint for state in states]).unique()) > 1:
        raise ValueError("states of different phases do not concatenate")
    return _mapped(lambda _, value: value, states, torch.cat)


def _mapped(
    change: Callable[[str, Tensor], Tensor],
    states: Sequence[State],
    join: Callable[[list[Tensor]], Tensor],
) -> State:
    """`join` of every field's tensors, each changed first; None where one of them is None."""
    values: dict[str, object] = {}
    for field in fields(State):
        found = [getattr(state, field.name) for state in states]
        if field.name == "memory":
            values["memory"] = tuple(
                join([change("memory", tensor) for tensor in tensors])
                for tensors in zip(*found, strict=True)
            )
        elif any(value is None for value in found):
            values[field.name] = None
        else:
            values[field.name] = join([change(field.name, value) for value in found])
    return replace(states[0], **values)  # type: ignore[arg-type]

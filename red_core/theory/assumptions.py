"""Assumptions 1 and 13, measured: the constants of Lemma 14, and which conditions hold."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.synthetic import Instances


@dataclass(frozen=True)
class Condition:
    """One condition of an assumption: its name, whether it holds [I], a sentence an instance."""

    name: str
    holds: Tensor
    says: tuple[str, ...]


@dataclass(frozen=True)
class Assumption13:
    """The constants of Assumption 13 and Lemma 14 for I instances.

    c_0 [I]: C_0, the largest ||x' - G(z) - D_a c_a||_1 at the points looked at; c_w, v_w [L, I]:
    ||W_i||_2 and the sum of the squared lengths of W_i's rows, layer by layer; c_d [I]:
    ||D_a||_2; l_d [I]: sigma_min(D_a) over its k columns, so 0 for k > n, and infinite without
    an attack; b_first, b_second: B_sigma' = sup |sigma'| and B_sigma'' = sup |sigma''|, infinite
    at a kink. Assumption 13 does not name the last two; Lemma 14 uses them. conditions: each
    with whether it holds.
    """

    c_0: Tensor
    c_w: Tensor
    v_w: Tensor
    c_d: Tensor
    l_d: Tensor
    b_first: float
    b_second: float
    conditions: tuple[Condition, ...]

    @property
    def holds(self) -> Tensor:
        """Whether all conditions hold, [I]."""
        return torch.stack([condition.holds for condition in self.conditions]).all(0)

    @property
    def why(self) -> tuple[str, ...]:
        """What fails, or that nothing does: one text an instance."""
        texts = []
        for i, fine in enumerate(self.holds.tolist()):
            failing = [c.says[i] for c in self.conditions if not bool(c.holds[i])]
            texts.append("Assumptions 1 and 13 hold here." if fine else " ".join(failing))
        return tuple(texts)


def assumption_13(instances: Instances, z: Tensor, c_a: Tensor) -> Assumption13:
    """Assumptions 1 and 13 at points z [..., I, d], c_a [..., I, k].

    C_0 is asked "for all z^k, c_a^k" in Assumption 13, but Lemma 14 uses it at every point whose
    Hessian it bounds: hand over those points. The paper calls a bounded residual equivalent to
    bounded z and c_a; it follows from these, but where D_a has a kernel c_a may be as large as
    one likes with the same residual.
    """
    residual = instances.residual(z, c_a).abs().sum(-1)
    c_0 = residual.reshape(-1, len(instances)).amax(0)
    sigma, count = instances.network.activation, len(instances)
    layers = instances.network.each(count)
    c_d, l_d = _ends(instances)
    smooth = torch.full((count,), sigma.smooth)
    return Assumption13(
        c_0=c_0,
        c_w=torch.stack([torch.linalg.matrix_norm(weight, ord=2) for weight in layers]),
        v_w=torch.stack([weight.square().sum((-2, -1)) for weight in layers]),
        c_d=c_d,
        l_d=l_d,
        b_first=sigma.steepest,
        b_second=sigma.bend,
        conditions=(
            Condition("Assumption 1", smooth, (_smoothness(sigma.name, sigma.smooth),) * count),
            Condition("C_0", torch.isfinite(c_0), tuple(map(_residual, c_0.tolist()))),
            Condition(
                "sigma_min(D_a) > 0",
                l_d > 0,
                tuple(_injective(value, instances) for value in l_d.tolist()),
            ),
        ),
    )


def _ends(instances: Instances) -> tuple[Tensor, Tensor]:
    """||D_a||_2 and sigma_min(D_a), exactly 0 where D_a has a kernel."""
    if not instances.k:
        zero = instances.observed.new_zeros(len(instances))
        return zero, zero + torch.inf
    values = torch.linalg.svdvals(instances.dictionary.atoms)
    full = instances.ranks == instances.k
    return values[:, 0], torch.where(full, values[:, -1], 0.0)


def _smoothness(name: str, smooth: bool) -> str:
    if smooth:
        return f"Assumption 1 holds: {name} is twice differentiable."
    return (
        f"Assumption 1 fails: {name} has a kink at 0, so f has no Hessian there and Lemma 14, like "
        "Theorems 3, 6 and 8, says nothing."
    )


def _residual(c_0: float) -> str:
    if c_0 < float("inf"):
        return f"The l1 norm of the residual is at most C_0 = {c_0:.3g} at the points looked at."
    return "Assumption 13 fails: the l1 norm of the residual is not bounded on this path."


def _injective(l_d: float, instances: Instances) -> str:
    n, k = instances.n, instances.k
    if l_d > 0:
        bound = f"sigma_min(D_a) = {l_d:.3g} > 0" if k else "there is no D_a"
        return f"Assumption 13's condition on D_a holds: {bound}."
    reason = f"{k} columns in {n} dimensions" if k > n else f"{k} linearly dependent columns"
    return f"Assumption 13 fails: D_a has {reason}, so sigma_min(D_a) = 0."

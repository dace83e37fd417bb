"""The landscape with c_a re-fitted at every z, instead of held: closer to what the run descends.

While c_a is held, a surface shows what z sees in this one step. With c_a re-fitted it shows what is
left once c_a has answered, min over c_a of f + 2 lambda h: twice the objective of the solver. All
blocks would be dear (a lasso of 6,000 columns at every point), so c_a moves only within the blocks
that are active in the iterate looked at, for a fixed number of accelerated proximal steps.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from red_core.algorithm.problem import AttackDictionary, RedProblem
from red_core.algorithm.prox import block_soft_threshold, penalty

STEPS = 30
MOST = 5  # blocks that take part, the strongest first

Height = Callable[[Tensor], Tensor]


def refitted_height(
    problem: RedProblem,
    c_a: Tensor,
    lam: float,
    item: int = 0,
    steps: int = STEPS,
    most: int = MOST,
) -> tuple[Height, str]:
    """The height of points [R, d] -> [R] for `refine`, and the sentence that says what it is.

    problem, item: x', G of a flat z and D_a; c_a [k]: of the iterate looked at, from which every
    fit starts; lam: the solver's lambda. Never above the height with c_a held, and never below the
    true minimum over all of c_a. About 0.4 s for 625 points of MNIST with three active blocks.
    """
    active, start, columns = _active(problem.dictionary, c_a, most)
    rest = c_a.clone()
    rest[columns] = 0
    target = problem.flat[item] - problem.dictionary.combine(rest[None])[0]
    left_out = 2 * lam * float(penalty(rest[None], problem.dictionary)[0])
    gram = active.atoms.T @ active.atoms
    eta = 1 / active.operator_norm_squared if active.size else 1.0

    def height(points: Tensor) -> Tensor:
        with torch.no_grad():
            aim = target - problem.generator(points.to(target)).flatten(1)
        fitted = _fit(active, gram, aim @ active.atoms, start, eta, lam, steps)
        # Accelerated steps may overshoot in so few: the iterate's own c_a is one more candidate.
        return left_out + torch.minimum(
            *(
                (aim - active.combine(c)).square().sum(1) + 2 * lam * penalty(c, active)
                for c in (fitted, start[None])
            )
        )

    count = int((problem.dictionary.energies(c_a) > 0).sum())
    text = f"the {count} active blocks" if count > 1 else "the active block"
    if count > active.classes:
        text = f"the {active.classes} strongest of the {count} active blocks"
    held = (
        f"f + 2λh, twice the objective of the run, with c_a re-fitted at every point within {text} "
        f"of the iterate ({steps} steps)."
        if active.size
        else "f + 2λh, twice the objective of the run; no block is active, so c_a stays 0."
    )
    return height, held


def _active(
    dictionary: AttackDictionary, c_a: Tensor, most: int
) -> tuple[AttackDictionary, Tensor, Tensor]:
    """The strongest active blocks as a dictionary of their own, their c_a, and their columns."""
    energies = dictionary.energies(c_a).flatten()
    order = energies.argsort(descending=True)[: int((energies > 0).sum())][:most].sort().values
    size = dictionary.block_size
    columns = (order[:, None] * size + torch.arange(size, device=order.device)).flatten()
    some = AttackDictionary(
        dictionary.atoms[:, columns], max(1, len(order)), ("block",), dictionary.norms[columns]
    )
    return some, c_a[columns], columns


def _fit(
    active: AttackDictionary,
    gram: Tensor,
    correlation: Tensor,
    start: Tensor,
    eta: float,
    lam: float,
    steps: int,
) -> Tensor:
    """FISTA with gradient restart on 1/2 ||y - D c||^2 + lam h(c) for rows D^T y [R, a]: [R, a]."""
    c = v = start.expand(len(correlation), -1)
    t = correlation.new_ones(len(correlation))
    threshold = correlation.new_full((len(correlation),), eta * lam)
    for _ in range(steps if active.size else 0):
        new = block_soft_threshold(v - eta * (v @ gram - correlation), threshold, active)
        moved = new - c
        uphill = ((v - new) * moved).sum(1) > 0
        t = torch.where(uphill, 1.0, t)
        t_next = 0.5 * (1 + (1 + 4 * t.square()).sqrt())
        v = new + ((t - 1) / t_next)[:, None] * moved
        c, t = new, t_next
    return c

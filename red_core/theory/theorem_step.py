"""A step size that Theorem 3 or 6 admits, found by trying."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from red_core.synthetic import Instances
from red_core.theory.descent import DescentOptions, descend, step_sizes
from red_core.theory.guarantee import guarantee
from red_core.theory.step_size import best_step


def theorem_step(
    instances: Instances,
    options: DescentOptions,
    samples: int = 5,
    most: int | None = 50,
    rounds: int = 4,
) -> Tensor:
    """eta [I] for which the theorem applies to the descent it gives, NaN where none was found.

    The interval depends on rho, epsilon and mu along the path, and the path on eta. So: descend
    with the safe step, measure the constants, take `best_step` for them, descend with that, and
    so on, `rounds` times. What is returned was checked on its own path (at `most` steps of it,
    see `guarantee`), and promises the smallest factor of those checked. NaN is not a proof that
    there is none. options.eta is not used; where D_a has a kernel, the theorem is that for its
    row space.
    """
    eta = step_sizes(instances, options.method == "inversion")["safe"]
    found = torch.full_like(eta, torch.nan)
    if not instances.network.activation.smooth:
        return found
    promised = torch.full_like(eta, torch.inf)
    trying = torch.arange(len(instances))
    for _ in range(rounds):
        some = instances.take(trying)
        path = descend(some, replace(options, eta=None), eta[trying])
        here = guarantee(some, path, samples, most)
        here = here.row_space or here
        better = here.applies & (here.predicted < promised[trying])
        found[trying] = torch.where(better, eta[trying], found[trying])
        promised[trying] = torch.where(better, here.predicted, promised[trying])
        proposed = best_step(here.mu, here.rho, here.epsilon)
        # A tiny change of eta gains nothing; an empty interval proposes nothing.
        worth = (proposed / eta[trying] - 1).abs() > 1e-3
        eta[trying] = torch.where(worth, proposed, eta[trying])
        trying = trying[worth]
        if not len(trying):
            break
    return found

"""What a run begins from beside its settings: x' of another seed's attack, a start class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from red_core.algorithm.algorithm1 import begin
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.state import State
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run, make_problem, make_starts
from red_core.run.prior import StylePrior

DRAWS, AT_ONCE = 2000, 100  # random z among which one of a class is looked for; G's batches


class NoStartError(ValueError):
    """No start of the class that was asked for; the message is for the user."""


@dataclass(frozen=True)
class Origin:
    """What a run begins from.

    attack_seed: the seed of the attack that makes x', None for the run's own; start_class: the
    class that psi reads in G(z^0) (B.7), None for the starts that the options name.
    """

    attack_seed: int | None = None
    start_class: int | None = None


ITS_OWN = Origin()  # nothing but what the settings say


def begin_from(
    bundle: Bundle, attacked: Tensor, options: SolverOptions, seeds: Sequence[int], origin: Origin
) -> tuple[RedProblem, State]:
    """As `begin_run` for one image [1, C, H, W]; every start is the one of `origin`'s class.

    Raises NoStartError where G draws nothing of that class.
    """
    if origin.start_class is None:
        return begin_run(bundle, attacked, options, seeds)
    problem = make_problem(bundle, attacked, options, seeds)
    starts, anchors = make_starts(bundle, problem.observed, options, seeds)
    z = start_in_class(bundle, seeds[0], origin.start_class)
    return problem, begin(problem, z.expand_as(starts).clone(), options, anchors)


@torch.no_grad()
def start_in_class(bundle: Bundle, seed: int, label: int) -> Tensor:
    """A z [*latent] in whose G(z) psi reads the class `label`.

    The mean w of the class where G is given the class to draw (as the measured start classes);
    elsewhere the first such z of DRAWS from the seed. Raises NoStartError.
    """
    if isinstance(bundle.prior, StylePrior):
        return bundle.prior.class_centres()[label]
    stream = torch.Generator().manual_seed(seed)
    for _ in range(DRAWS // AT_ONCE):
        z = bundle.prior.draw([stream], AT_ONCE)[0]
        found = (bundle.psi(bundle.generator(z)).argmax(1) == label).nonzero()
        if len(found):
            return z[int(found[0])]
    name = bundle.class_names[label]
    raise NoStartError(f"none of {DRAWS:,} random z is read as {name}: choose another start class")

"""Algorithm 1: alternating steps on z and c_a, as pure functions over a frozen state.

A run has two phases. In the start phase every start of every item descends 1/2 ||x' - G(z)||^2
(or a perceptual loss) with c_a = 0 (Defense-GAN, B.2). In the alternation (z, c_a)^{k+1} come both
from iterate k, while the starts that were carried on compete. Presets differ in numbers, not in
code: see `presets.py`; `plain_loop.py` states the same method in its simplest form, one image at a
time.

An item's iterates depend on its own x', starts and seed alone, not on its neighbours (up to
rounding): items may begin, leave and be joined by others at any step (`State.take`,
`state.concatenate`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Literal

import torch
from torch import Tensor

from red_core.algorithm.competition import compete, enter_alternation, renews_lambda, with_lambda
from red_core.algorithm.objective import evaluate, target
from red_core.algorithm.options import DIFFUSION, PERCEPTUAL, SolverOptions
from red_core.algorithm.perceptual import evaluate_start
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.prox import block_soft_threshold
from red_core.algorithm.state import State
from red_core.algorithm.z_steps import initial_memory, needs_gradient, z_step

Update = Literal["both", "z", "c_a"]


def step(
    problem: RedProblem, state: State, options: SolverOptions, update: Update = "both"
) -> State:
    """(z, c_a)^{k+1} from (z, c_a)^k, with the starts' competition and lambda where they are due.

    update: "z" or "c_a" moves one alone; in the start phase c_a stays zero, and asked to move it
    alone nothing happens. Raises ValueError for items in different phases.
    """
    if not in_alternation(state):
        if update == "c_a":
            return state
        moved = z_step(problem, _evaluated(problem, state, options), options, joint=False)
    else:
        state = _evaluated(problem, state, options, update)
        if update != "z" and renews_lambda(state, options):
            state = with_lambda(problem, state, options)
        moved = state
        if update != "c_a":  # Algorithm 1, z: J^T (G(z^k) + D_a c_a^k - x') is state.gradient
            moved = z_step(problem, state, options, joint=True)
        if options.c_a_after_z and update == "both":
            state = moved = _evaluated(problem, moved, options, "c_a")
        if update != "z":  # Algorithm 1, c_a: from G(z^k) too
            moved = c_a_step(problem, moved, target(problem, state), options)
    moved = replace(moved, k=state.k + 1)
    if update != "c_a":
        moved = _evaluated(problem, moved, options)
    return compete(problem, moved, options)


def c_a_step(problem: RedProblem, state: State, y: Tensor, options: SolverOptions) -> State:
    """FISTA on c_a (Beck & Teboulle 2009), with y = x' - G(z) held: [B, S, n].

    c^{k+1} = prox_{eta lambda h}(v - eta D_a^T (D_a v - y)), eta = 1 / ||D_a||^2, then
    v^{k+1} = c^{k+1} + (t - 1) / t^{k+1} (c^{k+1} - c^k). Algorithm 1 prints the prox with lambda,
    with which c_a would stay zero for ever. D_a v follows from D_a c_a without another product.
    """
    dictionary, eta = problem.dictionary, 1.0 / problem.dictionary.operator_norm_squared
    threshold = (eta * state.lam)[:, None].expand(state.t.shape)
    for _ in range(options.inner):
        forward = state.v - eta * dictionary.correlate(state.fit_v - y)
        c_a = block_soft_threshold(forward, threshold, dictionary)
        fit_c = dictionary.combine(c_a)
        beta, t = _momentum(state, c_a, options.acceleration)
        v = c_a + beta[..., None] * (c_a - state.c_a)
        fit_v = fit_c + beta[..., None] * (fit_c - state.fit_c)
        state = replace(state, c_a=c_a, v=v, fit_c=fit_c, fit_v=fit_v, t=t, gradient=None)
    return state


def _momentum(state: State, c_a: Tensor, acceleration: str) -> tuple[Tensor, Tensor]:
    """FISTA's (t - 1) / t^{k+1} and t^{k+1}, both [B, S]."""
    t = state.t
    if acceleration == "none":
        return torch.zeros_like(t), t
    if acceleration == "restart":  # O'Donoghue & Candes 2015, gradient scheme
        uphill = ((state.v - c_a) * (c_a - state.c_a)).sum(-1) > 0
        t = torch.where(uphill, torch.ones_like(t), t)
    following = 0.5 * (1 + (1 + 4 * t.square()).sqrt())
    return (t - 1) / following, following


def begin(
    problem: RedProblem, starts: Tensor, options: SolverOptions, anchor: Tensor | None = None
) -> State:
    """Iterate 0: starts z [B, S, *latent], c_a = 0.

    anchor: where `latent_weight` pulls every start, [B, S, *latent] (default: the origin). Raises
    ValueError where the numbers of items differ, or the options need features, maps, a diffusion
    model or a w in every layer that the problem lacks.
    """
    if len(starts) != len(problem):
        raise ValueError(f"{len(starts)} items of starts for {len(problem)} of x'")
    if options.feature_weight and problem.features is None:
        raise ValueError("feature_weight needs features of a classifier, and there are none")
    if options.start_loss == PERCEPTUAL and problem.maps is None:
        raise ValueError("a perceptual start needs maps of a classifier, and there are none")
    if options.one_w and starts.ndim < 4:
        raise ValueError("one_w needs a point of W+, a w in every layer")
    if options.signal_step == DIFFUSION and (problem.purify is None or not problem.seeds):
        raise ValueError("a diffusion step needs a diffusion model, and there is none")
    items, carried = starts.shape[:2]
    zero = starts.new_zeros(items, carried, problem.dictionary.size)
    no_fit = starts.new_zeros(items, carried, problem.flat.shape[1])
    no = torch.zeros(items, dtype=torch.bool, device=starts.device)
    first = State(
        k=torch.zeros(items, dtype=torch.long, device=starts.device),
        joint=no,
        z=starts,
        c_a=zero,
        v=zero,
        fit_c=no_fit,
        fit_v=no_fit,
        t=starts.new_ones(items, carried),
        memory=initial_memory(starts, options, joint=False),
        lam=starts.new_zeros(items),
        anchor=torch.zeros_like(starts) if anchor is None else anchor,
        start=torch.arange(carried, device=starts.device).expand(items, carried),
        alive=torch.ones(items, carried, dtype=torch.bool, device=starts.device),
        settled=no,
        checked=starts.new_full((items,), torch.inf),
    )
    first = _evaluated(problem, first, options)
    return first if options.start_steps else enter_alternation(problem, first, options)


def solve(
    problem: RedProblem, starts: Tensor, options: SolverOptions, anchor: Tensor | None = None
) -> Iterator[State]:
    """Every state of a run, the first and the last included: the plain loop over `step`.

    This is Algorithm 1 after Defense-GAN's start (B.2). starts: z [B, S, *latent]; anchor: as
    `begin`, which also raises the errors. `observe` reads a state.

    >>> from red_core import Dictionary, Options, Problem, observe, solve
    >>> attacks = torch.eye(4).view(2, 1, 2, 4)  # 2 classes, 1 kind of attack, 2 atoms a block
    >>> D_a, mask = Dictionary.from_attacks(attacks, ("linf",)), torch.tensor([1.0, 1, 1, 0])
    >>> problem = Problem(torch.tensor([[1.0, 0, 0, 2]]), lambda z: z * mask, D_a)
    >>> options = Options(restarts=1, start_steps=100, start_rate=0.1, steps=50, signal_rate=0.1)
    >>> states = list(solve(problem, torch.zeros(1, 1, 4), options))
    >>> last = observe(problem, states[-1], options)
    >>> len(states), last.image.round(decimals=2).abs().tolist()
    (151, [[1.0, 0.0, 0.0, 0.0]])
    >>> [round(energy, 2) for energy in last.block_energy[0, :, 0].tolist()]
    [0.0, 1.3]
    """
    state = begin(problem, starts, options, anchor)
    yield state
    while not finished(state, options):
        state = step(problem, state, options)
        yield state


def defense_gan(
    problem: RedProblem,
    starts: Tensor,
    options: SolverOptions,
    anchor: Tensor | None = None,
    tick: Callable[[], object] = lambda: None,
) -> State:
    """The end of the start phase: Defense-GAN (Samangouei et al. 2018), with c_a = 0.

    tick: called after every step.
    """
    state = begin(problem, starts, options, anchor)
    while not in_alternation(state):
        state = step(problem, state, options)
        tick()
    return state


def in_alternation(state: State) -> bool:
    """Whether the items are in the alternation; ValueError where some are and some are not."""
    joint = bool(state.joint.all())
    if not joint and bool(state.joint.any()):
        raise ValueError("the items are in different phases: step each phase's batch by itself")
    return joint


def finished(state: State, options: SolverOptions) -> bool:
    """Whether every item has done all its steps or has settled."""
    return bool(((state.k >= options.total) | state.settled).all())


def _evaluated(
    problem: RedProblem, state: State, options: SolverOptions, update: Update = "both"
) -> State:
    """The state with what the next step on z needs (and what `observe` shows) filled in."""
    joint = bool(state.joint.all())
    kind = options.signal_step if joint else options.start_step
    gradient = update != "c_a" and needs_gradient(kind)
    if not joint and options.start_loss == PERCEPTUAL:
        return evaluate_start(problem, state, options, gradient=gradient)
    return evaluate(problem, state, options, gradient=gradient)

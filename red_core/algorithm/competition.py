"""Which starts go on, and when an item has settled: what happens between two steps."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor

from red_core.algorithm.objective import evaluate, objective, residual, target, terms_in_z
from red_core.algorithm.options import CHECK_EVERY, DIFFUSION, PERCEPTUAL, SolverOptions
from red_core.algorithm.perceptual import evaluate_start
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.prox import gap_of_residual, lambda_max
from red_core.algorithm.state import State
from red_core.algorithm.z_steps import initial_memory


def compete(problem: RedProblem, state: State, options: SolverOptions) -> State:
    """The state after a step, with what is due then: the alternation begun, starts dropped.

    The starts of an item are halved after the alternation steps `halve_at`, by the objective.
    """
    if not bool(state.joint.any()):
        due = bool((state.k >= options.start_steps).all())
        return enter_alternation(problem, state, options) if due else state
    steps = state.k - options.start_steps
    if options.halve_at and state.starts > 1:
        competing = state.alive.sum(1)
        due_at = torch.isin(steps, torch.tensor(options.halve_at, device=steps.device))
        if bool(due_at.any()):
            state = evaluate(problem, state, options, gradient=False)
            count = torch.where(due_at, (competing + 1) // 2, competing)
            state = keep_best(state, objective(problem, state, options), count)
    if options.tolerance:
        state = _settle(problem, state, options, steps)
    return state


def enter_alternation(problem: RedProblem, state: State, options: SolverOptions) -> State:
    """Carry the best starts on, and set lambda from the best one's residual (B.2)."""
    state = evaluate(problem, state, options, gradient=False)
    if options.start_loss == PERCEPTUAL:
        state = evaluate_start(problem, state, options, gradient=False)
    # A diffusion model is that of both phases, and its rounds go on.
    goes_on = options.signal_step == DIFFUSION and bool(state.k.any())
    memory = state.memory if goes_on else initial_memory(state.z, options, joint=True)
    state = replace(state, joint=torch.ones_like(state.joint), memory=memory)
    state = with_lambda(problem, state, options)
    error = _error_without_c_a(problem, state, options)
    state = replace(state, start_energy=None, start_gradient=None)  # it counts no longer
    return keep_best(state, error, torch.full_like(state.k, options.carry))


def with_lambda(problem: RedProblem, state: State, options: SolverOptions) -> State:
    """An evaluated state with lambda = lambda_fraction * lambda_max of its x' - G(z) (B.2).

    Starts compete under one lambda: that of the start which is best while c_a is left out.
    """
    y = target(problem, state)
    error = _error_without_c_a(problem, state, options)
    best = y[torch.arange(len(y), device=y.device), error.argmin(1)]
    return replace(state, lam=options.lambda_fraction * lambda_max(best, problem.dictionary))


def renews_lambda(state: State, options: SolverOptions) -> bool:
    """Whether a step on c_a is due a new lambda; where G(z) stays, it would be the same."""
    stays = options.signal_step == "frozen" and state.starts == 1
    return options.lambda_every_step and not stays


def _error_without_c_a(problem: RedProblem, state: State, options: SolverOptions) -> Tensor:
    """The start's loss and the terms in z, [B, S]; infinite for a start that is out.

    In the alternation, 1/2 ||x' - G(z)||^2 is in the place of any other loss.
    """
    energy = state.start_energy
    if energy is None:
        energy = 0.5 * target(problem, state).square().sum(-1)
    error = energy + terms_in_z(state, options)
    return torch.where(state.alive, error, torch.inf)


def keep_best(state: State, score: Tensor, count: Tensor) -> State:
    """Keep the count [B] starts of lowest score [B, S]; the others no longer compete.

    A start that no item needs any more is dropped from the state; starts keep their order.
    """
    order = torch.where(state.alive, score, torch.inf).argsort(dim=1, stable=True)
    alive = state.alive & (order.argsort(1) < count[:, None])
    state = replace(state, alive=alive)
    most = int(alive.sum(1).max())
    if most == state.starts:
        return state
    kept = (~alive).sort(dim=1, stable=True).indices[:, :most]
    return state.take(torch.arange(len(state), device=kept.device), kept)


def _settle(problem: RedProblem, state: State, options: SolverOptions, steps: Tensor) -> State:
    """Mark the items whose leading start no longer gains anything, every CHECK_EVERY steps."""
    due = (steps % CHECK_EVERY == 0) & (steps > 0)
    if not bool(due.any()):
        return state
    state = evaluate(problem, state, options, gradient=False)
    items = torch.arange(len(state), device=due.device)
    lead = objective(problem, state, options).argmin(1)
    left, c_a = residual(problem, state)[items, lead], state.c_a[items, lead]
    y = target(problem, state)[items, lead]
    dictionary = problem.dictionary
    gap, loss = gap_of_residual(y, left, dictionary.correlate(left), c_a, state.lam, dictionary)
    loss = loss + terms_in_z(state, options)[items, lead]
    limit = options.tolerance * loss
    still = (gap <= limit) & ((state.checked - loss).abs() <= limit)
    still &= steps >= max(options.halve_at, default=0)
    return replace(
        state,
        settled=torch.where(due, still, state.settled),
        checked=torch.where(due, loss, state.checked),
    )

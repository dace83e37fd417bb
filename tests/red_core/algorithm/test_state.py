"""Properties of the pure step: it commutes with taking items and starts out, and with joining."""

from dataclasses import fields, replace

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from red_core.algorithm.algorithm1 import begin, in_alternation, step
from red_core.algorithm.observe import observe
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import AttackDictionary, RedProblem
from red_core.algorithm.state import State, concatenate

ITEMS, STARTS, LATENT = 4, 3, 4
# No start is dropped and no lambda set after the start phase: those look at all starts together.
OPTIONS = {
    kind: SolverOptions(
        start_steps=3,
        start_step="gradient" if kind == "frozen" else kind,
        start_rate=0.01,
        start_momentum=0.7 if kind == "gradient" else 0.0,
        carry=STARTS,
        steps=30,
        signal_step=kind,
        signal_rate=0.01,
        acceleration="restart",
        lambda_fraction=0.05,
        latent_weight=0.2,
        inner=2,
    )
    for kind in ("gradient", "adam", "lbfgs", "frozen")
}


@pytest.fixture(scope="module")
def problem() -> RedProblem:
    """Four items, G of one hidden layer, D_a with six blocks; float64."""
    draw = torch.Generator().manual_seed(3)

    def normal(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=draw, dtype=torch.float64)

    first, second = normal(16, LATENT), normal(30, 16)
    dictionary = AttackDictionary.from_attacks(normal(3, 2, 3, 30), ("linf", "l2"))

    def generator(z: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.leaky_relu(z @ first.T, 0.2) @ second.T

    return RedProblem(5 * normal(ITEMS, 30), generator, dictionary)


def run(problem: RedProblem, options: SolverOptions, steps: int, seed: int) -> State:
    draw = torch.Generator().manual_seed(seed)
    starts = torch.randn(len(problem), STARTS, LATENT, generator=draw, dtype=torch.float64)
    state = begin(problem, starts, options, starts + 0.1)
    for _ in range(steps):
        state = step(problem, state, options)
    return state


# What a state holds only under some options.
OPTIONAL = ("feature_energy", "feature_gradient", "start_energy", "start_gradient")


def assert_same(one: State, other: State) -> None:
    """Equal up to rounding: another batch size may take another matrix kernel."""
    for field in fields(State):
        a, b = getattr(one, field.name), getattr(other, field.name)
        pairs = zip(a, b, strict=True) if field.name == "memory" else [(a, b)]
        for left, right in pairs:
            if left is None or right is None:
                assert field.name in ("image", "gradient", *OPTIONAL)
                continue
            torch.testing.assert_close(left, right, rtol=1e-9, atol=1e-11, msg=field.name)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(OPTIONS)),
    before=st.integers(0, 8),
    items=st.lists(st.integers(0, ITEMS - 1), min_size=1, max_size=ITEMS, unique=True),
    update=st.sampled_from(["both", "z", "c_a"]),
    seed=st.integers(0, 100),
)
def test_a_step_commutes_with_taking_items(problem, kind, before, items, update, seed):
    options, chosen = OPTIONS[kind], torch.tensor(items)
    state = run(problem, options, before, seed)
    stepped = step(problem, state, options, update).take(chosen)
    assert_same(step(problem.take(chosen), state.take(chosen), options, update), stepped)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(OPTIONS)),
    before=st.integers(3, 9),
    starts=st.lists(st.integers(0, STARTS - 1), min_size=1, max_size=STARTS, unique=True),
    update=st.sampled_from(["both", "z", "c_a"]),
    seed=st.integers(0, 100),
)
def test_a_step_commutes_with_taking_starts(problem, kind, before, starts, update, seed):
    """In the alternation, once lambda is set: each start then moves by itself."""
    options, every = OPTIONS[kind], torch.arange(ITEMS)
    chosen = torch.tensor(starts).expand(ITEMS, -1)
    state = run(problem, options, before, seed)
    assert in_alternation(state)
    stepped = step(problem, state, options, update).take(every, chosen)
    assert_same(step(problem, state.take(every, chosen), options, update), stepped)


@settings(max_examples=40, deadline=None)
@given(
    kind=st.sampled_from(sorted(OPTIONS)),
    joint=st.booleans(),
    earlier=st.integers(0, 5),
    later=st.integers(0, 5),
    steps=st.integers(1, 4),
)
def test_a_concatenation_is_the_runs_alone(problem, kind, joint, earlier, later, steps):
    """Runs that began at different times share a batch, each with its own k."""
    options = replace(OPTIONS[kind], start_steps=3 if joint else 20)
    offset = options.start_steps if joint else 0
    halves = [torch.tensor([0, 1]), torch.tensor([2, 3])]
    states = [
        run(problem.take(half), options, offset + done, seed)
        for seed, (half, done) in enumerate(zip(halves, (earlier, later), strict=True))
    ]
    together = concatenate(states)
    for _ in range(steps):
        together = step(problem, together, options)
        states = [
            step(problem.take(half), state, options)
            for half, state in zip(halves, states, strict=True)
        ]
    for half, state in zip(halves, states, strict=True):
        assert_same(together.take(half), state)
    whole = observe(problem, together, options)
    for half, state in zip(halves, states, strict=True):
        alone = observe(problem.take(half), state, options)
        torch.testing.assert_close(whole.loss[half], alone.loss)
        torch.testing.assert_close(whole.prox_residual[half], alone.prox_residual)


@pytest.mark.parametrize("kind", sorted(OPTIONS))
def test_z_alone_then_c_a_alone_touches_nothing_else(problem, kind):
    options = OPTIONS[kind]
    state = run(problem, options, 6, 1)
    both = step(problem, state, options)
    z_moved = step(problem, state, options, "z")
    c_moved = step(problem, state, options, "c_a")
    of_c = ("c_a", "v", "fit_c", "fit_v", "t")
    for name in (*of_c, "lam", "anchor", "start", "alive", "settled"):
        assert getattr(z_moved, name).equal(getattr(state, name)), name
    for name in ("z", "lam", "anchor", "start", "alive", "settled"):
        assert getattr(c_moved, name).equal(getattr(state, name)), name
    assert all(a.equal(b) for a, b in zip(c_moved.memory, state.memory, strict=True))
    assert z_moved.z.equal(both.z)
    for name in of_c:
        assert getattr(c_moved, name).equal(getattr(both, name)), name
    assert z_moved.k.equal(state.k + 1)
    assert c_moved.k.equal(state.k + 1)


def test_a_step_leaves_the_state_it_was_given(problem):
    state = run(problem, OPTIONS["lbfgs"], 5, 2)
    before = {
        field.name: value.clone()
        for field in fields(State)
        if torch.is_tensor(value := getattr(state, field.name))
    }
    memory = tuple(tensor.clone() for tensor in state.memory)
    step(problem, state, OPTIONS["lbfgs"])
    assert all(getattr(state, name).equal(value) for name, value in before.items())
    assert all(a.equal(b) for a, b in zip(state.memory, memory, strict=True))


def test_starts_that_are_out_wait_until_no_item_needs_them(problem):
    """Halved at different times, an item keeps its losers' places, and they never lead."""
    options = replace(OPTIONS["adam"], halve_at=(4,))
    first = run(problem.take(torch.tensor([0, 1])), options, 6, 1)  # 3 steps of the alternation
    second = run(problem.take(torch.tensor([2, 3])), options, 5, 2)
    state = step(problem, concatenate([first, second]), options)
    assert state.alive.sum(1).tolist() == [2, 2, 3, 3]
    assert state.starts == 3
    led = observe(problem, state, options).leader
    assert all(int(led[item]) in state.start[item][state.alive[item]] for item in range(ITEMS))
    state = step(problem, state, options)
    assert state.alive.sum(1).tolist() == [2, 2, 2, 2]
    assert state.starts == 2


def test_states_that_do_not_fit_are_refused(problem):
    options = OPTIONS["gradient"]
    begun, joint = run(problem, options, 1, 1), run(problem, options, 5, 1)
    with pytest.raises(ValueError, match="different phases"):
        concatenate([begun, joint])
    one = joint.take(torch.arange(ITEMS), torch.zeros(ITEMS, 1, dtype=torch.long))
    with pytest.raises(ValueError, match="different numbers of starts"):
        concatenate([joint, one])
    mixed = replace(joint, joint=torch.tensor([True, True, False, True]))
    with pytest.raises(ValueError, match="different phases"):
        step(problem, mixed, options)

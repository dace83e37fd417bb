"""Theorems 3 and 6 on real descents: the inequality wherever they apply, and why where not."""

import re
from dataclasses import replace

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from red_core.synthetic import InstanceSettings, make_instances
from red_core.theory import contraction, guarantee, step_interval, theorem_step
from red_core.theory.descent import DescentOptions, descend, step_sizes

SMOOTH = ["softplus", "sigmoid", "tanh", "gelu", "silu", "linear"]
SHORT = DescentOptions("alternating", steps=40)


def instances_of(attack=False, **changes):
    chosen = {"m": 20, "d": 3, "activation": "tanh", "training": 4, "examples": 4} | changes
    return make_instances(InstanceSettings(attack=attack, hidden=30, **chosen))


def never_worse(found):
    """observed <= predicted: of a path to which the theorem applies, and of every single step.

    A step needs only the caps on eta (the proof never uses that the factor is below 1). The
    number of steps with negative curvature of which that was seen.
    """
    slack = 1e-9
    at = found.applies
    assert bool((found.observed <= found.predicted + slack)[at].all())
    assert bool((found.observed <= found.sharper + slack)[at].all())
    assert bool((found.sharper <= found.predicted + slack)[at].all())
    assert bool((found.predicted < 1)[at].all())
    steps = found.steps
    short = (found.eta * steps.epsilon <= 0.25) & (found.eta * steps.rho <= 1.5)
    assert bool((steps.observed <= steps.predicted + slack)[short].all())
    assert bool((found.observed_mean <= found.observed + slack)[at].all())
    return int((short & (steps.epsilon > 0)).sum())


def judged(instances, longer=None, steps=40):
    """The guarantee at the theorem's step, or at the safe one where none was found.

    longer: the step in multiples of the safe one instead.
    """
    options = DescentOptions("alternating" if instances.k else "inversion", steps=steps)
    safe = step_sizes(instances, not instances.k)["safe"]
    if longer is None:
        eta = theorem_step(instances, options, samples=3, most=10, rounds=2)
        eta = torch.where(eta.isnan(), safe, eta)
    else:
        eta = longer * safe
    found = guarantee(instances, descend(instances, options, eta))
    return found.row_space or found


@settings(max_examples=60)
@given(
    sigma=st.sampled_from([*((name, None) for name in SMOOTH), ("softplus", 100.0)]),
    seed=st.integers(0, 10**6),
    attack=st.booleans(),
    layers=st.sampled_from([1, 1, 2, 3]),
    m=st.integers(8, 40),
    d=st.integers(1, 5),
    radius=st.sampled_from([0.01, 0.1, 1.0, 3.0]),
    start=st.sampled_from(["near", "random"]),
    longer=st.sampled_from([None, None, 1.0, 2.5, 30.0]),
)
def test_the_observed_contraction_is_never_worse_than_the_promised_one(
    sigma, attack, longer, **changes
):
    name, parameter = sigma
    instances = instances_of(attack, activation=name, parameter=parameter, **changes)
    never_worse(judged(instances, longer))


@pytest.mark.parametrize(
    ("family", "layers", "attack", "seed"),
    [("two_rows", 1, True, 437247), ("three_layer", 3, False, 495434), ("hadamard", 3, True, 1)],
)
def test_so_it_is_where_the_samples_miss_a_bend(family, layers, attack, seed):
    """softplus(100) all but has a kink: the Hessian's samples alone promised too much here."""
    instances = instances_of(
        attack,
        family=family,
        layers=layers,
        seed=seed,
        m=30,
        activation="softplus",
        parameter=100.0,
        scale="1",
        training=20,
        examples=20,
    )
    assert never_worse(judged(instances, longer=1.0)) > 0


def test_so_it_is_on_hundreds_of_instances_to_which_the_theorem_applies():
    """Mostly near z*, where f is convex; and on many steps further away, where it is not."""
    applies = bent = 0
    for name in SMOOTH:
        for attack in (False, True):
            for start, radius in (("near", 0.1), ("near", 3.0), ("random", 1.0)):
                changes = {"activation": name, "start": start, "radius": radius, "examples": 12}
                found = judged(instances_of(attack, **changes))
                bent += never_worse(found)
                applies += int(found.applies.sum())
    assert applies >= 300
    assert bent >= 200


def until_arrival(path, values):
    shown = values.where(path.under_way, torch.nan)
    return shown[: max(1, int(path.under_way.any(1).sum()))]


def test_the_constants_are_those_of_the_path():
    instances = instances_of(True, start="near", radius=0.5, activation="softplus")
    path = descend(instances, SHORT)
    found = guarantee(instances, path)
    assert found.theorem == "Theorem 6"
    torch.testing.assert_close(found.steps.mu, path.mu)
    torch.testing.assert_close(found.mu, path.mu.amin(0))
    square = path.distance.square()
    torch.testing.assert_close(found.steps.observed[:-1], square[1:] / square[:-1])
    torch.testing.assert_close(found.observed, found.steps.observed.amax(0))
    torch.testing.assert_close(found.rho, found.steps.rho.amax(0))
    torch.testing.assert_close(found.epsilon, found.steps.epsilon.amax(0))
    constants = found.mu, found.rho, found.epsilon
    torch.testing.assert_close(found.predicted, contraction(path.eta, *constants))
    low, high = step_interval(*constants)
    torch.testing.assert_close(found.low, low, equal_nan=True)
    torch.testing.assert_close(found.high, high, equal_nan=True)
    assert torch.equal(found.applies, (path.eta > low) & (path.eta <= high))
    assert len(found) == len(found.why) == 4
    assert found.row_space is None
    assert "5 points of each" in found.sampling
    assert "at 41 steps" in found.sampling


def test_several_networks_are_judged_each_by_its_own():
    settings = instances_of(True, start="near", radius=0.3).settings
    both = make_instances(settings, 2)
    found = guarantee(both, descend(both, SHORT))
    second = make_instances(replace(settings, seed=1))
    alone = guarantee(second, descend(second, SHORT))
    for name in ("mu", "rho", "epsilon", "predicted", "observed"):
        torch.testing.assert_close(getattr(found, name)[4:], getattr(alone, name))
    assert found.why[4:] == alone.why


def test_inversion_is_judged_in_z_alone():
    instances = instances_of(True)
    path = descend(instances, replace(SHORT, method="inversion"))
    found = guarantee(instances, path)
    assert found.theorem == "Theorem 3"
    assert found.row_space is None
    torch.testing.assert_close(found.steps.mu, until_arrival(path, path.mu), equal_nan=True)
    clean = make_instances(replace(instances.settings, attack=False))
    assert guarantee(clean, descend(clean, SHORT)).theorem == "Theorem 3"


def test_a_thinned_path_gives_the_same_steps():
    """A step is w^k - eta grad f(w^k), recorded or not."""
    instances = instances_of(True)
    every = guarantee(instances, descend(instances, SHORT))
    thin = guarantee(instances, descend(instances, SHORT, every=4))
    for name in ("mu", "rho", "epsilon", "predicted", "observed"):
        torch.testing.assert_close(getattr(thin.steps, name), getattr(every.steps, name)[::4])
    few = guarantee(instances, descend(instances, SHORT), most=6)
    assert few.steps.k.tolist() == [0, 8, 16, 24, 32, 40]
    torch.testing.assert_close(few.steps.rho, every.steps.rho[few.steps.k])


def test_what_happens_after_arriving_is_left_out():
    instances = instances_of(activation="linear", start="near", radius=1.0)
    path = descend(instances, replace(SHORT, steps=400, tolerance=1e-3))
    assert bool(path.success.all())
    found = guarantee(instances, path)
    under_way = (path.distance >= 1e-3)[: len(found.steps.k)]
    assert torch.equal(~found.steps.mu.isnan(), under_way)
    assert bool(found.applies.all())


def words(found, item=0):
    return found.why[item]


def test_it_says_that_it_applies():
    instances = instances_of(start="near", radius=0.1)
    text = words(guarantee(instances, descend(instances, SHORT)))
    assert re.fullmatch(
        r"Theorem 3 applies: eta = \S+ lies in \(\S+, \S+\), so every step multiplies the squared "
        r"distance by \S+( - \S+)? at most; the slowest step here does so by \S+( - \S+)?\.",
        text,
    )


def test_a_kink_ends_every_guarantee():
    instances = instances_of(activation="leaky_relu", start="near", radius=0.1)
    found = guarantee(instances, descend(instances, SHORT))
    assert not found.applies.any()
    assert bool(found.predicted.isnan().all() & found.low.isnan().all())
    assert bool((found.mu > 0).all() & (found.rho > 0).all())
    assert "leaky_relu has a kink, so Assumption 1 fails" in words(found)


def test_an_empty_interval_is_explained_with_its_numbers():
    instances = instances_of(activation="softplus", parameter=40.0, seed=3, examples=20)
    found = guarantee(instances, descend(instances, SHORT))
    empty = found.low.isnan()
    assert bool(empty.any())
    item = int(empty.nonzero()[0])
    assert not found.applies[item]
    numbers = re.search(
        r"mu\^2 = (\S+) is not above 32/9 rho epsilon = (\S+) \(rho = (\S+), epsilon = (\S+)\)",
        words(found, item),
    )
    square, needed, rho, epsilon = (float(number) for number in numbers.groups())
    assert square == pytest.approx(float(found.mu[item]) ** 2, rel=1e-2)
    assert needed == pytest.approx(32 / 9 * rho * epsilon, rel=3e-2)
    assert square <= needed


@pytest.mark.parametrize("side", ["above", "below"])
def test_a_step_outside_of_the_interval_is_told_from_one_inside(side):
    """Above: close to 2 / rho. Below: where epsilon > 0, the interval stays away from 0."""
    instances = instances_of(start="near", radius=1.0, activation="softplus", examples=30)
    first = guarantee(instances, descend(instances, SHORT))
    eta = 1.9 / first.rho if side == "above" else torch.full_like(first.rho, 1e-4)
    found = guarantee(instances, descend(instances, SHORT, eta))
    outside = ~found.low.isnan() & ((eta >= found.high) if side == "above" else (eta <= found.low))
    assert bool(outside.any())
    item = int(outside.nonzero()[0])
    assert not found.applies[item]
    assert re.search(
        rf"eta = \S+ lies {side} the admissible interval \(\S+, \S+\)", words(found, item)
    )


def test_a_diverging_descent_is_no_error():
    instances = instances_of(activation="linear")
    eta = 100 * step_sizes(instances)["safe"]
    found = guarantee(instances, descend(instances, replace(SHORT, steps=400), eta))
    assert not found.applies.any()
    assert "diverges" in words(found)


def test_a_start_at_the_solution_leaves_nothing_to_judge():
    instances = instances_of(start="near", radius=1e-6)
    found = guarantee(instances, descend(instances, SHORT))
    assert not found.applies.any()
    assert bool(found.mu.isnan().all())
    assert "no step to judge" in words(found)


def test_proximal_paths_are_sent_elsewhere():
    instances = instances_of(True)
    path = descend(instances, replace(SHORT, method="proximal"))
    with pytest.raises(ValueError, match="see proximal_guarantee"):
        guarantee(instances, path)


def wide_instances(**changes):
    """k = 40 columns in n = 12 dimensions with d = 2: rank(D_a) + d > n if D_a has full rank."""
    return instances_of(True, m=12, d=2, training=40, **changes)


def linear_attack(**changes):
    """psi of a linear sigma has one gradient: rank(D_a) = 1, so that rank + d <= n."""
    return instances_of(True, activation="linear", training=8, **changes)


def test_a_kernel_of_d_a_ends_assumption_5_but_not_in_the_row_space():
    instances = linear_attack()
    assert instances.ranks.tolist() == [1] * 4
    path = descend(instances, replace(SHORT, steps=600))
    found = guarantee(instances, path)
    assert not found.applies.any()
    assert bool((found.mu < 1e-3).all())
    inside = found.row_space
    assert bool(inside.applies.all())
    never_worse(inside)
    torch.testing.assert_close(found.steps.mu, until_arrival(path, path.mu), equal_nan=True)
    torch.testing.assert_close(inside.steps.mu, until_arrival(path, path.mu_row), equal_nan=True)
    torch.testing.assert_close(found.rho, inside.rho)  # eigenvalues of matrices of other sizes
    stuck = float(words(found).split("length ")[1].split(" ")[0])
    rest = torch.linalg.vector_norm(path.c_a[-1, 0] - instances.c_star[0])
    assert stuck == pytest.approx(float(rest), rel=1e-2)
    assert words(found).endswith(inside.why[0])


def test_the_row_space_is_a_descent_of_its_own():
    """The iterates (z, V^T c_a) are those of gradient descent with D_a V for D_a."""
    instances = linear_attack()
    path = descend(instances, SHORT)
    _, _, right = torch.linalg.svd(instances.dictionary.atoms, full_matrices=False)
    basis = right[:, :1].mT
    atoms = instances.dictionary.atoms @ basis
    small = replace(
        instances,
        dictionary=replace(
            instances.dictionary, atoms=atoms, norms=torch.ones(4, 1).double(), classes=1
        ),
        c_star=(instances.c_star[:, None] @ basis)[:, 0],
        c_start=(instances.c_start[:, None] @ basis)[:, 0],
    )
    same = descend(small, SHORT, path.eta)
    torch.testing.assert_close(same.z, path.z)
    torch.testing.assert_close(same.c_a, (path.c_a[:, :, None] @ basis)[:, :, 0])
    wanted, inside = guarantee(small, same), guarantee(instances, path).row_space
    assert wanted.row_space is None
    for name in ("mu", "rho", "epsilon", "low", "high", "predicted", "observed"):
        torch.testing.assert_close(getattr(inside, name), getattr(wanted, name), equal_nan=True)
    assert bool(inside.applies.all())
    assert bool(wanted.applies.all())
    # Far from where the theorem stops to apply, so that rounding cannot change the answer.
    assert bool(((1.05 * wanted.low < wanted.eta) & (wanted.eta < 0.95 * wanted.high)).all())


def test_a_kernel_that_c_a_has_no_part_in_changes_nothing():
    instances = linear_attack()
    inside = (instances.row_projector @ instances.c_star[..., None])[..., 0]
    found = guarantee(instances, descend(replace(instances, c_star=inside), SHORT))
    assert bool((found.mu < found.row_space.mu).all())  # c* is not what the descent finds
    same = replace(instances, c_star=inside)
    found = guarantee(same, descend(same, SHORT))
    torch.testing.assert_close(found.mu, found.row_space.mu)
    assert bool(found.applies.all())
    assert bool(found.row_space.applies.all())


def test_where_the_ranks_exceed_n_mu_vanishes_even_in_the_row_space():
    instances = wide_instances(activation="linear", seed=1)
    many = wide_instances(activation="tanh", seed=1)
    assert instances.ranks.tolist() == [1] * 4
    assert many.ranks.tolist() == [12] * 4
    path = descend(many, replace(SHORT, steps=3000), every=100)
    found = guarantee(many, path)
    assert not found.row_space.applies.any()
    assert bool((path.mu_row[-1] < 0.05 * path.mu_row[0]).all())
    assert bool((path.distance[-1] > 0.02 * path.distance[0]).all())
    path = descend(instances, replace(SHORT, steps=3000), every=100)
    assert bool((path.mu_row.nan_to_num(torch.inf).amin(0) > 0.05 * path.mu_row[0]).all())

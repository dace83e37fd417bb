"""rho and epsilon: exact against autograd, through the SVD, by Lanczos, and over the segments."""

from dataclasses import replace

import hypothesis.strategies as st
import pytest
import torch
from hypothesis import given, settings

from red_core.synthetic import InstanceSettings, make_instances
from red_core.theory import SIDES, curvature, curvature_lanczos, segment_curvature
from red_core.theory.descent import DescentOptions, descend
from red_core.theory.moving import Moving
from red_core.theory.segments import mean_curvature

SMOOTH = ["softplus", "sigmoid", "tanh", "gelu", "silu"]
TIGHT = {"atol": 1e-9, "rtol": 1e-9}


def instances_of(attack=True, **changes):
    chosen = {"m": 12, "d": 3, "activation": "tanh", "training": 6, "examples": 2} | changes
    return make_instances(InstanceSettings(attack=attack, hidden=30, **chosen))


def points_of(instances, count=3):
    z = torch.randn(count, len(instances), instances.d, dtype=torch.float64)
    return z, torch.randn(count, len(instances), instances.k, dtype=torch.float64)


def by_autograd(instances, z, c_a, item):
    """The Hessian of f of one instance at one point, from its values alone."""
    one = instances.take(torch.tensor([item]))

    def value(w):
        return one.value(w[None, : one.d], w[None, one.d :]).sum()

    return torch.autograd.functional.hessian(value, torch.cat((z[item], c_a[item])))


@pytest.mark.parametrize("name", [*SMOOTH, "linear"])
@pytest.mark.parametrize("layers", [1, 3])
@pytest.mark.parametrize("attack", [False, True])
def test_the_ends_of_the_spectrum_are_those_of_autograds_hessian(name, layers, attack):
    instances = instances_of(attack, activation=name, layers=layers)
    z, c_a = points_of(instances)
    rho, epsilon = curvature(instances, z, c_a)
    assert rho.shape == epsilon.shape == (3, 2)
    for point in range(3):
        for item in range(2):
            hessian = by_autograd(instances, z[point], c_a[point], item)
            ends = torch.linalg.eigvalsh(hessian)
            torch.testing.assert_close(rho[point, item], ends[-1].clamp_min(0), **TIGHT)
            torch.testing.assert_close(epsilon[point, item], (-ends[0]).clamp_min(0), **TIGHT)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 10**6),
    name=st.sampled_from(SMOOTH),
    m=st.integers(4, 14),
    training=st.sampled_from([2, 8, 20, 40]),
)
def test_the_svd_of_a_wide_d_a_gives_the_dense_spectrum(seed, name, m, training):
    """Also where k > n: the d + rank eigenvalues, and zeros that change neither number."""
    instances = instances_of(m=m, training=training, activation=name, seed=seed)
    torch.manual_seed(seed)
    z, c_a = points_of(instances)
    rho, epsilon = curvature(instances, z, c_a)
    values = torch.linalg.eigvalsh(instances.hessian(z, c_a))
    torch.testing.assert_close(rho, values[..., -1].clamp_min(0), **TIGHT)
    torch.testing.assert_close(epsilon, (-values[..., 0]).clamp_min(0), **TIGHT)
    if training > m:
        assert float(values.abs().sort(-1).values[..., : training - m].max()) < 1e-9


@pytest.mark.parametrize(
    ("training", "layers", "attack"), [(6, 1, True), (40, 1, True), (6, 2, True), (6, 1, False)]
)
def test_lanczos_agrees(training, layers, attack):
    instances = instances_of(attack, training=training, layers=layers, activation="gelu")
    z, c_a = points_of(instances)
    wanted, found = curvature(instances, z, c_a), curvature_lanczos(instances, z, c_a)
    for exact, approximate in zip(wanted, found, strict=True):
        assert approximate.shape == (3, 2)
        torch.testing.assert_close(approximate, exact, atol=1e-6, rtol=0)
    single = curvature_lanczos(instances, z[0], c_a[0])
    torch.testing.assert_close(single[0], wanted[0][0], atol=1e-6, rtol=0)


def test_inversion_sees_the_block_of_z_alone():
    instances = instances_of()
    z, _ = points_of(instances)
    c_a = instances.c_star.expand(3, -1, -1)
    rho, epsilon = curvature(instances, z, c_a, inversion=True)
    values = torch.linalg.eigvalsh(instances.hessian(z, c_a)[..., :3, :3])
    torch.testing.assert_close(rho, values[..., -1].clamp_min(0), **TIGHT)
    torch.testing.assert_close(epsilon, (-values[..., 0]).clamp_min(0), **TIGHT)


def test_several_networks_are_told_apart():
    """Two networks of three instances each: weights [2, m, d], six instances."""
    settings = instances_of(examples=3).settings
    instances = make_instances(settings, 2)
    z, c_a = points_of(instances)
    values = torch.linalg.eigvalsh(instances.hessian(z, c_a))
    for rho, epsilon in (curvature(instances, z, c_a), curvature_lanczos(instances, z, c_a)):
        torch.testing.assert_close(rho, values[..., -1].clamp_min(0), atol=1e-6, rtol=0)
        torch.testing.assert_close(epsilon, (-values[..., 0]).clamp_min(0), atol=1e-6, rtol=0)


def test_rounding_is_no_negative_curvature():
    """The planted solution is a minimum, with a kernel: epsilon is 0, not 1e-16."""
    instances = instances_of(training=40)
    assert not curvature(instances, instances.z_star, instances.c_star)[1].any()


@pytest.mark.parametrize("attack", [False, True])
def test_the_sides_are_the_segments_of_the_proof(attack):
    """Brute force over a fine grid of every segment, named as A.1 names its points."""
    instances = instances_of(attack, activation="softplus", parameter=3.0)
    z, c_a = points_of(instances, 2)
    eta = torch.tensor([0.05, 0.2], dtype=torch.float64)
    found = segment_curvature(instances, z, c_a, eta, samples=9)
    assert found.largest.shape == found.smallest.shape == (4, 2, 2)
    grad_z, grad_c = instances.gradient(z, c_a)
    step = eta[:, None]
    here, star = (z, c_a), (instances.z_star.expand_as(z), instances.c_star.expand_as(c_a))
    after = (z - step * grad_z, c_a - step * grad_c)
    mirror = (star[0] + step * grad_z, star[1] + step * grad_c)
    segments = [(here, after), (after, star), (star, mirror), (mirror, here)]
    assert len(segments) == len(SIDES)
    for side, (start, end) in enumerate(segments):
        values = torch.stack(
            [
                torch.linalg.eigvalsh(
                    instances.hessian(
                        *(torch.lerp(a, b, t) for a, b in zip(start, end, strict=True))
                    )
                )
                for t in torch.linspace(0, 1, 9).double()
            ]
        )
        torch.testing.assert_close(found.largest[side], values[..., -1].amax(0), **TIGHT)
        torch.testing.assert_close(found.smallest[side], values[..., 0].amin(0), **TIGHT)
    assert torch.equal(found.rho, found.largest.amax(0))
    torch.testing.assert_close(found.epsilon, (-found.smallest.amin(0)).clamp_min(0), **TIGHT)


def test_lemma_9_needs_no_more_than_these_segments():
    """Its two halves, with the curvature of exactly the sides that each is said to use."""
    instances = instances_of(activation="softplus", parameter=4.0, examples=10)
    path = descend(instances, DescentOptions("alternating", steps=20))
    ends = segment_curvature(instances, path.z, path.c_a, path.eta, samples=33)
    grad_z, grad_c = instances.gradient(path.z, path.c_a)
    square = grad_z.square().sum(-1) + grad_c.square().sum(-1)
    away_z, away_c = path.z - instances.z_star, path.c_a - instances.c_star
    product = (grad_z * away_z).sum(-1) + (grad_c * away_c).sum(-1)
    step = path.eta[:, None]
    next_square = (away_z - step * grad_z).square().sum(-1)
    next_square = next_square + (away_c - step * grad_c).square().sum(-1)
    rho = ends.largest[[0, 2]].amax(0)
    epsilon = (-ends.smallest[[1, 3]].amin(0)).clamp_min(0)
    bound = 2 * path.eta * (1 - path.eta * rho / 2) * square - epsilon * next_square
    assert bool((product >= bound - 1e-12).all())
    assert float(epsilon.max()) > 0  # or the test would say nothing of the second half


def test_the_mean_curvature_of_a_side_is_the_integral_of_its_curvature():
    """2 int_0^1 (1 - t) h^T Hess f(a + t h) h dt / ||h||^2, on 4001 points."""
    instances = instances_of(activation="softplus", parameter=5.0, examples=1)
    moving = Moving.of(instances)
    start, end = torch.randn(2, 1, 1, moving.size).double()
    low, high = mean_curvature(moving, start, end, moving.gradient(start))
    assert bool(low <= high)
    torch.testing.assert_close(low, high)
    t = torch.linspace(0, 1, 4001).double()
    move = end - start
    along = moving.hessian(start + t[:, None, None] * move) @ move[..., None]
    bend = (along[..., 0] * move).sum(-1)[:, 0] / move.square().sum()
    integral = torch.trapezoid(2 * (1 - t) * bend, t)
    assert float(low) == pytest.approx(float(integral), rel=1e-6)


def test_the_mean_curvature_sees_what_the_samples_miss():
    """A bend of width 1 / beta in the middle of a step, with samples at its two ends only."""
    instances = instances_of(False, activation="softplus", parameter=100.0, d=1, m=2, examples=1)
    one = instances.network.weights[0] * 0 + 1
    instances = replace(
        instances,
        network=replace(instances.network, weights=(one,)),
        z_star=instances.z_star * 0 + 1,
        observed=torch.ones(1, 2).double(),
    )
    moving = Moving.of(instances)
    start, end = torch.tensor([[[-1.0]]]).double(), torch.tensor([[[0.9]]]).double()
    slope = moving.gradient(start)
    corners = [float(moving.hessian(point)) for point in (start, end)]
    assert corners == [pytest.approx(0, abs=1e-9), pytest.approx(4)]
    mean, _ = mean_curvature(moving, start, end, slope)
    assert float(mean) == pytest.approx(2 * (0.02 - 2) / 1.9**2)


def test_a_side_of_length_0_bounds_nothing():
    moving = Moving.of(instances_of())
    v = moving.star[None]
    low, high = mean_curvature(moving, v, v, torch.zeros_like(v))
    assert bool(torch.isneginf(low).all() & torch.isposinf(high).all())


def test_more_samples_can_only_widen_what_is_found():
    instances = instances_of(activation="softplus", parameter=20.0)
    z, c_a = points_of(instances)
    eta = torch.full((2,), 0.3).double()
    coarse, fine = (segment_curvature(instances, z, c_a, eta, count) for count in (3, 5))
    assert bool((fine.rho >= coarse.rho - 1e-12).all())
    assert bool((fine.epsilon >= coarse.epsilon - 1e-12).all())
    assert not torch.equal(fine.rho, coarse.rho)
    with pytest.raises(ValueError, match="at least its two corners"):
        segment_curvature(instances, z, c_a, eta, samples=1)


def test_an_instance_is_not_touched_by_its_neighbours():
    instances = instances_of(examples=3)
    z, c_a = points_of(instances)
    together = curvature(instances, z, c_a)
    item = torch.tensor([1])
    alone = curvature(instances.take(item), z[:, item], c_a[:, item])
    torch.testing.assert_close(alone[0], together[0][:, item])
    torch.testing.assert_close(alone[1], together[1][:, item])


def test_instances_whose_d_a_differ_in_rank_are_each_measured_by_their_own():
    one, two = (instances_of(activation=name, examples=1) for name in ("linear", "tanh"))
    assert (int(one.ranks[0]), int(two.ranks[0])) == (1, 6)
    both = replace(
        two.take(torch.tensor([0, 0])),
        dictionary=replace(
            two.dictionary,
            atoms=torch.cat((one.dictionary.atoms, two.dictionary.atoms)),
            norms=torch.cat((one.dictionary.norms, two.dictionary.norms)),
        ),
    )
    z, c_a = points_of(both)
    values = torch.linalg.eigvalsh(both.hessian(z, c_a))
    rho, epsilon = curvature(both, z, c_a)
    torch.testing.assert_close(rho, values[..., -1].clamp_min(0), **TIGHT)
    torch.testing.assert_close(epsilon, (-values[..., 0]).clamp_min(0), **TIGHT)

"""mu and the proximal-PL constant against their definitions, bounds and what they promise."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from red_core.algorithm.observe import Iterate
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import PRESETS
from red_core.algorithm.problem import AttackDictionary
from red_core.theory import (
    error_bound_mu,
    mu_along_path,
    mu_to_last,
    rank_sentence,
    row_space,
    signal_gradient_norm,
    summarise_mu,
)
from tests.red_core.stepping import Run

PLAIN = replace(PRESETS["paper"], start_steps=5, start_step="gradient", steps=25)


def path_of(instance, options: SolverOptions = PLAIN) -> list[Iterate]:
    starts = torch.randn(len(instance.problem), 2, instance.z_star.shape[1]).double()
    return list(Run(instance.problem, starts, options).path())


def test_mu_is_b1s_quotient(make_instance):
    instance = make_instance(items=2)
    iterates = path_of(instance)
    mu = mu_along_path(iterates, instance.z_star, instance.c_star)
    assert mu.shape == (31, 2)
    W, slope = instance.network.weights[0].numpy(), instance.network.slope
    D = instance.dictionary.atoms.numpy()
    for k in (0, 5, 6, 30):
        z, c_a = iterates[k].z[1].numpy(), iterates[k].c_a[1].numpy()
        before = W @ z
        image = np.where(before > 0, before, slope * before)
        r = image + D @ c_a - instance.problem.observed[1].numpy()
        grad_z = 2 * W.T @ (np.where(before > 0, 1.0, slope) * r)
        grad_c = 2 * D.T @ r
        distance = np.sum((z - instance.z_star[1].numpy()) ** 2) + np.sum(
            (c_a - instance.c_star[1].numpy()) ** 2
        )
        wanted = np.sqrt((np.sum(grad_z**2) + np.sum(grad_c**2)) / distance)
        assert float(mu[k, 1]) == pytest.approx(wanted, rel=1e-10)


def test_mu_of_a_linear_instance_lies_between_its_singular_values(make_instance):
    """G(z) = W z: grad f = 2 M^T M (w - w*) with M = [W D_a], so 2 s_min^2 <= mu <= 2 s_max^2."""
    instance = make_instance(slope=1.0)
    M = torch.cat((instance.network.weights[0], instance.dictionary.atoms), 1)
    singular = torch.linalg.svdvals(M)
    mu = mu_along_path(path_of(instance), instance.z_star, instance.c_star)
    assert bool((mu >= 2 * singular[-1] ** 2 * (1 - 1e-9)).all())
    assert bool((mu <= 2 * singular[0] ** 2 * (1 + 1e-9)).all())


def test_mu_of_one_leaky_layer_without_attack_is_bounded_below(make_instance):
    """mu >= 2 alpha^2 sigma_min(W)^2 wherever c_a = c_a* = 0: no spurious stationary point."""
    instance = make_instance(slope=0.3)
    silent = replace(instance.problem, observed=instance.network(instance.z_star))
    z = 5 * torch.randn(200, 4).double()
    many = replace(silent, observed=silent.observed[:1].expand(200, -1))
    it = Run(many, z[:, None], replace(PLAIN, start_steps=0)).observe()
    star = instance.z_star[:1].expand(200, -1)
    along_z = signal_gradient_norm(many, [it])[0]
    mu = error_bound_mu(along_z, it.z, it.c_a, star, torch.zeros_like(it.c_a))
    smallest = torch.linalg.svdvals(instance.network.weights[0])[-1]
    assert bool((mu >= 2 * 0.3**2 * smallest**2).all())


def test_mu_is_nan_at_the_solution_itself(make_instance):
    instance = make_instance(items=2)
    norm = torch.zeros(2, dtype=torch.float64)
    z = instance.z_star + torch.tensor([[0.0], [1.0]])
    mu = error_bound_mu(norm, z, instance.c_star, instance.z_star, instance.c_star)
    assert mu.isnan().tolist() == [True, False]
    iterates = path_of(instance)
    mu = mu_to_last(iterates)
    assert bool(mu[-1].isnan().all())
    assert not mu[:-1].isnan().any()
    torch.testing.assert_close(
        mu[3], mu_along_path(iterates[3:4], iterates[-1].z, iterates[-1].c_a)[0]
    )


@pytest.mark.parametrize(("pixels", "rank"), [(30, 18), (18, 18), (7, 7)])
def test_the_row_space_is_all_that_d_a_sees(make_dictionary, pixels, rank):
    dictionary = make_dictionary(pixels)
    basis = row_space(dictionary)
    assert basis.shape == (18, rank)
    torch.testing.assert_close(basis.T @ basis, torch.eye(rank).double(), atol=1e-7, rtol=0)
    c_a = torch.randn(5, 18).double()
    seen = c_a @ basis @ basis.T
    torch.testing.assert_close(dictionary.combine(seen), dictionary.combine(c_a))
    assert row_space(dictionary.to(dtype=torch.float32)).dtype == torch.float32


@pytest.mark.parametrize(("smallest", "rank"), [(1e-2, 7), (1e-5, 7), (1e-8, 6), (0.0, 6)])
def test_a_direction_that_is_hardly_there(smallest, rank):
    """Whichever way the basis is made, and about what counts as nothing both agree."""
    left, right = (torch.linalg.qr(torch.randn(side, 7).double()).Q for side in (7, 18))
    lengths = torch.linspace(1, 2, 7).double()
    lengths[3] = smallest
    atoms = left @ lengths.diag() @ right.T
    basis = row_space(AttackDictionary(atoms, 1, ("linf",), torch.ones(18).double()))
    assert basis.shape == (18, rank)
    torch.testing.assert_close(basis.T @ basis, torch.eye(rank).double(), atol=1e-5, rtol=0)
    seen = right if rank == 7 else right[:, lengths > 0.1]
    torch.testing.assert_close(basis @ basis.T, seen @ seen.T, atol=1e-5, rtol=0)


def test_repeated_atoms_lower_the_rank(make_dictionary):
    atoms = make_dictionary(30).atoms[:, [0, 1, 2, 0, 1, 2]]
    twice = AttackDictionary(atoms, 1, ("linf", "l2"), torch.ones(6).double())
    assert row_space(twice).shape == (6, 3)
    assert row_space(twice.to(dtype=torch.float32)).shape == (6, 3)


def test_moving_in_the_kernel_of_d_a_changes_mu_but_not_mu_in_the_row_space(make_instance):
    instance = make_instance(widths=(4, 10))
    basis = row_space(instance.dictionary)
    iterates = path_of(instance)
    kernel = torch.randn(3, 18).double()
    kernel = kernel - kernel @ basis @ basis.T
    for space, same in ((None, False), (basis, True)):
        here = mu_along_path(iterates, instance.z_star, instance.c_star, space)
        there = mu_along_path(iterates, instance.z_star, instance.c_star + 3 * kernel, space)
        assert torch.allclose(here, there, rtol=1e-6) is same
    without = mu_along_path(iterates, instance.z_star, instance.c_star)
    assert bool((here >= without).all())  # the distance can only be shorter in the row space


@pytest.mark.parametrize(
    ("rank", "columns", "latent", "pixels", "words"),
    [
        (784, 6000, 100, 784, "exceeds n by 100, .* manifold and mu falls to 0"),
        (500, 6000, 100, 784, "kernel of dimension 5500, .* row space of D_a"),
        (18, 18, 4, 30, "neither rank stands in the way"),
        (18, 18, 12, 30, "neither rank stands in the way"),
        (18, 18, 13, 30, "exceeds n by 1,"),
    ],
)
def test_the_ranks_in_words(rank, columns, latent, pixels, words):
    sentence = rank_sentence(rank, columns, latent, pixels)
    assert re.search(words, sentence)
    assert f"rank(D_a) = {rank} of {columns} columns, d = {latent}, n = {pixels}" in sentence


def test_where_the_ranks_exceed_n_there_are_solutions_far_away_with_mu_near_zero(make_instance):
    """What `rank_sentence` says, seen: a kernel vector of [W D_a] leads to another minimiser."""
    instance = make_instance(items=1, widths=(4, 10), slope=1.0)
    basis = row_space(instance.dictionary)
    M = torch.cat((instance.network.weights[0], instance.dictionary.atoms @ basis), 1)
    assert M.shape[1] == 10 + 4
    kernel = torch.linalg.svd(M)[2][-1]
    z = instance.z_star + kernel[:4]
    c_a = instance.c_star + kernel[4:] @ basis.T
    run = Run(instance.problem, z[:, None], replace(PLAIN, start_steps=0))
    fit = instance.dictionary.combine(c_a)[:, None]
    run.state = replace(run.state, c_a=c_a[:, None], fit_c=fit, gradient=None)
    mu = mu_along_path([run.observe()], instance.z_star, instance.c_star, basis)
    assert float(mu[0, 0]) < 1e-10


def test_the_summary_of_mu_over_paths():
    mu = torch.tensor([[1.0, 0.1], [2.0, 10.0], [3.0, torch.nan]], dtype=torch.float64)
    found = summarise_mu(mu, bins=4)
    assert found.mean.tolist() == pytest.approx([2.0, 5.05])
    assert found.least.tolist() == [1.0, 0.1]  # copies
    assert found.overall_mean == pytest.approx(3.525)
    assert found.overall_std == pytest.approx(1.525)
    assert found.overall_least == 0.1
    torch.testing.assert_close(found.edges, 10 ** torch.tensor([-1.0, -0.5, 0, 0.5, 1]).double())
    assert found.counts.tolist() == [1, 0, 3, 1]


def test_the_histogram_counts_every_value_once():
    mu = torch.rand(50, 7).double() + 1e-3
    found = summarise_mu(mu, bins=13)
    wanted = np.histogram(mu.numpy(), found.edges.numpy())[0]
    assert int(found.counts.sum()) == 350
    assert np.abs(found.counts.numpy() - wanted).sum() <= 2  # the ends, up to rounding


def test_a_summary_of_one_value_and_of_none():
    found = summarise_mu(torch.full((3, 2), 0.7).double())
    assert int(found.counts.sum()) == 6
    assert float(found.edges[0]) < 0.7 < float(found.edges[-1])
    half = summarise_mu(torch.tensor([[torch.nan, 2.0]]).double())
    assert half.mean.isnan().tolist() == [True, False]
    assert half.overall_mean == 2.0
    with pytest.raises(ValueError, match="no positive mu"):
        summarise_mu(torch.full((3, 2), torch.nan))

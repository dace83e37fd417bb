"""D_a and its blocks, and what a problem refuses."""

import pytest
import torch

from red_core.algorithm.problem import AttackDictionary, RedProblem, apply_each, pullback


def test_blocks_tile_the_columns_in_order(make_dictionary):
    dictionary = make_dictionary(block=4)
    columns = [
        range(dictionary.size)[dictionary.block(label, attack)]
        for label in range(dictionary.classes)
        for attack in range(len(dictionary.attacks))
    ]
    assert [c for block in columns for c in block] == list(range(dictionary.size))
    assert {len(block) for block in columns} == {dictionary.block_size} == {4}


def test_from_attacks_puts_every_perturbation_into_its_block():
    deltas = torch.randn(3, 2, 4, 10, dtype=torch.float64)
    dictionary = AttackDictionary.from_attacks(deltas, ("linf", "l2"))
    for label in range(3):
        for attack in range(2):
            columns = dictionary.block(label, attack)
            rebuilt = dictionary.atoms[:, columns] * dictionary.norms[columns]
            torch.testing.assert_close(rebuilt.T, deltas[label, attack])
    torch.testing.assert_close(dictionary.atoms.norm(dim=0), torch.ones(24, dtype=torch.float64))


def test_energies_are_the_norms_of_the_slices(make_dictionary):
    dictionary = make_dictionary()
    c_a = torch.randn(5, dictionary.size, dtype=torch.float64)
    energies = dictionary.energies(c_a)
    assert energies.shape == (5, 3, 2)
    for label in range(3):
        for attack in range(2):
            torch.testing.assert_close(
                energies[:, label, attack], c_a[:, dictionary.block(label, attack)].norm(dim=1)
            )


def test_contributions_are_block_products_and_sum_to_d_a_c_a(make_dictionary):
    dictionary = make_dictionary()
    c_a = torch.randn(5, dictionary.size, dtype=torch.float64)
    parts = dictionary.contributions(c_a)
    columns = dictionary.block(2, 1)
    torch.testing.assert_close(parts[:, 2, 1], c_a[:, columns] @ dictionary.atoms[:, columns].T)
    torch.testing.assert_close(parts.sum((1, 2)), dictionary.combine(c_a))


def test_correlate_is_the_adjoint_of_combine(make_dictionary):
    dictionary = make_dictionary()
    c_a = torch.randn(dictionary.size, dtype=torch.float64)
    rows = torch.randn(30, dtype=torch.float64)
    torch.testing.assert_close(dictionary.combine(c_a) @ rows, c_a @ dictionary.correlate(rows))


@pytest.mark.parametrize("pixels", [5, 18, 40])
def test_operator_norm_is_the_largest_singular_value(make_dictionary, pixels):
    dictionary = make_dictionary(pixels)
    largest = torch.linalg.svdvals(dictionary.atoms)[0]
    assert dictionary.operator_norm_squared == pytest.approx(float(largest) ** 2, rel=1e-12)


def test_another_precision_keeps_the_blocks_and_the_norm(make_dictionary):
    dictionary = make_dictionary()
    norm = dictionary.operator_norm_squared
    moved = dictionary.to(dtype=torch.float32)
    assert moved.atoms.dtype == moved.norms.dtype == torch.float32
    assert moved.operator_norm_squared == norm
    assert moved.block(1, 1) == dictionary.block(1, 1)


def test_atoms_that_do_not_divide_into_blocks_are_refused():
    with pytest.raises(ValueError, match="do not divide into 3 x 2 equal blocks"):
        AttackDictionary(torch.zeros(5, 7), 3, ("linf", "l2"), torch.ones(7))


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf")])
def test_a_problem_refuses_pixels_that_are_not_finite(make_instance, bad):
    problem = make_instance().problem
    observed = problem.observed.clone()
    observed[1, 3] = bad
    with pytest.raises(ValueError, match="NaN or infinite"):
        RedProblem(observed, problem.generator, problem.dictionary)


def test_a_problem_refuses_an_image_of_another_size(make_instance):
    problem = make_instance().problem
    with pytest.raises(ValueError, match=r"29 pixels an item, the dictionary 30 rows"):
        RedProblem(problem.observed[:, :29], problem.generator, problem.dictionary)


def test_take_and_the_two_shapes_of_an_image(make_instance):
    instance = make_instance()
    images = instance.problem.observed.view(3, 1, 5, 6)
    problem = RedProblem(images, instance.network, instance.dictionary)
    assert len(problem) == 3
    torch.testing.assert_close(problem.as_images(problem.flat), images)
    torch.testing.assert_close(problem.take(torch.tensor([2, 0])).observed, images[[2, 0]])


@pytest.mark.parametrize("widths", [(4, 30), (3, 8, 12), (3, 5, 7, 11)])
def test_pullback_is_algorithm_1s_product_of_layers(make_network, widths):
    """(W_1)^T R_1 (W_2)^T R_2 ... (W_L)^T R_L v: Algorithm 1's update, made conformable.

    The paper prints (W_i R_i)^T with R_i = diag(sigma'(W_i z)): neither product conforms beyond
    the first layer. R_i belongs to the pre-activation that layer i really sees, and stands left
    of W_i.
    """
    network = make_network(widths, slope=0.3)
    z = torch.randn(6, widths[0], dtype=torch.float64)
    rows = torch.randn(6, widths[-1], dtype=torch.float64)
    pulled = pullback(network, z, rows)
    for item in range(6):
        hidden, rectifiers = z[item], []
        for weight in network.weights:
            before = weight @ hidden
            rectifiers.append(torch.diag(torch.where(before > 0, 1.0, 0.3).double()))
            hidden = torch.where(before > 0, before, 0.3 * before)
        gradient = rows[item]
        for weight, rectifier in reversed(list(zip(network.weights, rectifiers, strict=True))):
            gradient = weight.T @ rectifier @ gradient
        torch.testing.assert_close(pulled[item], gradient)


def test_pullback_agrees_with_finite_differences(make_network):
    network = make_network((3, 8, 12))
    z = torch.randn(2, 3, dtype=torch.float64)
    rows = torch.randn(2, 12, dtype=torch.float64)
    pulled = pullback(network, z, rows)
    step = 1e-6
    for axis in range(3):
        shift = torch.zeros_like(z)
        shift[:, axis] = step
        slope = ((network(z + shift) - network(z - shift)) * rows).sum(1) / (2 * step)
        torch.testing.assert_close(pulled[:, axis], slope, rtol=1e-6, atol=1e-8)


def test_gradcheck_passes_and_the_pullback_is_linear(make_network):
    network = make_network((3, 8, 12))
    z = torch.randn(2, 3, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(network, (z,))
    rows = torch.ones(2, 12, dtype=torch.float64)
    torch.testing.assert_close(pullback(network, z, rows) * 2, pullback(network, z, 2 * rows))
    assert z.grad is None


def test_every_item_may_have_its_own_dictionary(make_dictionary):
    alone = [make_dictionary(pixels=12, seed=seed) for seed in range(3)]
    each = AttackDictionary(
        torch.stack([one.atoms for one in alone]),
        alone[0].classes,
        alone[0].attacks,
        torch.stack([one.norms for one in alone]),
    )
    assert (each.size, each.block_size) == (alone[0].size, alone[0].block_size)
    c_a = torch.randn(5, 2, 3, each.size, dtype=torch.float64)
    rows = torch.randn(5, 2, 3, 12, dtype=torch.float64)
    for item, one in enumerate(alone):
        assert torch.allclose(each.combine(c_a)[..., item, :], one.combine(c_a[..., item, :]))
        assert torch.allclose(each.correlate(rows)[..., item, :], one.correlate(rows[..., item, :]))
        assert torch.allclose(each.combine(c_a[0, 0])[item], one.combine(c_a[0, 0, item]))
    largest = max(one.operator_norm_squared for one in alone)
    assert each.operator_norm_squared == pytest.approx(largest)
    picked = each.take(torch.tensor([2, 0]))
    assert torch.equal(picked.atoms[0], alone[2].atoms)
    assert alone[0].take(torch.tensor([1])) is alone[0]


@pytest.mark.parametrize("groups", [1, 2, 3, 6])
def test_matrices_are_shared_by_consecutive_items(groups):
    matrices = torch.randn(groups, 4, 3, dtype=torch.float64)
    rows = torch.randn(2, 5, 6, 3, dtype=torch.float64)
    applied = apply_each(matrices, rows)
    assert applied.shape == (2, 5, 6, 4)
    for item in range(6):
        wanted = rows[:, :, item] @ matrices[item // (6 // groups)].T
        assert torch.allclose(applied[:, :, item], wanted)
    assert torch.allclose(apply_each(matrices[:1].expand(6, -1, -1), rows), rows @ matrices[0].T)

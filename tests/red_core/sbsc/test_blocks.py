"""D_s and D_a in principal axes: the same blocks, only turned."""

import pytest
import torch

from red_core.algorithm.problem import AttackDictionary
from red_core.sbsc import BlockDictionary


def test_the_axes_of_a_block_are_orthogonal_and_span_its_columns(make_union) -> None:
    union = make_union()
    for basis, spectrum, part in zip(
        union.blocks.bases, union.blocks.spectra, union.parts, strict=True
    ):
        columns = union.columns[:, part]
        torch.testing.assert_close(basis.T @ basis, torch.diag(spectrum))
        torch.testing.assert_close(basis @ basis.T, columns @ columns.T)


def test_correlations_are_those_of_the_columns(make_union) -> None:
    union = make_union()
    expected = [(union.target @ union.columns[:, part]).norm(dim=1) for part in union.parts]
    found = union.blocks.correlations(union.target)
    torch.testing.assert_close(found, torch.stack(expected, dim=1))


def test_only_active_blocks_are_correlated(make_union) -> None:
    union = make_union()
    active = torch.zeros(len(union.target), len(union.blocks), dtype=torch.bool)
    active[2, 3] = True
    found = union.blocks.correlations(union.target, active)
    assert found.nonzero().tolist() == [[2, 3]]


def test_contributions_and_residual_add_up(make_union) -> None:
    union = make_union()
    c = torch.randn(len(union.target), union.blocks.size, dtype=torch.float64)
    signal, attack = union.blocks.contributions(c)
    every = union.blocks.groups(torch.ones(len(c), len(union.blocks), dtype=torch.bool))
    left = union.blocks.residual(union.target, c, every)
    torch.testing.assert_close(signal.sum(1) + attack.sum((1, 2)) + left, union.target)
    assert attack.shape == (len(c), 4, 2, 80)


def test_active_blocks_are_pairs_of_active_classes_and_attacks(make_union) -> None:
    blocks = make_union().blocks
    classes = torch.tensor([[False, True, False, True]])
    attacks = torch.tensor([[True, False]])
    active = blocks.active(classes, attacks)[0]
    assert active.nonzero()[:, 0].tolist() == [1, 3, 4 + 2, 4 + 6]


def test_blocks_wider_than_the_image_keep_as_many_axes_as_it_has_pixels() -> None:
    torch.manual_seed(0)
    dictionary = AttackDictionary.from_attacks(torch.randn(2, 1, 9, 5), ("l2",))
    blocks = BlockDictionary.of(torch.rand(2, 7, 5), dictionary)
    assert [basis.shape for basis in blocks.bases] == [(5, 5)] * 4


def test_dictionaries_that_do_not_fit_are_refused() -> None:
    dictionary = AttackDictionary.from_attacks(torch.randn(2, 1, 3, 5), ("l2",))
    with pytest.raises(ValueError, match="D_s has 3 classes of 5 pixels, D_a 2 of 5"):
        BlockDictionary.of(torch.rand(3, 7, 5), dictionary)

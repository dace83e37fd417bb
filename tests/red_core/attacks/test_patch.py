"""The patch: one square of free pixels, chosen by the seed, and worse than where it began."""

import torch
from torch import nn

from red_core.attacks.patch import BORDER, SIDE, patch, places
from red_core.models.classifiers import Table3CNN

SEEDS = [7, 8, 9]


def network() -> nn.Module:
    torch.manual_seed(1)
    return Table3CNN().eval().requires_grad_(False)


def test_places_are_whole_squares_away_from_the_border() -> None:
    masks = places((28, 28), range(200))
    assert masks.sum((1, 2, 3)).tolist() == [SIDE**2] * 200
    covered = masks.amax(0)[0]
    assert covered[BORDER:-BORDER, BORDER:-BORDER].min() == 1, "every place is drawn by some seed"
    assert float(covered.sum()) == (28 - 2 * BORDER) ** 2
    for mask in masks:
        rows, columns = mask[0].nonzero().T
        assert int(rows.max() - rows.min()) == int(columns.max() - columns.min()) == SIDE - 1


def test_nothing_outside_the_square_is_touched() -> None:
    images, labels = torch.rand(3, 1, 28, 28), torch.tensor([1, 2, 3])
    attacked = patch(network(), images, labels, SEEDS, steps=3)
    outside = places((28, 28), SEEDS) == 0
    assert attacked[outside].equal(images[outside])
    assert not attacked.equal(images)
    low, high = attacked.aminmax()
    assert low >= 0
    assert high <= 1


def test_more_steps_never_help_the_classifier_and_neighbours_do_not_matter() -> None:
    images, labels = torch.rand(3, 1, 28, 28), torch.tensor([1, 2, 3])
    psi = network()
    losses = [
        nn.functional.cross_entropy(psi(patch(psi, images, labels, SEEDS, steps=steps)), labels)
        for steps in (0, 5, 20)
    ]
    assert losses[0] < losses[1] <= losses[2]
    together = patch(psi, images, labels, SEEDS, steps=5)
    alone = patch(psi, images[1:2], labels[1:2], SEEDS[1:2], steps=5)
    torch.testing.assert_close(alone, together[1:2])

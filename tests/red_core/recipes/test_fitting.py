"""The shared training loop: it learns, counts what is right, and goes on where it stopped."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from red_core.recipes import fitting
from red_core.recipes.common import RecipeContext

COUNT, EPOCHS = 300, 4  # three batches an epoch, the last one shorter


def data() -> tuple[Tensor, Tensor]:
    points = torch.randn(COUNT, 2, generator=torch.Generator().manual_seed(0))
    return points, (points.sum(1) > 0).long()


def fitted(tmp_path: Path, stop_at: int | None = None) -> tuple[nn.Module, float]:
    torch.manual_seed(3)
    network, (points, labels) = nn.Linear(2, 2), data()

    def answered(epoch: int) -> Iterator[tuple[Tensor, Tensor]]:
        if epoch == stop_at:
            raise KeyboardInterrupt
        for index in torch.arange(COUNT).split(fitting.BATCH):
            yield network(points[index]), labels[index]

    context = RecipeContext("mnist", work=tmp_path)
    share = fitting.fit(context, "toy", network, answered, epochs=EPOCHS, count=COUNT, peak=0.3)
    return network, share


def test_it_learns_and_says_how_much_was_right(tmp_path: Path) -> None:
    network, share = fitted(tmp_path)
    points, labels = data()
    right = float((network(points).argmax(1) == labels).float().mean())
    assert right > 0.93
    assert 0.9 < share < right


def test_a_stopped_training_goes_on_to_the_same_network(tmp_path: Path) -> None:
    whole, share = fitted(tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        fitted(tmp_path / "parts", stop_at=2)
    again, same = fitted(tmp_path / "parts")
    torch.testing.assert_close(list(again.parameters()), list(whole.parameters()))
    assert same == share


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    whole, share = fitted(tmp_path)
    again, same = fitted(tmp_path, stop_at=0)
    torch.testing.assert_close(list(again.parameters()), list(whole.parameters()))
    assert same == share

"""What the trainings on CIFAR-10 share: exact resumption, batches, augmentation, stored weights."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch

from red_core.recipes.cifar10.training import (
    Shuffled,
    chunks,
    flipped_and_shifted,
    halved,
    train,
)
from red_core.recipes.common import RecipeContext


class Walk:
    """A random walk: what it is after n steps hangs on every draw."""

    def __init__(self, stop: int | None = None) -> None:
        self.place, self.stop = torch.zeros(3), stop

    def step(self, number: int) -> Mapping[str, float]:
        if number == self.stop:
            raise KeyboardInterrupt
        self.place = 0.9 * self.place + torch.randn(3)
        return {"place": float(self.place[0])}

    def state_dict(self) -> dict[str, Any]:
        return {"place": self.place}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.place = state["place"]


def test_a_killed_run_ends_where_an_unbroken_one_does(tmp_path: Path) -> None:
    whole = Walk()
    train(RecipeContext("cifar10", work=tmp_path / "whole"), "walk", whole, 20)
    broken = RecipeContext("cifar10", work=tmp_path / "broken")
    with pytest.raises(KeyboardInterrupt):
        train(broken, "walk", Walk(stop=13), 20, every=0)
    resumed = Walk()
    resumed.place += 100  # what the checkpoint does not hold must not matter
    train(broken, "walk", resumed, 20)
    assert torch.equal(resumed.place, whole.place)


def test_a_finished_run_is_not_repeated(tmp_path: Path) -> None:
    context = RecipeContext("cifar10", work=tmp_path)
    hours = train(context, "walk", Walk(), 5)
    assert train(context, "walk", Walk(stop=0), 5) == pytest.approx(hours, abs=1e-3)


def test_another_seed_draws_otherwise(tmp_path: Path) -> None:
    places = []
    for seed in (0, 1):
        walk = Walk()
        train(RecipeContext("cifar10", work=tmp_path / str(seed), seed=seed), "walk", walk, 3)
        places.append(walk.place)
    assert not torch.equal(*places)


def test_every_epoch_sees_every_image_once() -> None:
    batches = Shuffled(12, 4, seed=3)
    epochs = [[int(i) for b in range(3) for i in batches(3 * e + b)] for e in range(2)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(12))
    assert epochs[0] != epochs[1]
    assert Shuffled(12, 4, seed=3)(4).equal(batches(4)), "whatever was asked before"


def test_more_than_there_are_make_one_batch() -> None:
    assert sorted(Shuffled(5, 100, 0)(7).tolist()) == list(range(5))


def test_images_are_moved_and_mirrored_but_not_changed() -> None:
    torch.manual_seed(0)
    image = torch.arange(3 * 8 * 8.0).view(3, 8, 8)
    many = flipped_and_shifted(image.expand(400, -1, -1, -1), margin=1)
    assert many.shape == (400, 3, 8, 8)
    padded = torch.nn.functional.pad(image[None], (1,) * 4, mode="reflect")[0]
    windows = [padded[:, r : r + 8, c : c + 8] for r in range(3) for c in range(3)]
    allowed = torch.stack([*windows, *(w.flip(2) for w in windows)])
    matches = (many[:, None] == allowed[None]).flatten(2).all(2)
    assert matches.any(1).all(), "each is one of the 18 places"
    assert matches.any(0).all(), "and each place comes up"


def test_kernels_are_stored_in_half_precision_and_vectors_are_not() -> None:
    network = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4))
    stored = halved(network.state_dict())
    kinds = {name: tensor.dtype for name, tensor in stored.items()}
    assert kinds.pop("0.weight") == torch.float16
    assert set(kinds.values()) == {torch.float32}


def test_chunks_cover_everything_once() -> None:
    assert [(c.start, c.stop) for c in chunks(7, 3)] == [(0, 3), (3, 6), (6, 7)]

"""Thumbnails travel as one picture of one row."""

from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from pages.ui.widgets.gallery import first_of, indices_of, photographs_note, sprite
from red_core.data.datasets import ImageSet
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.photographs import photographs_entry, with_photographs


@pytest.mark.parametrize("shape", [(1, 28, 28), (3, 32, 32)])
def test_a_sprite_holds_every_image_in_its_place(shape: tuple[int, int, int]) -> None:
    levels = torch.randint(256, (5, *shape), dtype=torch.uint8)
    data = base64.b64decode(sprite(levels.float() / 255).split(",")[1])
    shown = np.asarray(Image.open(io.BytesIO(data)))
    width = shape[2]
    image = levels[3].movedim(0, 2).numpy().squeeze()
    np.testing.assert_array_equal(shown[:, 3 * width : 4 * width], image)


def test_what_every_attack_fools_comes_first_in_one_order(toy_bundle: Bundle) -> None:
    examples = ImageSet(torch.zeros(5, 1, 2, 2), torch.tensor([0, 1, 0, 0, 0]), "")
    bundle = replace(toy_bundle, examples=examples)
    assert indices_of(bundle, 0) == [0, 2, 3, 4]
    fooled = torch.tensor([[1, 0, 0], [1, 1, 1], [0, 0, 0], [1, 1, 1], [1, 1, 0]]).bool()
    assert indices_of(replace(bundle, fooled=fooled), 0) == [3, 4, 0, 2]


@pytest.mark.parametrize("dataset", ["mnist", "fashion"])
def test_the_first_pictures_shown_are_fooled_by_every_attack(dataset: str) -> None:
    bundle = load_bundle(dataset)
    assert bundle.fooled is not None
    assert bundle.fooled.shape == (len(bundle.examples), 3)
    for label in range(10):
        first = bundle.fooled[indices_of(bundle, label)[:10]]
        assert bool((first.sum(0) >= 9).all()), (label, first.sum(0))


def test_a_class_begins_with_a_photograph_where_there_is_one(toy_bundle: Bundle) -> None:
    def of(*labels: int) -> Bundle:
        count = len(labels)
        examples = ImageSet(torch.zeros(count, 1, 2, 2), torch.tensor(labels), "")
        return replace(toy_bundle, examples=examples, fooled=None)

    bundles = {"photograph": of(3, 1, 3), "example": of(0, 1, 2)}
    assert first_of(bundles, 3) == ("photograph", 0)
    assert first_of(bundles, 1) == ("photograph", 1)
    assert first_of(bundles, 2) == ("example", 2)


def test_photographs_have_their_licence_beside_them() -> None:
    bundle = with_photographs(load_bundle("cifar10"))
    assert photographs_entry("cifar10")["licence"] in photographs_note(bundle)

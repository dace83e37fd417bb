"""An image behind a figure opens as the table had it: the same pixels, attack and draws."""

from __future__ import annotations

import pytest
import torch

from pages.ui.tables.opening import own_seed, preset_of, query_of
from pages.ui.undo.undo_request import from_query
from red_core.data.datasets import ImageSet
from red_core.run.settings import MAX_SEED, item_seed

IMAGES = ImageSet(
    torch.randint(256, (12, 1, 28, 28), generator=torch.Generator().manual_seed(0)).float() / 255,
    torch.arange(12) % 10,
    "toys",
)


@pytest.mark.parametrize(("seed", "index"), [(0, 0), (0, 7), (3, 9999), (MAX_SEED, 12)])
def test_an_image_of_its_own_draws_as_in_the_table(seed: int, index: int):
    other = own_seed(seed, index)
    assert 0 <= other <= MAX_SEED
    assert item_seed(other, 0) == item_seed(seed, index)


@pytest.mark.parametrize("attack", ["linf", "l1", "none"])
def test_a_bundled_example_opens_by_its_number(attack: str):
    query = query_of("mnist", "bundled", IMAGES, 11, attack, "bsd-gan-frozen", 4)
    request, warnings = from_query(query)
    assert warnings == []
    settings = request.settings
    assert (settings.source, settings.index, settings.seed) == ("example", 11, 4)
    assert (settings.attack, settings.preset) == (attack, "paper-frozen")
    assert not request.run


def test_an_official_image_travels_in_the_link():
    query = query_of("fashion", "official", IMAGES, 7, "l2", "cnn", 2)
    request, warnings = from_query(query)
    assert warnings == []
    assert request.settings.source == "own"
    assert request.settings.label == int(IMAGES.labels[7])
    assert (request.settings.dataset, request.settings.attack) == ("fashion", "l2")
    assert request.own is not None
    assert torch.equal(request.own, IMAGES.images[7])
    assert item_seed(request.settings.seed, request.settings.index) == item_seed(2, 7)


def test_a_link_is_never_empty():
    query = query_of("mnist", "bundled", IMAGES, 0, "linf", "bsd-gan-best", 0)
    assert query
    assert from_query(query)[0].settings.index == 0


def test_every_method_has_a_preset():
    assert preset_of("bsd-gan-paper") == "paper"
    assert preset_of("bsd-gan-best/rules") == "best"
    assert preset_of("cnn") == "best"

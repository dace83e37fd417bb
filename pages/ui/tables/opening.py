"""The way from an image behind a figure to the pages that run on it."""

from __future__ import annotations

from pages.ui.undo.undo_request import Request, as_query, canonical
from red_core.algorithm.presets import DEFAULT_PRESET
from red_core.data.datasets import ImageSet
from red_core.measure.tables.table_store import BUNDLED
from red_core.methods import METHODS
from red_core.run.settings import RunSettings, item_seed

_PRIME = 2**31 - 1
_FACTOR = item_seed(1, 0)  # item_seed(seed, index) = (_FACTOR seed + index) mod _PRIME


def preset_of(entry: str) -> str:
    """The main page's preset for a method: its own, or the default where it has none."""
    method = METHODS.get(entry.partition("/")[0])
    return (method.preset if method else None) or DEFAULT_PRESET


def own_seed(seed: int, index: int) -> int:
    """The seed with which an image of its own draws as image `index` of a table does."""
    return (seed + index * pow(_FACTOR, -1, _PRIME)) % _PRIME


def query_of(
    dataset: str, source: str, images: ImageSet, index: int, attack: str, entry: str, seed: int
) -> dict[str, str]:
    """The main page's query for image `index` under a table's attack.

    A bundled example is opened by its number. The gallery does not hold the official test set:
    such an image travels in the link, with its class and the seed of the same random starts.
    """
    if source == BUNDLED:
        settings = RunSettings(
            dataset=dataset, index=index, attack=attack, preset=preset_of(entry), seed=seed
        )
        request = Request(canonical(settings))
    else:
        settings = RunSettings(
            dataset=dataset,
            source="own",
            label=int(images.labels[index]),
            attack=attack,
            preset=preset_of(entry),
            seed=own_seed(seed, index),
        )
        request = Request(canonical(settings), images.images[index])
    # As the page itself writes it, so that one step back leads here again; but an empty query
    # would leave the page as it was.
    return as_query(request) or {"dataset": dataset}

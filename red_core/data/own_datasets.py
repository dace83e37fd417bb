"""Data sets that this process has opened beside the built-in ones: one for every project.

A project's parts, images and answers go under a key of its own, so that nothing that is kept by the
data set's key (models, settings, addresses, results) is ever another project's. Opening adds the
key to the tables of `datasets`; nothing opens a project by itself: the operator names its folder.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from red_core.data.datasets import CLASSES, DATASETS, NOUNS, SHAPES, TITLES, Noun

PICTURES = "pictures"  # the assets folder of a project on a folder of pictures
_BUILT_IN = (*DATASETS, PICTURES)
_OPENED: dict[str, OwnDataset] = {}
_LOCK = threading.RLock()


@dataclass(frozen=True)
class OwnDataset:
    """An opened data set.

    key: in the tables of `datasets`; title: what pages call it; origin: a line about where its
    parts are from; folder: the project's; within: its assets folder there; base: the built-in data
    set whose images it has, None for pictures of its own; classes, shape, noun: as in `datasets`;
    style: whether z is a point of W+; encoded: whether an encoder guesses z.
    """

    key: str
    title: str
    origin: str
    folder: Path
    within: str
    base: str | None
    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    noun: Noun
    style: bool
    encoded: bool

    @property
    def label(self) -> str:
        """The line that goes with every answer."""
        return f"{self.title}: {self.origin}"

    @property
    def assets(self) -> Path:
        """The folder of its files and their manifest."""
        return self.folder / self.within


def free_key(name: str, folder: Path) -> tuple[str, str]:
    """A key and a title for a project of a name: those it has already, or ones nobody else has."""
    with _LOCK:
        for own in _OPENED.values():
            if own.folder == folder and own.key not in _BUILT_IN:
                return own.key, own.title
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40] or "project"
        taken = {*_OPENED, *_BUILT_IN}
        titles = {*TITLES.values()}
        key, title, number = plain, name, 1
        while key in taken or title in titles:
            number += 1
            key, title = f"{plain}-{number}", f"{name} ({number})"
        return key, title


def add(own: OwnDataset) -> None:
    """Open a data set, or put it in the place of an earlier state of the same key."""
    with _LOCK:
        _OPENED[own.key] = own
        CLASSES[own.key], SHAPES[own.key] = own.classes, own.shape
        TITLES[own.key], NOUNS[own.key] = own.title, own.noun


def remove(keys: Iterable[str]) -> None:
    """Close opened data sets; others are left alone."""
    with _LOCK:
        for key in keys:
            if _OPENED.pop(key, None) is not None:
                for table in (CLASSES, SHAPES, TITLES, NOUNS):
                    del table[key]


def opened() -> tuple[OwnDataset, ...]:
    """Every opened data set, in the order of opening."""
    with _LOCK:
        return tuple(_OPENED.values())


def own_dataset(dataset: str) -> OwnDataset | None:
    """The opened data set of a key; None for a built-in one."""
    return _OPENED.get(dataset)


def base_of(dataset: str) -> str | None:
    """The built-in data set whose images a data set has: itself, a project's; None for pictures."""
    own = _OPENED.get(dataset)
    return dataset if own is None else own.base


def is_style(dataset: str) -> bool:
    """Whether z is a point of W+."""
    own = _OPENED.get(dataset)
    return dataset == "cifar10" if own is None else own.style


def dataset_words(dataset: str) -> list[str]:
    """How a command names a data set: --dataset, or --project where it was opened."""
    own = _OPENED.get(dataset)
    return ["--dataset", dataset] if own is None else ["--project", str(own.folder)]

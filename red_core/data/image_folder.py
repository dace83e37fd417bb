"""A folder of pictures by class as a data set: torchvision's ImageFolder, one sub-folder a class.

    FOLDER/cat/001.png   FOLDER/dog/a.jpg          split by name, see `SPLIT`
    FOLDER/train/cat/... FOLDER/test/cat/...       or as the folders say

Pictures are square, of one size from 8 x 8 to 64 x 64, grey or in colour; with a size asked for,
the middle square of each is cut out and scaled. Sizes are read from the headers and refused before
anything is decoded.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import prod
from pathlib import Path
from typing import Final

import numpy as np
import torch
from PIL import Image, ImageFile
from torch import Tensor

from red_core.data.background import IntakeError
from red_core.data.datasets import ImageSet
from red_core.data.intake import MAX_PIXELS, MIN_SIDE
from red_core.data.picture_intake import way_to
from red_core.data.picture_modes import prepare, stored, upright

MAX_SIDE: Final = 64
MAX_CLASSES: Final = 100
MAX_BYTES: Final = 4_000_000_000  # of all pictures in memory
LEAST: Final = 40  # pictures of a class
LEAST_HELD_OUT: Final = 4  # of these
SUFFIXES: Final = (".png", ".jpg", ".jpeg", ".webp", ".bmp")
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "BMP")
SPLIT: Final = (
    "of every ten pictures of a class, in the order of their names, the ninth is held out, the "
    "tenth is for tests and examples, and the other eight are attacked for the dictionary"
)
_FOLDERS: Final = (
    "the folder test is for tests and examples; of every ten pictures of a class in train the "
    "ninth is held out, and the others are attacked for the dictionary"
)


class FolderError(ValueError):
    """A folder that is no data set; the message is one sentence for the user."""


@dataclass(frozen=True)
class PictureSet:
    """A data set of somebody's own.

    classes: the sub-folders' names, sorted; shape: (channels, side, side); split: in words; parts:
    "train", "held_out" and "test".
    """

    classes: tuple[str, ...]
    shape: tuple[int, int, int]
    split: str
    parts: Mapping[str, ImageSet]


@lru_cache(maxsize=1)  # the recipe asks for one part after another
def read_folder(folder: Path, size: int | None = None) -> PictureSet:
    """Every picture of a folder, decoded; size: the side to scale to, None takes them as they are.

    Raises FolderError, one sentence that names the file or the class, for everything else.
    """
    if not folder.is_dir():
        raise FolderError(f"there is no folder {folder}")
    if size is not None and not MIN_SIDE <= size <= MAX_SIDE:
        raise FolderError(f"the size must lie between {MIN_SIDE} and {MAX_SIDE}, not {size}")
    files, split = _by_part(folder)
    classes = tuple(sorted({name for part in files.values() for name in part}))
    _check_classes(folder, classes, files)
    every = [file for part in files.values() for listed in part.values() for file in listed]
    shape = _common_shape(every, size)
    needed = 4 * len(every) * prod(shape)
    if needed > MAX_BYTES:
        raise FolderError(
            f"the {len(every):,} pictures of {folder} take {needed / 1e9:.1f} GB in memory, "
            f"and the most is {MAX_BYTES / 1e9:.0f}: take fewer, or a smaller --size"
        )
    parts = {}
    for part, listed in files.items():
        # The classes in turn, so that the first pictures of a part are of all classes.
        order = sorted(
            (place, label)
            for label, name in enumerate(classes)
            for place in range(len(listed[name]))
        )
        images = _decoded([listed[classes[label]][place] for place, label in order], shape)
        labels = torch.tensor([label for _, label in order])
        parts[part] = ImageSet(images, labels, f"{folder.name} ({part.replace('_', ' ')})")
    return PictureSet(classes, shape, split, parts)


def _by_part(folder: Path) -> tuple[dict[str, dict[str, list[Path]]], str]:
    """The files by part and class, and the split in words."""
    if (folder / "train").is_dir() and (folder / "test").is_dir():
        train, test = _listed(folder / "train"), _listed(folder / "test")
        if set(train) != set(test):
            odd = sorted(set(train) ^ set(test))[0]
            raise FolderError(f"the class {odd} of {folder} is not both in train and in test")
        kept = {n: [f for i, f in enumerate(files) if i % 10 != 8] for n, files in train.items()}
        held_out = {name: files[8::10] for name, files in train.items()}
        return {"train": kept, "held_out": held_out, "test": test}, _FOLDERS
    found = _listed(folder)
    picked = {
        "train": {n: [f for i, f in enumerate(files) if i % 10 < 8] for n, files in found.items()},
        "held_out": {name: files[8::10] for name, files in found.items()},
        "test": {name: files[9::10] for name, files in found.items()},
    }
    return picked, SPLIT


def _listed(folder: Path) -> dict[str, list[Path]]:
    """The pictures of each class, sorted; classes without one are an error."""
    found: dict[str, list[Path]] = {}
    for place in sorted(path for path in folder.iterdir() if path.is_dir()):
        if place.name.startswith("."):
            continue
        files = sorted(
            file
            for file in place.rglob("*")
            if file.suffix.lower() in SUFFIXES and file.is_file() and not file.name.startswith(".")
        )
        if not files:
            kinds = ", ".join(suffix[1:] for suffix in SUFFIXES)
            raise FolderError(f"the class {place.name} of {folder} has no picture ({kinds})")
        found[place.name] = files
    if not found:
        raise FolderError(f"{folder} has no sub-folders: one for every class is wanted")
    return found


def _check_classes(
    folder: Path, classes: tuple[str, ...], files: Mapping[str, Mapping[str, list[Path]]]
) -> None:
    if not 2 <= len(classes) <= MAX_CLASSES:
        raise FolderError(f"{folder} has {len(classes)} classes, and 2 to {MAX_CLASSES} are taken")
    for name in classes:
        if len(name) > 40 or not name.isprintable():
            raise FolderError(f"the class {name[:40]!r} needs a printable name of 40 characters")
        count = sum(len(part[name]) for part in files.values())
        if count < LEAST or len(files["held_out"][name]) < LEAST_HELD_OUT:
            raise FolderError(
                f"the class {name} has {count} pictures, and {LEAST} that are not for tests are "
                "needed"
            )


def _opened(file: Path) -> ImageFile.ImageFile:
    try:
        return Image.open(file, formats=_FORMATS)
    except Exception as error:  # decoders raise all sorts of errors on damaged files
        raise FolderError(f"{file} cannot be read as a picture") from error


def _common_shape(files: list[Path], size: int | None) -> tuple[int, int, int]:
    """The data set's shape by the headers; FolderError where the pictures have none in common."""
    first: tuple[Path, tuple[int, int]] | None = None
    colour = False
    for file in files:
        with _opened(file) as picture:
            width, height = picture.size
            colour = colour or picture.mode not in ("1", "L", "LA", "I", "I;16", "I;16B", "F")
        if width * height > MAX_PIXELS or min(width, height) < MIN_SIDE:
            raise FolderError(f"{file} is {width} x {height} pixels: it is too large or too small")
        if size is not None:
            continue
        if width != height or width > MAX_SIDE:
            raise FolderError(
                f"{file} is {width} x {height} pixels, and squares up to {MAX_SIDE} x {MAX_SIDE} "
                f"are taken as they are: --size N cuts out the middle and scales it to N x N"
            )
        if first is None:
            first = file, (width, height)
        elif first[1] != (width, height):
            raise FolderError(
                f"{file} is {width} x {height} pixels and {first[0]} is {first[1][0]} x "
                f"{first[1][1]}: --size N scales all to N x N"
            )
    side = size if first is None else first[1][0]
    assert side is not None
    return (3 if colour else 1, side, side)


def _decoded(files: list[Path], shape: tuple[int, int, int]) -> Tensor:
    """Pictures [N, C, S, S] in [0, 1], in steps of 1 / 255."""
    channels, side, _ = shape
    way, fit = way_to(shape)
    pixels = np.empty((len(files), side, side, channels), np.uint8)
    for place, file in enumerate(files):
        try:
            with _opened(file) as picture:
                if picture.size == (side, side) and picture.mode in ("1", "L", "RGB"):
                    field = stored(picture, channels == 3)
                else:
                    prepare(picture)
                    steps: list[str] = []
                    field = fit(upright(way(picture, steps), picture), file.name, steps)
        except FolderError:
            raise
        except IntakeError as error:
            raise FolderError(f"{file}: {error}") from error
        except Exception as error:
            raise FolderError(f"{file} is damaged or incomplete and cannot be decoded") from error
        pixels[place] = np.rint(field.reshape(side, side, channels) * 255)
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).float().contiguous() / 255

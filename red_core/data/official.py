"""The files of the official data sets, checked before they are used.

Each file is checked by its kind, count, range and MD5, so that a download that broke off, a web
page in an image's place or changed labels are named, with the file and what to do, and are never
taken for the data set. MNIST and Fashion-MNIST may lie there packed (.gz), as they are distributed.
CIFAR-10's files are pickles: they are opened only once their MD5 is torchvision's.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from red_core.compat import ensure_torchvision
from red_core.data.archive import DOWNLOADABLE, archive_of, faults_of

Bytes = NDArray[np.uint8]


class DataMissing(FileNotFoundError):
    """The official data set is not under the data root."""


class DataDamaged(OSError):
    """A file of an official data set is there and is not what it should be."""


@dataclass(frozen=True)
class IdxFile:
    """One IDX file: its name without .gz, its shape, and its published MD5 (unpacked)."""

    name: str
    shape: tuple[int, ...]
    md5: str


_CLASSES: Final = 10  # of both


def _files(
    train_images: str, train_labels: str, images: str, labels: str
) -> dict[str, list[IdxFile]]:
    return {
        "train": [
            IdxFile("train-images-idx3-ubyte", (60_000, 28, 28), train_images),
            IdxFile("train-labels-idx1-ubyte", (60_000,), train_labels),
        ],
        "test": [
            IdxFile("t10k-images-idx3-ubyte", (10_000, 28, 28), images),
            IdxFile("t10k-labels-idx1-ubyte", (10_000,), labels),
        ],
    }


# torchvision checks that these are there, and no more.
IDX: Final = {
    "mnist": _files(
        "6bbc9ace898e44ae57da46a324031adb",
        "a25bea736e30d166cdddb491f175f624",
        "2646ac647ad5339dbf082846283269ea",
        "27ae3e4e09519cfbb04c329615203637",
    ),
    "fashion": _files(
        "f4a8712d7a061bf5bd6d2ca38dc4d50a",
        "9018921c3c673c538a1fc5bad174d6f9",
        "8181f5470baa50b63fa0f6fddb340f0a",
        "15d484375f8d13e6eb1aabb0c3f46965",
    ),
}
_NAMES: Final = {"mnist": "MNIST", "fashion": "FashionMNIST", "cifar10": "CIFAR10"}


def read_official(dataset: str, root: Path, train: bool) -> tuple[Bytes, Bytes]:
    """One official split in bytes: pixels [N, H, W] (CIFAR-10: [N, H, W, 3]) and labels [N].

    root: a torchvision root. Raises DataMissing where the data set is not there, and DataDamaged
    where a file of it is missing or is not the official one.
    """
    return _cifar10(root, train) if dataset in DOWNLOADABLE else _idx(dataset, root, train)


def _idx(dataset: str, root: Path, train: bool) -> tuple[Bytes, Bytes]:
    name, folder = _NAMES[dataset], root / _NAMES[dataset] / "raw"
    wanted = [file for split in IDX[dataset].values() for file in split]
    there = {file.name for file in wanted if _place(folder, file) is not None}
    if not there:
        raise DataMissing(
            f"{name} is not under {root}: set RED_DATA to a torchvision root that holds it"
        )
    images, labels = IDX[dataset]["train" if train else "test"]
    pixels, classes = (_read(dataset, root, folder, file) for file in (images, labels))
    if int(classes.max()) >= _CLASSES:
        raise _damaged(dataset, root, folder / labels.name, f"it holds the label {classes.max()}")
    for file, values in ((images, pixels), (labels, classes)):
        header = b"\0\0\x08" + bytes([len(file.shape)])
        digest = hashlib.md5(header, usedforsecurity=False)
        digest.update(np.array(file.shape, ">u4").tobytes())
        digest.update(values.tobytes())
        if digest.hexdigest() != file.md5:
            raise _damaged(dataset, root, folder / file.name, "its MD5 is not the published one")
    return pixels, classes


def _place(folder: Path, file: IdxFile) -> Path | None:
    """The file, or else its packed form; None where neither is there."""
    for path in (folder / file.name, folder / f"{file.name}.gz"):
        try:
            if path.is_file():
                return path
        except OSError:  # a folder that may not be looked into
            continue
    return None


def _read(dataset: str, root: Path, folder: Path, file: IdxFile) -> Bytes:
    """The values of one file, by its header and length; no more is read than it should hold."""
    path = _place(folder, file)
    if path is None:
        raise _damaged(dataset, root, folder / file.name, "it is missing, and others are there")
    start = 4 * (1 + len(file.shape))
    size = start + prod(file.shape)
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as stream:
            content = stream.read(size + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise _damaged(dataset, root, path, "it cannot be unpacked") from error
    except OSError as error:
        raise _damaged(dataset, root, path, f"{error.strerror or error}") from error
    if content.lstrip()[:1] == b"<":
        raise _damaged(dataset, root, path, "it is a web page")
    if len(content) != size:
        held = f"more than {size:,}" if len(content) > size else f"{len(content):,}"
        raise _damaged(dataset, root, path, f"it holds {held} bytes, not {size:,}")
    magic, *lengths = np.frombuffer(content[:start], ">u4").tolist()
    if magic != 0x800 + len(file.shape) or tuple(lengths) != file.shape:
        raise _damaged(dataset, root, path, "its header is not that of the official file")
    return np.frombuffer(content, np.uint8, offset=start).reshape(file.shape).copy()


def _damaged(dataset: str, root: Path, path: Path, why: str) -> DataDamaged:
    name = _NAMES[dataset]
    command = f"from torchvision.datasets import {name}; {name}({str(root)!r}, download=True)"
    return DataDamaged(
        f"{path} is not the official file ({why}): remove it, and fetch it again with "
        f'`python -c "{command}"`, or let RED_DATA name another folder'
    )


def _cifar10(root: Path, train: bool) -> tuple[Bytes, Bytes]:
    archive, fetch = archive_of("cifar10"), "`python -m red_core download cifar10`"
    try:
        there = any((root / archive.folder / name).exists() for name, _ in archive.members)
        packed = (root / archive.file).is_file()
    except OSError:
        there = packed = False
    if not there:
        found = f"{archive.file} is there, but not unpacked: {fetch} does that"
        else_ = f"set RED_DATA to a torchvision root that holds it, or run {fetch}"
        raise DataMissing(f"CIFAR10 is not under {root}: {found if packed else else_}")
    faults = faults_of(archive, root)
    if faults:
        raise DataDamaged(
            f"{root / archive.folder / faults[0]} is missing or not the official file: {fetch} "
            "fetches the data set again, or let RED_DATA name another folder"
        )
    ensure_torchvision()
    from torchvision.datasets import CIFAR10

    official = CIFAR10(str(root), train=train, download=False)
    return np.asarray(official.data), np.asarray(official.targets, dtype=np.uint8)

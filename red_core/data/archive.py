"""The archive of a data set that may not be bundled, and whether its files are in the data root."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from red_core.compat import ensure_torchvision
from red_core.data.folders import data_root

DOWNLOADABLE = ("cifar10",)
_TITLES = {"cifar10": "CIFAR-10"}
MEGABYTES = {"cifar10": 170}  # of the archive, for people: the server tells the exact size


@dataclass(frozen=True)
class Archive:
    """Where a data set comes from, and what is in it.

    file, md5: of the archive; folder: the one it unpacks to; members: (name, MD5) of its files.
    """

    title: str
    url: str
    file: str
    md5: str
    folder: str
    members: tuple[tuple[str, str], ...]


def archive_of(dataset: str) -> Archive:
    """What torchvision knows of the archive; ValueError for a data set that is not fetched."""
    if dataset not in DOWNLOADABLE:
        raise ValueError(f"{dataset!r} cannot be downloaded: choose {', '.join(DOWNLOADABLE)}")
    ensure_torchvision()
    from torchvision.datasets import CIFAR10

    listed = [*CIFAR10.train_list, *CIFAR10.test_list]
    members = [(str(name), str(md5)) for name, md5 in listed]
    members.append((CIFAR10.meta["filename"], CIFAR10.meta["md5"]))
    return Archive(
        _TITLES[dataset],
        CIFAR10.url,
        CIFAR10.filename,
        CIFAR10.tgz_md5,
        CIFAR10.base_folder,
        tuple(members),
    )


def is_there(dataset: str) -> bool:
    """Whether the data root holds every file of the data set, by its MD5.

    Cheap enough for every redraw: files that have not changed since are not read again.
    """
    return is_sound(archive_of(dataset), data_root())


def is_sound(archive: Archive, root: Path) -> bool:
    """Whether `root` holds every file of the archive, by its MD5."""
    return not faults_of(archive, root)


def is_damaged(dataset: str) -> bool:
    """Whether the data root holds files of the data set, but not all of them, by their MD5."""
    archive, root = archive_of(dataset), data_root()
    faults = set(faults_of(archive, root))
    return bool(faults) and any(_marks(root / archive.folder / name) for name, _ in archive.members)


def faults_of(archive: Archive, root: Path) -> list[str]:
    """The files of the archive that `root` lacks, or holds with another MD5."""
    return [
        name
        for name, md5 in archive.members
        if not _is_right(root / archive.folder / name, md5, _marks(root / archive.folder / name))
    ]


_Marks = tuple[int, int, int] | None


def _marks(path: Path) -> _Marks:
    """What changes whenever a file does; None where it is not there, or not for us to read."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns, found.st_ino


@lru_cache(maxsize=64)
def _is_right(path: Path, md5: str, marks: _Marks) -> bool:
    """torchvision's own check of a file; `marks` change with it, and ask again."""
    from torchvision.datasets.utils import check_integrity

    try:
        return marks is not None and bool(check_integrity(str(path), md5))
    except OSError:  # not for us to read
        return False

"""CIFAR-10 fetched into the data root, from torchvision's own address and by its checksums.

What was half done never looks done: the archive grows in a `.part` file, which a later try goes
on from; its MD5 is checked before anything is unpacked; the files are unpacked and checked one by
one beside their place, and moved there in one step. One process works at a time, others wait.
"""

from __future__ import annotations

import gzip
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable
from pathlib import Path

from red_core.data.archive import Archive, archive_of, is_sound
from red_core.data.datasets import data_root
from red_core.data.file_lock import locked
from red_core.data.folders import check_home
from red_core.data.http_fetch import DownloadError as DownloadError
from red_core.data.http_fetch import Progress, fetch, md5_of, size_of

_TAR_ERRORS = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error)


def download(
    dataset: str,
    progress: Progress = lambda done, total: None,
    stop: Callable[[], bool] = lambda: False,
) -> bool:
    """Fetch a data set into `data_root()`; nothing happens where it is there already.

    progress: called while bytes arrive; stop: asked between two pieces. Returns True once the
    data set is in its place, False where `stop` said so first (what has arrived is kept for the
    next try). Raises DownloadError.
    """
    archive, root = archive_of(dataset), data_root()
    if is_sound(archive, root):
        return True
    part = root / f"{archive.file}.part"

    def waits() -> bool:
        progress(size_of(part), None)  # another process fills it
        return stop()

    try:
        check_home(root, "RED_DATA")
    except OSError as error:
        raise DownloadError(str(error)) from error
    try:
        root.mkdir(parents=True, exist_ok=True)
        with locked(root / f".{archive.file}.lock", waits) as mine:
            if not mine:
                return False
            if is_sound(archive, root):  # another process has made it while this one waited
                return True
            packed = root / archive.file  # somebody may have put it there
            if not packed.is_file() or md5_of(packed).hexdigest() != archive.md5:
                packed = part
                if not fetch(archive, part, progress, stop):
                    return False
            _unpack(archive, packed, root)
            part.unlink(missing_ok=True)
    except OSError as error:
        raise DownloadError(
            f"{archive.title} cannot be written to {root} ({error.strerror or error}): make room "
            "there, or let RED_DATA name another folder."
        ) from error
    return True


def _unpack(archive: Archive, packed: Path, root: Path) -> None:
    """Unpack beside the place, check every file, and move them in."""
    made = root / f".{archive.file}.unpacked"
    shutil.rmtree(made, ignore_errors=True)  # of a process that was killed
    try:
        with tarfile.open(packed) as tar:
            tar.extractall(made, filter="data")
        if not is_sound(archive, made):
            raise tarfile.TarError("other files than torchvision's")
        _move(made / archive.folder, root / archive.folder)
    except _TAR_ERRORS as error:
        packed.unlink()
        raise DownloadError(
            f"The archive of {archive.title} does not hold what torchvision expects, and was "
            "removed: try again."
        ) from error
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _move(made: Path, place: Path) -> None:
    """The folder to its place in one step."""
    if not place.is_dir():
        made.rename(place)
        return
    # Somebody's folder with files missing or damaged: torchvision refuses it until all are right.
    for file in sorted(made.iterdir()):
        os.replace(file, place / file.name)

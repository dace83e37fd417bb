"""CIFAR-10 fetched into the data root, from torchvision's own address and by its checksums.

What was half done never looks done: the archive grows in a `.part` file, which a later try goes
on from; its MD5 is checked before anything is unpacked; the files are unpacked and checked one by
one beside their place, and moved there in one step. One process works at a time, others wait.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
import socket
import ssl
import tarfile
import urllib.request
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError

from red_core.compat import ensure_torchvision
from red_core.data.datasets import TITLES, data_root
from red_core.data.lock import locked

DOWNLOADABLE = ("cifar10",)
MEGABYTES = {"cifar10": 170}  # of the archive, for people: the server tells the exact size
TIMEOUT = 20.0  # seconds of silence
_CHUNK = 1 << 16
_UNPACKED = 1.2  # bytes on disk for each of the archive's, generously
_TAR_ERRORS = (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error)

Progress = Callable[[int, int | None], None]  # bytes there, and of how many, if that is known


class DownloadError(RuntimeError):
    """The data set could not be fetched; the message says why in one sentence."""


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
        TITLES[dataset],
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
    return _sound(archive_of(dataset), data_root())


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
    if _sound(archive, root):
        return True
    part = root / f"{archive.file}.part"

    def waits() -> bool:
        progress(_size(part), None)  # another process fills it
        return stop()

    try:
        root.mkdir(parents=True, exist_ok=True)
        with locked(root / f".{archive.file}.lock", waits) as mine:
            if not mine:
                return False
            if _sound(archive, root):  # another process has made it while this one waited
                return True
            packed = root / archive.file  # somebody may have put it there
            if not packed.is_file() or _md5(packed).hexdigest() != archive.md5:
                packed = part
                if not _fetch(archive, part, progress, stop):
                    return False
            _unpack(archive, packed, root)
            part.unlink(missing_ok=True)
    except OSError as error:
        raise DownloadError(
            f"{archive.title} cannot be written to {root} ({error.strerror or error}): make room "
            "there, or let RED_DATA name another folder."
        ) from error
    return True


# --- from the network ------------------------------------------------------------------------


def _fetch(archive: Archive, part: Path, progress: Progress, stop: Callable[[], bool]) -> bool:
    """Fill `part` to the whole archive; False where `stop` said so first."""
    done = _size(part)
    digest = _md5(part) if done else hashlib.md5(usedforsecurity=False)
    if digest.hexdigest() == archive.md5:
        return True
    answer = _asked(archive, done)
    if done and not _goes_on(answer, done):
        done, digest = 0, hashlib.md5(usedforsecurity=False)
        if answer.status == 206:  # of some other part
            answer.close()
            answer = _asked(archive, 0)
    total = None if answer.length is None else done + answer.length
    with answer:
        _check_room(archive, part.parent, done, total)
        with part.open("ab" if done else "wb") as out:
            while True:
                progress(done, total)
                if stop():
                    return False
                chunk = _read(archive, answer, done)
                if not chunk:
                    break
                out.write(chunk)
                digest.update(chunk)
                done += len(chunk)
    if total is not None and done < total:
        raise _unreachable(archive, "the connection broke off", done)
    if digest.hexdigest() != archive.md5:
        part.unlink()
        raise DownloadError(
            f"What arrived is not {archive.title} (its MD5 is not torchvision's) and was removed: "
            "try again."
        )
    return True


def _asked(archive: Archive, start: int) -> HTTPResponse:
    """The server's answer, from byte `start` on if the server knows how."""
    headers = {"User-Agent": "red_core", "Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        answer = urllib.request.urlopen(
            urllib.request.Request(archive.url, headers=headers), timeout=TIMEOUT
        )
    except HTTPError as error:
        error.close()
        if start and error.code == 416:  # the part is as long as the archive or longer
            return _asked(archive, 0)
        raise _unreachable(
            archive, f"the server answered {error.code} {error.reason}".rstrip(), start
        ) from error
    except (OSError, HTTPException) as error:
        raise _unreachable(archive, _why(error), start) from error
    assert isinstance(answer, HTTPResponse)
    return answer


def _goes_on(answer: HTTPResponse, start: int) -> bool:
    """Whether the answer begins with byte `start` of the archive."""
    told = answer.headers.get("Content-Range", "")
    return answer.status == 206 and told.replace("=", " ").startswith(f"bytes {start}-")


def _read(archive: Archive, answer: HTTPResponse, done: int) -> bytes:
    """What has arrived, at least one byte of it; b"" at the end."""
    try:
        return answer.read1(_CHUNK)
    except (OSError, HTTPException) as error:
        raise _unreachable(archive, _why(error), done) from error


def _why(error: Exception) -> str:
    """A network's error in words."""
    cause = error.reason if isinstance(error, URLError) else error
    if isinstance(cause, TimeoutError):
        return f"the server was silent for {TIMEOUT:.0f} seconds"
    if isinstance(cause, socket.gaierror):
        return "the server's name cannot be resolved, as without a network"
    if isinstance(cause, ssl.SSLCertVerificationError):
        return "the server's certificate cannot be trusted"
    if isinstance(cause, ConnectionRefusedError):
        return "the connection was refused"
    if isinstance(cause, (ConnectionError, HTTPException, ssl.SSLEOFError)):
        return "the connection broke off"
    return getattr(cause, "strerror", None) or str(cause) or type(cause).__name__


def _unreachable(archive: Archive, why: str, done: int) -> DownloadError:
    kept = "; what has arrived is kept, and another try goes on from there" if done else ""
    return DownloadError(f"{archive.title} could not be fetched: {why}{kept}.")


# --- on the disk -----------------------------------------------------------------------------


def _check_room(archive: Archive, root: Path, done: int, total: int | None) -> None:
    """Refuse before the bytes come rather than after."""
    if total is None:
        return
    needed, free = total - done + _UNPACKED * total, shutil.disk_usage(root).free
    if free < needed:
        raise DownloadError(
            f"{archive.title} needs {needed / 1e6:.0f} MB and {root} has {free / 1e6:.0f} MB free: "
            "make room there, or let RED_DATA name another folder."
        )


def _unpack(archive: Archive, packed: Path, root: Path) -> None:
    """Unpack beside the place, check every file, and move them in."""
    made = root / f".{archive.file}.unpacked"
    shutil.rmtree(made, ignore_errors=True)  # of a process that was killed
    try:
        with tarfile.open(packed) as tar:
            tar.extractall(made, filter="data")
        if not _sound(archive, made):
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


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _md5(path: Path) -> hashlib._Hash:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))


def _sound(archive: Archive, root: Path) -> bool:
    """Whether `root` holds every file of the archive, by its MD5."""
    marks = []
    for name, _ in archive.members:
        try:
            found = (root / archive.folder / name).stat()
        except OSError:
            return False
        marks.append((found.st_size, found.st_mtime_ns, found.st_ino))
    return _checked(archive, root, tuple(marks))


@lru_cache(maxsize=8)
def _checked(archive: Archive, root: Path, marks: tuple[tuple[int, int, int], ...]) -> bool:
    """torchvision's own check of every file; `marks` change with the files, and ask again."""
    from torchvision.datasets.utils import check_integrity

    return all(
        check_integrity(str(root / archive.folder / name), md5) for name, md5 in archive.members
    )

"""One file fetched over HTTP: resumed where it broke off, and checked by its MD5."""

from __future__ import annotations

import hashlib
import shutil
import socket
import ssl
import urllib.request
from collections.abc import Callable
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError

from red_core.data.archive import Archive

TIMEOUT = 20.0  # seconds of silence
_CHUNK = 1 << 16
_UNPACKED = 1.2  # bytes on disk for each of the archive's, generously

Progress = Callable[[int, int | None], None]  # bytes there, and of how many, if that is known


class DownloadError(RuntimeError):
    """The data set could not be fetched; the message says why in one sentence."""


def fetch(archive: Archive, part: Path, progress: Progress, stop: Callable[[], bool]) -> bool:
    """Fill `part` to the whole archive; False where `stop` said so first.

    progress, stop: as `download` has them. Raises DownloadError, and OSError of the disk.
    """
    done = size_of(part)
    digest = md5_of(part) if done else hashlib.md5(usedforsecurity=False)
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
    content_range = answer.headers.get("Content-Range", "")
    return answer.status == 206 and content_range.replace("=", " ").startswith(f"bytes {start}-")


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


def size_of(path: Path) -> int:
    """Bytes of a file, 0 where there is none."""
    return path.stat().st_size if path.exists() else 0


def md5_of(path: Path) -> hashlib._Hash:
    """The MD5 of a file, to be updated with what follows it."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False))

"""Whatever happens on the way, the data set is either whole and in its place or not there."""

from __future__ import annotations

import errno
import os
import shutil
import socket
import threading
import urllib.request
from pathlib import Path
from typing import Any
from urllib.error import URLError

import pytest

from red_core.data import download as module
from red_core.data import http_fetch
from red_core.data.archive import archive_of, is_there
from red_core.data.download import DownloadError, download
from red_core.data.file_lock import locked
from tests.red_core.data.conftest import Server
from tests.red_core.data.toy_archive import ARCHIVE, CONTENT, FOLDER, md5, packed

HALF = len(ARCHIVE) // 2


@pytest.fixture
def root(server: Server, tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def part(root: Path) -> Path:
    root.mkdir()
    return root / "cifar-10-python.tar.gz.part"


def check(root: Path) -> None:
    """All of the data set is there, and nothing else but the lock."""
    assert is_there("cifar10")
    assert {file.name: file.read_bytes() for file in (root / FOLDER).iterdir()} == CONTENT
    assert {entry.name for entry in root.iterdir()} == {FOLDER, ".cifar-10-python.tar.gz.lock"}


def refusal(**options: Any) -> str:
    with pytest.raises(DownloadError) as caught:
        download("cifar10", **options)
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    assert not is_there("cifar10")
    return message


def test_it_comes_whole_and_says_how_far_it_is(server: Server, root: Path) -> None:
    seen: list[tuple[int, int | None]] = []
    assert not is_there("cifar10")
    assert download("cifar10", lambda done, total: seen.append((done, total)))
    check(root)
    assert server.asked == [None]
    assert seen[0] == (0, len(ARCHIVE))
    assert seen[-1] == (len(ARCHIVE), len(ARCHIVE))
    assert seen == sorted(seen)
    assert os.access(root / FOLDER, os.R_OK | os.X_OK)
    assert (root / FOLDER).stat().st_mode & 0o055 == 0o055


def test_what_is_there_is_not_fetched_again(server: Server, root: Path) -> None:
    download("cifar10")
    assert download("cifar10", lambda *_: pytest.fail("fetched"))
    assert len(server.asked) == 1


def test_a_cut_connection_is_taken_up_where_it_broke(
    server: Server, root: Path, part: Path
) -> None:
    server.cut_after = HALF
    assert "broke off; what has arrived is kept" in refusal()
    assert part.read_bytes() == ARCHIVE[:HALF]
    server.cut_after = None
    seen: list[tuple[int, int | None]] = []
    assert download("cifar10", lambda done, total: seen.append((done, total)))
    check(root)
    assert server.asked == [None, f"bytes={HALF}-"]
    assert seen[0] == (HALF, len(ARCHIVE))


def test_a_server_without_ranges_sends_all_of_it_again(
    server: Server, root: Path, part: Path
) -> None:
    server.ranges = False
    part.write_bytes(b"x" * HALF)
    assert download("cifar10")
    check(root)
    assert server.asked == [f"bytes={HALF}-"]


def test_a_server_that_tells_no_length(server: Server, root: Path) -> None:
    server.told_length = False
    seen: list[tuple[int, int | None]] = []
    assert download("cifar10", lambda done, total: seen.append((done, total)))
    check(root)
    assert seen[-1] == (len(ARCHIVE), None)


@pytest.mark.parametrize("length", [len(ARCHIVE), 2 * len(ARCHIVE)])
def test_a_part_that_is_too_long_is_begun_again(
    server: Server, root: Path, part: Path, length: int
) -> None:
    part.write_bytes(b"x" * length)
    assert download("cifar10")
    check(root)
    assert server.asked == [f"bytes={length}-", None]


def test_a_part_that_is_whole_asks_for_nothing(server: Server, root: Path, part: Path) -> None:
    part.write_bytes(ARCHIVE)
    assert download("cifar10")
    check(root)
    assert not server.asked


def test_an_archive_that_somebody_put_there_is_used_and_kept(
    server: Server, root: Path, part: Path
) -> None:
    own = part.with_suffix("")
    own.write_bytes(ARCHIVE)
    assert download("cifar10")
    assert is_there("cifar10")
    assert own.read_bytes() == ARCHIVE
    assert not server.asked


@pytest.mark.parametrize("begun", [0, HALF])
def test_other_bytes_are_removed_before_they_are_unpacked(
    server: Server, root: Path, part: Path, begun: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_unpack", lambda *_: pytest.fail("unpacked"))
    server.archive = bytes(len(ARCHIVE))
    part.write_bytes(ARCHIVE[:begun])
    assert "its MD5 is not torchvision's" in refusal()
    assert not part.exists()
    assert not (root / FOLDER).exists()


@pytest.mark.parametrize(
    "archive",
    [
        packed({f"{FOLDER}/test_batch": b"other"}),
        packed({"../outside": b"x"}),
        packed({"/outside": b"x", **{f"{FOLDER}/{n}": b"" for n in CONTENT}}),
        ARCHIVE[:HALF],
        b"no archive",
    ],
    ids=["other files", "a path outside", "an absolute path", "cut", "no archive"],
)
def test_an_archive_of_something_else_is_refused(
    server: Server, root: Path, part: Path, archive: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torchvision.datasets import CIFAR10

    monkeypatch.setattr(CIFAR10, "tgz_md5", md5(archive))
    server.archive = archive
    assert "does not hold what torchvision expects" in refusal()
    assert [entry.name for entry in root.iterdir()] == [".cifar-10-python.tar.gz.lock"]
    assert not (root.parent / "outside").exists()


def test_it_stops_when_asked_and_keeps_what_has_arrived(
    server: Server, root: Path, part: Path
) -> None:
    answers = iter([False, True])
    assert not download("cifar10", stop=lambda: next(answers))
    assert 0 < part.stat().st_size < len(ARCHIVE)
    assert not is_there("cifar10")
    assert download("cifar10")
    check(root)


def test_a_refused_connection(server: Server, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from torchvision.datasets import CIFAR10

    monkeypatch.setattr(CIFAR10, "url", "http://127.0.0.1:9/a.tar.gz")
    assert refusal() == "CIFAR-10 could not be fetched: the connection was refused."


def test_a_name_that_cannot_be_resolved(
    server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise URLError(socket.gaierror(-2, "Name or service not known"))

    monkeypatch.setattr(urllib.request, "urlopen", unknown)
    assert "the server's name cannot be resolved, as without a network" in refusal()


@pytest.mark.parametrize(
    ("status", "words"), [(404, "404 Not Found"), (503, "503 Service Unavailable")]
)
def test_an_http_error(server: Server, root: Path, status: int, words: str) -> None:
    server.status = status
    assert refusal() == f"CIFAR-10 could not be fetched: the server answered {words}."


def test_a_silent_server(server: Server, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_fetch, "TIMEOUT", 0.2)
    server.silent = 1.0
    assert "the server was silent" in refusal()


def test_a_root_that_is_no_folder(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RED_DATA", str(tmp_path / "file" / "data"))
    assert "cannot be written to" in refusal()
    assert not server.asked


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_without_permission(server: Server, root: Path, part: Path) -> None:
    root.chmod(0o500)
    assert "Permission denied" in refusal()
    root.chmod(0o700)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EROFS])
@pytest.mark.parametrize("at", ["fetching", "unpacking"])
def test_a_disk_that_takes_nothing(
    server: Server, root: Path, part: Path, number: int, at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        if at == "fetching":
            patch.setattr(Path, "open", refuse)
        else:
            patch.setattr(module.tarfile.TarFile, "extractall", refuse)
        message = refusal()
    assert os.strerror(number) in message
    assert "RED_DATA" in message
    assert download("cifar10")
    check(root)


def test_a_disk_that_is_nearly_full_is_seen_before_the_bytes_come(
    server: Server, root: Path, part: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = shutil.disk_usage(root)._replace(free=100)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: free)
    assert "MB free: make room there" in refusal()
    assert not part.exists()


def test_a_damaged_folder_is_made_whole(server: Server, root: Path) -> None:
    download("cifar10")
    (root / FOLDER / "test_batch").write_bytes(b"damaged")
    (root / FOLDER / "data_batch_1").unlink()
    (root / FOLDER / "notes.txt").write_text("mine")
    assert not is_there("cifar10")
    assert download("cifar10")
    assert is_there("cifar10")
    assert (root / FOLDER / "notes.txt").read_text() == "mine"


def test_the_remains_of_a_killed_process_do_not_matter(
    server: Server, root: Path, part: Path
) -> None:
    remains = root / ".cifar-10-python.tar.gz.unpacked" / FOLDER
    remains.mkdir(parents=True)
    (remains / "test_batch").write_bytes(b"half of")
    assert download("cifar10")
    check(root)


def test_of_several_at_once_one_fetches_and_all_get_it(server: Server, root: Path) -> None:
    server.silent = 0.3
    results: list[bool] = []

    def fetch() -> None:
        results.append(download("cifar10"))

    threads = [threading.Thread(target=fetch) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == [True] * 3
    assert server.asked == [None]
    check(root)


def test_who_waits_for_another_process_can_stop(server: Server, root: Path, part: Path) -> None:
    part.write_bytes(bytes(5))
    seen: list[tuple[int, int | None]] = []
    with locked(root / ".cifar-10-python.tar.gz.lock") as mine:
        assert mine
        assert not download("cifar10", lambda *told: seen.append(told), lambda: len(seen) > 1)
    assert seen == [(5, None), (5, None)]
    assert not server.asked


def test_torchvision_names_the_address_and_the_checksums() -> None:
    archive = archive_of("cifar10")
    assert archive.url.startswith("https://")
    assert archive.url.endswith(archive.file)
    assert len(archive.members) == 7
    with pytest.raises(ValueError, match="choose cifar10"):
        archive_of("mnist")

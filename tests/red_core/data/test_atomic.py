"""Files replaced in one step: after a kill, an error, or two writers at once."""

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from red_core.data.atomic import replacing, write_atomically
from red_core.recipes.common import load_checkpoint, save_checkpoint

ROOT = Path(__file__).resolve().parents[3]
KILLED = """
import os, signal, sys
from pathlib import Path
from red_core.data.atomic import write_atomically
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)  # the new bytes are on the disk
write_atomically(Path(sys.argv[1]), b"new")
"""
WRITER = """
import sys
from pathlib import Path
from red_core.data.atomic import write_atomically
for _ in range(60):
    write_atomically(Path(sys.argv[1]), sys.argv[2].encode() * 100_000)
"""


def test_the_folder_is_made_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_atomically(path, b"one")
    write_atomically(path, b"two")
    assert path.read_bytes() == b"two"
    assert list(path.parent.iterdir()) == [path]


def test_a_kill_before_the_rename_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED, str(path)], cwd=ROOT, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert path.read_bytes() == b"old"
    write_atomically(path, b"newer")  # what the killed process left is in nobody's way
    assert path.read_bytes() == b"newer"


def test_an_error_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def half() -> None:
        with replacing(path) as part:
            part.write_bytes(b"ne")
            raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"):
        half()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_two_processes_do_not_collide(tmp_path: Path) -> None:
    path = tmp_path / "file"
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [subprocess.Popen([*command, letter], cwd=ROOT) for letter in "ab"]
    seen = set()
    while any(writer.poll() is None for writer in writers):
        if path.exists():
            content = path.read_bytes()
            assert len(content) == 100_000
            seen |= set(content)
    assert [writer.returncode for writer in writers] == [0, 0]
    assert seen <= set(b"ab")
    assert len(set(path.read_bytes())) == 1
    assert list(tmp_path.iterdir()) == [path]


def test_two_threads_do_not_collide(tmp_path: Path) -> None:
    path = tmp_path / "file"

    def write(letter: bytes) -> None:
        for _ in range(50):
            write_atomically(path, letter * 10_000)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (b"a", b"b")))
    assert len(set(path.read_bytes())) == 1


def test_a_checkpoint_that_cannot_be_written_leaves_the_last(tmp_path: Path) -> None:
    path = tmp_path / "part.pt"
    save_checkpoint(path, epoch=1, weight=torch.ones(2))
    with pytest.raises((AttributeError, TypeError, RuntimeError)):
        save_checkpoint(path, epoch=2, bad=lambda: None)
    kept = load_checkpoint(path)
    assert kept is not None
    assert kept["epoch"] == 1
    assert list(tmp_path.iterdir()) == [path]

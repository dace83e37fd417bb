"""Results first, words after: nothing that is printed, and no terminal, loses a result."""

import errno
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from red_core.cli import main
from red_core.cli.common import UsageError, finish, write_file
from red_core.cli.terminal import Guarded, guarded

ROOT = Path(__file__).resolve().parents[3]
QUICK = "--set restarts=1 --set start_steps=1 --set steps=2"
RUN = f"run --attack none {QUICK}"
# Every command that writes a file, as short as it can be.
WRITING = {
    "run": RUN,
    "run of a file": f"run --attack none --image {{image}} {QUICK}",
    "undo": f"undo {{image}} {QUICK}",
    "evaluate": f"evaluate --attack none --examples 2 {QUICK} --work {{work}}",
    "unknown": "unknown --examples 1 --attacks fgsm --work {work}",
    "theory": "theory examples --seeds 1 --steps 3",
    "doctor": "doctor",
}


class Broken(io.StringIO):
    """A stream that fails as the system's do."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def write(self, text: str) -> int:
        raise self.error

    def flush(self) -> None:
        raise self.error


STREAMS = {
    "cp1252": lambda: io.TextIOWrapper(io.BytesIO(), "cp1252", errors="strict"),
    "ascii": lambda: io.TextIOWrapper(io.BytesIO(), "ascii", errors="strict"),
    "closed pipe": lambda: Broken(BrokenPipeError(errno.EPIPE, "Broken pipe")),
    "full disk": lambda: Broken(OSError(errno.ENOSPC, "No space left on device")),
    "closed file": lambda: Broken(ValueError("I/O operation on closed file")),
}


@pytest.fixture
def words(toy_assets: Path, tmp_path: Path):
    """A command of WRITING as words, with a file of an odd name for its image."""
    image = tmp_path / "\u03c8 7.npy"
    np.save(image, np.random.default_rng(0).random((28, 28)))

    def make(command: str) -> list[str]:
        out = tmp_path / "out.json"
        places = {"image": str(image), "work": str(tmp_path / "work")}
        made = [word.format(**places) for word in WRITING[command].split()]
        return [*made, "--json", str(out)]

    return make


@pytest.mark.parametrize(
    ("command", "stream"),
    [
        *((command, stream) for command in WRITING for stream in ("cp1252", "closed pipe")),
        *(("run of a file", stream) for stream in ("ascii", "full disk", "closed file")),
    ],
)
def test_what_cannot_be_printed_loses_no_file(
    words, tmp_path: Path, monkeypatch, command: str, stream: str
) -> None:
    out, err = STREAMS[stream](), io.StringIO()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    status = main(words(command))
    monkeypatch.undo()
    failed = stream in ("full disk", "closed file")
    assert status == int(failed), err.getvalue()
    text = (tmp_path / "out.json").read_text()
    assert [json.loads(line) for line in (text.splitlines() if command == "undo" else [text])]
    last = err.getvalue().splitlines()[-1:]
    assert ("not everything could be printed" in "".join(last)) == failed
    if stream in ("cp1252", "ascii") and command == "run of a file":
        out.flush()
        assert b"? 7.npy" in out.buffer.getvalue()


def test_a_broken_stderr_ends_nothing(words, tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setattr(sys, "stderr", Broken(OSError(errno.ENOSPC, "full")))
    assert main(words("run")) == 0
    assert (tmp_path / "out.json").is_file()
    assert main(["run", "--eps", "nan"]) == 2


def test_a_process_without_any_stream(words, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    monkeypatch.setattr(sys, "stderr", None)
    status = main(words("run"))
    monkeypatch.undo()
    assert status == 0
    assert (tmp_path / "out.json").is_file()


# Files


def test_a_file_that_cannot_be_written_takes_no_words_away(tmp_path: Path, capsys) -> None:
    good, bad = tmp_path / "good", tmp_path / "no" / "such"
    bad.parent.touch()  # a file where a folder should be
    with pytest.raises(UsageError, match=r"cannot write .*such: "):
        finish(["a result"], (bad, lambda: b"1"), (good, lambda: b"2"), (None, lambda: 1 / 0))
    assert good.read_bytes() == b"2"
    assert capsys.readouterr().out == f"a result\nwritten   {good}\n"


def test_results_that_cannot_be_kept_are_printed(capsys) -> None:
    def keep() -> None:
        raise OSError(errno.EROFS, "Read-only file system")

    with pytest.raises(UsageError, match="cannot keep the results: Read-only file system"):
        finish(["a result"], keep=keep)
    assert capsys.readouterr().out == "a result\n"


def test_what_is_no_plain_file_is_written_into(tmp_path: Path) -> None:
    write_file(Path(os.devnull), b"gone")
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE)
    write_file(pipe, b"through")
    assert reader.communicate(timeout=20)[0] == b"through"
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to(target)
    write_file(link, b"there")
    assert link.is_symlink()
    assert target.read_bytes() == b"there"


def test_a_disk_that_fills_up_is_one_line_and_leaves_no_half_a_file(
    words, tmp_path: Path, monkeypatch, capsys
) -> None:
    def full(self: Path, content: bytes) -> int:
        raise OSError(errno.ENOSPC, "No space left on device", str(self))

    monkeypatch.setattr(Path, "write_bytes", full)
    assert main(words("run")) == 2
    shown = capsys.readouterr()
    assert "signal" in shown.out, "the result is printed at least"
    assert shown.err.splitlines()[-1] == (
        f"error: cannot write {tmp_path / 'out.json'}: No space left on device"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["\u03c8 7.npy"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write")
def test_a_read_only_folder_is_refused_first(refused, toy_assets: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    assert "permission denied" in refused("run", "--json", tmp_path / "o.json")


# Real processes


def call(words: str, **settings: object) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["bash", "-c", f"{sys.executable} -m red_core {words}"],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, timeout=200, **settings,
    )  # fmt: skip


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_behind_stdout() -> None:
    done = call("results --list > /dev/full")
    assert done.returncode == 1
    assert done.stderr.decode() == (
        "error: not everything could be printed: No space left on device\n"
    )


def test_a_reader_that_leaves() -> None:
    done = call("results --list | true; echo status ${PIPESTATUS[0]}")
    assert done.stdout == b"status 0\n"
    assert done.stderr == b""


def test_closed_streams() -> None:
    assert call("results --list >&- 2>&-").returncode == 0


def test_a_terminal_of_another_encoding(tmp_path: Path) -> None:
    (tmp_path / "\u03c8.png").write_bytes(b"no picture")
    environment = {**os.environ, "PYTHONIOENCODING": "cp1252"}
    done = call(f"run --image '{tmp_path}/\u03c8.png'", env=environment)
    assert done.returncode == 2
    assert done.stderr == b"error: \\u03c8.png is no PNG, JPEG or WebP image.\n"
    name = os.fsencode(str(tmp_path)) + b"/\xff.png"  # no UTF-8 at all
    Path(os.fsdecode(name)).write_bytes(b"no picture")
    done = call(f"run --image '{tmp_path}'/$'\\xff.png'")
    assert done.returncode == 2
    assert b"no PNG, JPEG or WebP image" in done.stderr
    assert b"Traceback" not in done.stderr


def test_the_guard_is_off_again() -> None:
    before = sys.stdout
    with guarded() as out:
        assert isinstance(out, Guarded)
        assert sys.stdout is out
    assert sys.stdout is before

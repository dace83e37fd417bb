"""The command that writes lessons and recorded runs as files: what it refuses, in one line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pages.ui.learn import export as exporting
from pages.ui.learn import view
from pages.ui.learn.export import main
from pages.ui.stage import files


def refused(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    """The one line with which the command refuses."""
    assert main(list(words)) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.count("\n") == 1
    assert shown.err.startswith("error: ")
    return shown.err


def test_it_writes_one_file_each_and_an_index(tmp_path: Path, capsys) -> None:
    folder = tmp_path / "new" / "red"
    assert main([str(folder)]) == 0
    names = sorted(path.name for path in folder.iterdir())
    assert len(names) == 1 + len(view.lessons()) + len(files.stories())
    assert f"{len(names)} files" in capsys.readouterr().out
    for path in folder.iterdir():
        text = path.read_text(encoding="utf-8")
        assert "http" + "://" not in text.replace("http://www.w3.org/", "")
        assert "https://" not in text
        assert "/stories/" not in text


def test_a_folder_that_is_not_empty_is_left_alone(tmp_path: Path, capsys) -> None:
    (tmp_path / "notes").write_text("mine")
    assert f"{tmp_path}: it is not empty; name a new folder" in refused(capsys, str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["notes"]
    assert "it is a file" in refused(capsys, str(tmp_path / "notes"))
    assert "cannot write into" in refused(capsys, str(tmp_path / "notes" / "below"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write")
def test_a_folder_that_is_read_only(tmp_path: Path, capsys) -> None:
    tmp_path.chmod(0o500)
    assert "Permission denied" in refused(capsys, str(tmp_path / "red"))


def test_an_error_while_writing_is_one_line(tmp_path: Path, capsys, monkeypatch) -> None:
    def full(path: Path, content: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    assert "No space left on device" in refused(capsys, str(tmp_path / "red"))


@pytest.mark.parametrize(
    "app", ["lab", "ftp://lab.example.org", "https://", "https://a.example/?b"]
)
def test_an_address_that_is_none(tmp_path: Path, capsys, app: str) -> None:
    assert "an address such as" in refused(capsys, str(tmp_path / "red"), "--app", app)
    assert not (tmp_path / "red").exists()


def test_a_recorded_run_that_is_missing(tmp_path: Path, capsys, monkeypatch) -> None:
    lesson = view.lessons()[0]
    step = {**lesson["steps"][0], "run": None, "missing": "This recorded run has not been made: x"}
    monkeypatch.setattr(exporting.view, "lessons", lambda: [{**lesson, "steps": [step]}])
    assert "has not been made" in refused(capsys, str(tmp_path / "red"))
    assert not (tmp_path / "red").exists()

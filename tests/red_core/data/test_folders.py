"""The environment as it may be: empty variables, no home, unknown users, git on Windows."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from red_core.cli import main
from red_core.data.archive import is_there
from red_core.data.assets import assets_root, read_manifest, write_tensors
from red_core.data.datasets import data_root, has_official
from red_core.data.download import DownloadError, download
from red_core.data.folders import folder_of
from red_core.recipes.examples import FASHION_FOLDER

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A process without HOME, of a user whom the system does not know."""
    import pwd

    def unknown(_: object) -> object:
        raise KeyError("no such user")

    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.delenv("RED_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("value", ["", " "])
def test_empty_is_unset(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, value: str) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("RED_DATA", "RED_ASSETS", "XDG_CACHE_HOME", FASHION_FOLDER):
        monkeypatch.setenv(name, value)
        assert folder_of(name) is None
    assert data_root() == tmp_path / ".cache" / "red" / "data"
    assert assets_root() == ROOT / "assets"


def test_a_cache_folder_must_be_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("RED_DATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", "somewhere")
    assert data_root() == tmp_path / ".cache" / "red" / "data"
    monkeypatch.setenv("XDG_CACHE_HOME", "/elsewhere")
    assert data_root() == Path("/elsewhere/red/data")


def test_a_home_is_not_required(nobody: None, tmp_path: Path) -> None:
    for dataset in ("mnist", "fashion", "cifar10"):
        assert not has_official(dataset)
    assert not is_there("cifar10")
    with pytest.raises(DownloadError, match="there is no home folder ~: let RED_DATA name another"):
        download("cifar10")
    assert list(tmp_path.iterdir()) == []


def test_users_that_are_not_there(
    monkeypatch: pytest.MonkeyPatch, toy_assets: Path, tmp_path: Path, capsys
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RED_DATA", "~nosuchuser/data")
    quick = "--set restarts=1 --set start_steps=1 --set steps=1"
    assert main(f"run --attack none {quick}".split()) == 0
    with pytest.raises(DownloadError, match="no home folder ~nosuchuser"):
        download("cifar10")
    monkeypatch.setenv("RED_ASSETS", "~nosuchuser/assets")
    assert main(["run"]) == 1
    assert "error: ~nosuchuser/assets/mnist/classifier.safetensors" in capsys.readouterr().err
    with pytest.raises(OSError, match="no home folder ~nosuchuser: let RED_ASSETS name"):
        write_tensors("mnist", "x.safetensors", {}, command="x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(
    not (hasattr(os, "geteuid") and os.geteuid() == 0 and shutil.which("setpriv")),
    reason="only root can become an unknown user",
)
def test_a_real_process_of_an_unknown_user() -> None:
    environment = {k: v for k, v in os.environ.items() if k not in ("HOME", "RED_DATA")}
    user = ["setpriv", "--reuid", "54321", "--regid", "54321", "--clear-groups"]
    done = subprocess.run(
        [*user, sys.executable, "-B", "-m", "red_core", "doctor"],
        cwd=ROOT, env=environment, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    if "Permission denied" in done.stderr:
        pytest.skip("another user may not read this checkout")
    assert "Traceback" not in done.stderr
    assert "official mnist in ~/.cache/red/data: not there" in done.stdout


# git on Windows

needs_git = pytest.mark.skipif(
    not (shutil.which("git") and (ROOT / ".git").exists()), reason="needs git and a checkout of it"
)


def git(*words: str, folder: Path = ROOT, data: str | None = None) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=x", "-c", "user.email=x@example.org", *words],
        cwd=folder, capture_output=True, text=True, check=True, input=data, timeout=60,
    )  # fmt: skip
    return done.stdout


@needs_git
def test_no_checkout_changes_the_bytes_of_an_asset(tmp_path: Path) -> None:
    """A clone with core.autocrlf=true, as git for Windows sets it, of the smaller assets."""
    origin, clone = tmp_path / "origin", tmp_path / "clone"
    shutil.copytree(
        ROOT / "assets" / "mnist", origin / "assets" / "mnist",
        ignore=lambda _, names: [name for name in names if not name.endswith((".json", ".red"))],
    )  # fmt: skip
    shutil.copy(ROOT / ".gitattributes", origin)
    (origin / "script.sh").write_bytes(b"#!/bin/sh\necho\n")
    git("init", "-q", folder=origin)
    git("add", "-A", folder=origin)
    git("commit", "-qm", "x", folder=origin)
    git("clone", "-q", "-c", "core.autocrlf=true", str(origin), str(clone), folder=tmp_path)
    names = [path.relative_to(origin) for path in origin.glob("assets/**/*") if path.is_file()]
    assert len(names) > 3
    for name in [*names, Path("script.sh")]:
        assert (clone / name).read_bytes() == (origin / name).read_bytes(), name


@needs_git
def test_every_asset_is_kept_as_it_is() -> None:
    names = git("ls-files", "assets")
    found = git("check-attr", "text", "--stdin", data=names).splitlines()
    assert found
    assert [line for line in found if not line.endswith(": unset")] == []


def test_windows_checkouts_of_before_are_named(
    toy_assets: Path, tmp_path: Path, monkeypatch, capsys
) -> None:
    """A clone made without .gitattributes: the file and the cure, not a traceback."""
    own = tmp_path / "assets"
    shutil.copytree(toy_assets, own)
    monkeypatch.setenv("RED_ASSETS", str(own))
    name = next(iter(read_manifest("mnist")))
    content = (own / "mnist" / name).read_bytes()
    (own / "mnist" / name).write_bytes(content.replace(b"\n", b"\r\n") + b"\r\n")
    assert main(["doctor"]) == 1
    assert f"mnist/{name}: BAD" in capsys.readouterr().out

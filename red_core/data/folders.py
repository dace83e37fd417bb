"""Folders that the environment names: empty is unset, and a home folder is not required."""

from __future__ import annotations

import os
from pathlib import Path


def folder_of(variable: str) -> Path | None:
    """The folder that an environment variable names; None where it is unset or empty.

    A leading ~ is a home folder. Where there is none (a process without HOME and without a user
    of its own, or a user that is not there) the path keeps its ~, and nothing lies under it:
    `check_home` refuses to write there.
    """
    text = os.environ.get(variable, "")
    return expanded(Path(text)) if text.strip() else None


def data_root() -> Path:
    """The torchvision root: RED_DATA, or a folder in the user's cache directory."""
    return folder_of("RED_DATA") or _cache_folder() / "red" / "data"


def _cache_folder() -> Path:
    """XDG_CACHE_HOME where it is an absolute path, or ~/.cache."""
    named = folder_of("XDG_CACHE_HOME")
    if named is not None and named.is_absolute():  # the specification leaves relative ones out
        return named
    return expanded(Path("~/.cache"))


def expanded(path: Path) -> Path:
    """The path with its ~ expanded; itself where there is no such home folder."""
    try:
        return path.expanduser()
    except RuntimeError:
        return path


def check_home(path: Path, variable: str) -> None:
    """OSError, one sentence, for a path whose ~ could not be expanded."""
    if path.parts[:1] and path.parts[0].startswith("~"):
        raise OSError(
            f"{path} cannot be used, as there is no home folder {path.parts[0]}: let {variable} "
            "name another folder"
        )

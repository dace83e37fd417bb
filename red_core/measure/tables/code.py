"""Which code a method's answers hang on: a kept answer is used only while that code is the same."""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

from red_core.methods import METHODS

_ROOT = Path(__file__).resolve().parents[3]
# What these hold is in an answer's key by value (images, options, checksums), or decides nothing.
_ELSEWHERE = (
    *(
        "red_core.data",
        "red_core.run.settings",
        "red_core.algorithm.presets",
        "red_core.attacks.pgd",
    ),
    *("red_core.compat", "red_core.run.provenance", "red_core.measure.intervals", "red_core.parse"),
)


@cache
def code_digest(key: str) -> str:
    """SHA-256 of what the files say that a method imports, directly or through others.

    Comments, docstrings and layout do not count; nor do `_ELSEWHERE`. Read when first asked, so
    that a file that changes while a long table is made does not mix two keys.
    """
    digest = hashlib.sha256()
    for name in sorted(_reached(METHODS[key].__module__)):
        digest.update(name.encode())
        digest.update(_meaning(_file(name)).encode())
    return digest.hexdigest()


def _reached(start: str) -> set[str]:
    """The modules of red_core that a module imports, itself included, but for `_ELSEWHERE`."""
    found: set[str] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in found or any(f"{name}.".startswith(f"{other}.") for other in _ELSEWHERE):
            continue
        found.add(name)
        waiting += _imports(_file(name))
    return found


def _imports(path: Path | None) -> list[str]:
    assert path is not None
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            parts = [f"{node.module}.{alias.name}" for alias in node.names]
            modules = [part for part in parts if _exists(part)]
            names += modules if len(modules) == len(parts) else [*modules, node.module]
    return [name for name in names if name.startswith("red_core.") and _exists(name)]


def _exists(name: str) -> bool:
    return _file(name) is not None


def _file(name: str) -> Path | None:
    """The source of a module or a package's __init__; None where it is neither."""
    path = _ROOT.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def _meaning(path: Path | None) -> str:
    """The syntax tree without docstrings."""
    assert path is not None
    tree = ast.parse(path.read_bytes())
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                body.pop(0)
    return ast.dump(tree)

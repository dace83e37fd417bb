"""What a kept result was made from, as keys: the code by what it imports, the rest by content.

A result is kept with the digest of the code that made it and of every input. It is used only while
both are the same, so nothing is served after the code, an image, a label or a setting changed.
"""

from __future__ import annotations

import ast
import hashlib
import json
from dataclasses import MISSING, fields
from functools import cache
from pathlib import Path
from typing import Any

from torch import Tensor

_ROOT = Path(__file__).resolve().parents[2]
LENGTH = 24  # hexadecimal digits of a key: 96 bits
# Modules (and all below them) whose code is in no digest. What they decide is in the keys by value.
_ELSEWHERE = {
    # Not all of red_core.data: how a trained file is decoded (attack_file) decides what it holds.
    "red_core.data.datasets": "images and labels by their content",
    "red_core.data.own_datasets": "which projects are open: their images, files by content",
    "red_core.data.assets": "trained files by their SHA-256",
    "red_core.data.atomic": "how a file is written, not what is in it",
    "red_core.run.settings": "the resolved attack, options and seeds, as values",
    "red_core.algorithm.presets": "the options as values, the names of the files in the checksums",
    "red_core.parse": "text to values, which are in the keys",
    "red_core.compat": "import shims of torchvision and AdverTorch: they change no number",
    "red_core.run.provenance": "notes beside a result; the device is in the keys",
    "red_core.run.code_digest": "the keys themselves: another key is another file",
    "red_core.measure.intervals": "recomputed from the kept counts (and tested against them)",
    "red_core.measure.result_store": "where results lie on the disk",
    "red_core.json_number": "how numbers are written",
}


@cache
def code_digest(module: str, by_value: tuple[str, ...] = ()) -> str:
    """SHA-256 (LENGTH digits) of the code of `module` and of all that it imports from red_core.

    module: dotted name, "red_core.methods.bsd_gan". by_value: further modules that are left out
    because their effect is in the caller's key. Comments, docstrings and layout do not count.
    Computed at the first call, so that a file that changes while a long table is made does not mix
    two keys. Raises ValueError for a module that there is not.
    """
    if _file(module) is None:
        raise ValueError(f"there is no module {module!r}")
    digest = hashlib.sha256()
    for name in sorted(modules_of(module, by_value)):
        digest.update(f"{name}\n{_meaning(_source(name))}\n".encode())
    return digest.hexdigest()[:LENGTH]


def modules_of(module: str, by_value: tuple[str, ...] = ()) -> set[str]:
    """The modules of red_core that `module` imports, directly or through others, with itself."""
    left_out = (*_ELSEWHERE, *by_value)
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        excluded = any(f"{name}.".startswith(f"{other}.") for other in left_out)
        if name in found or (excluded and name != module):
            continue
        found.add(name)
        waiting += _imports(name)
    return found


def digest_of(values: Any) -> str:
    """SHA-256 (LENGTH digits) of plain values, tuples as lists, keys in any order."""
    text = json.dumps(values, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def tensor_digest(*tensors: Tensor) -> str:
    """SHA-256 (LENGTH digits) of the bytes, types and shapes of tensors, such as images, labels."""
    digest = hashlib.sha256()
    for tensor in tensors:
        digest.update(f"{tensor.dtype} {list(tensor.shape)}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()[:LENGTH]


def changed_values(options: Any) -> dict[str, Any]:
    """The fields of a dataclass instance that differ from their defaults, by name.

    What a key holds of the options: an option that is added later, at its default, moves no key.
    """
    changed = {}
    for field in fields(options):
        default = field.default
        if default is MISSING and field.default_factory is not MISSING:
            default = field.default_factory()
        value = getattr(options, field.name)
        if default is MISSING or value != default:
            changed[field.name] = value
    return changed


def _imports(module: str) -> list[str]:
    names: list[str] = []
    for base, level, wanted in _import_statements(_source(module)):
        if not wanted:
            names.append(base)
            continue
        start = _absolute(module, base, level)
        parts = [f"{start}.{name}" for name in wanted]
        modules = [part for part in parts if _file(part) is not None]
        names += modules if len(modules) == len(parts) else [*modules, start]
    return [name for name in names if name.startswith("red_core.") and _file(name) is not None]


@cache
def _import_statements(source: bytes) -> tuple[tuple[str, int, tuple[str, ...]], ...]:
    """(module, level, names) of every import; names: () for `import module`."""
    found: list[tuple[str, int, tuple[str, ...]]] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, 0, ()) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found.append((node.module or "", node.level, tuple(a.name for a in node.names)))
    return tuple(found)


def _absolute(module: str, base: str, level: int) -> str:
    """The absolute name of what `from` imports from in a module; level: its leading dots."""
    if not level:
        return base
    file = _file(module)
    above = level - (file is not None and file.name == "__init__.py")
    parts = module.split(".")
    return ".".join((*parts[: len(parts) - above], *([base] if base else [])))


def _file(name: str) -> Path | None:
    """The source of a module or a package's __init__; None where it is neither."""
    path = _ROOT.joinpath(*name.split("."))
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None


def _source(module: str) -> bytes:
    path = _file(module)
    assert path is not None
    return path.read_bytes()


@cache
def _meaning(source: bytes) -> str:
    """The syntax tree without comments and without strings that are statements (docstrings)."""
    return _text(ast.parse(source))


def _text(node: Any) -> str:
    """A tree as text; empty fields are left out: which there are differs between Pythons."""
    if isinstance(node, list):
        return f"[{','.join(_text(one) for one in node if not _is_string(one))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    parts = ((name, getattr(node, name, None)) for name in node._fields)
    text = ",".join(f"{name}={_text(value)}" for name, value in parts if value not in (None, []))
    if isinstance(node, ast.Constant):  # whose value may well be None
        text = repr(node.value)
    return f"{type(node).__name__}({text})"


def _is_string(node: Any) -> bool:
    return (
        isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
    )

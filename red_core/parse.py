"""Values of declared types, from plain values (JSON, Python) and from text (a URL, a command)."""

from __future__ import annotations

import math
from contextlib import suppress
from numbers import Integral, Real
from typing import Any

IN_WORDS = {
    "int": "a whole number",
    "float": "a finite number",
    "bool": "true or false",
    "str": "a word",
    "tuple": "whole numbers with commas between them",
}
_LARGEST = 2**63  # whole numbers are below it: further ones fit no tensor and no float
_SHOWN = 80  # characters of a refused value


def checked(name: str, value: Any, kind: str) -> Any:
    """`value` as the type a field declares (`kind`, such as "float | None" or "tuple[int, ...]").

    JSON has lists for tuples and 1 for 1.0, so those are converted; all else must already be of
    that type. ValueError, with a sentence for the user that begins with `name`, where it is not.
    """
    base = _base(kind)
    number = isinstance(value, Real) and not isinstance(value, bool)
    if value is None and kind.endswith("None"):
        return None
    if base == "tuple" and isinstance(value, list | tuple):
        return tuple(checked(name, part, "int") for part in value)
    if base == "int" and number and isinstance(value, Integral) and abs(int(value)) < _LARGEST:
        return int(value)
    if base == "float" and number:
        with suppress(OverflowError):
            if math.isfinite(converted := float(value)):
                return converted
    if base in ("str", "bool") and type(value).__name__ == base:
        return value
    raise ValueError(f"{name} must be {IN_WORDS[base]}, not {quoted(value)}")


def parsed(name: str, text: str, kind: str) -> Any:
    """`text` as the type a field declares; ValueError as `checked`."""
    base = _base(kind)
    try:
        if base == "tuple":
            return tuple(int(part) for part in text.strip("()").replace(" ", "").split(",") if part)
        if base == "bool":
            return {"true": True, "1": True, "false": False, "0": False}[text.lower()]
        value = {"int": int, "float": float, "str": str}[base](text)
    except (KeyError, ValueError) as error:
        raise ValueError(f"{name} must be {IN_WORDS[base]}, not {quoted(text)}") from error
    return checked(name, value, kind)


def quoted(value: Any) -> str:
    """A value as a message shows it: the beginning of a long one."""
    try:
        shown = repr(value)
    except ValueError:  # a whole number of thousands of digits
        return "a number of thousands of digits"
    return shown if len(shown) <= _SHOWN else f"{shown[:_SHOWN]}..."


def written(value: object) -> str:
    """A value as text that `parsed` reads back to the same value.

    repr is exact: a link's eps must be the very float, or the iterates would differ.
    """
    if isinstance(value, tuple):
        return ",".join(map(str, value)) or "()"
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value).lower()


def _base(kind: str) -> str:
    return kind.split("[")[0].split(" ")[0]

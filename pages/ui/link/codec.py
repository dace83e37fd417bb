"""From a link's strings to a page's request and back, once for all pages.

Every value of a link is validated; one that is not acceptable is dropped with a sentence that says
why, and the others are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, TypeVar

from red_core.parse import parsed, quoted, written

Made = TypeVar("Made")


def accepted(
    query: Mapping[str, str], names: Iterable[str], make: Callable[[dict[str, str]], Made]
) -> tuple[Made, list[str]]:
    """What `make` makes of the strings under `names`, and a sentence about each that was dropped.

    make: takes some of the strings, none of them too; raises ValueError, one sentence, where they
    are not acceptable. Some may be so only together, such as a small m and a small d: all are
    tried at once before each after the others, in the order of `names`.
    """
    asked = {name: query[name] for name in names if name in query}
    try:
        return make(asked), []
    except ValueError:
        pass
    kept: dict[str, str] = {}
    made, warnings = make(kept), list[str]()
    for name, text in asked.items():
        try:
            made = make({**kept, name: text})
        except ValueError as error:
            warnings.append(left_out(name, error))
        else:
            kept[name] = text
    return made, warnings


def left_out(name: str, why: object) -> str:
    """The sentence about a value that is dropped; why: a clause, with or without its full stop."""
    return f"The link's {name} is left out: {str(why).removesuffix('.')}."


def values(query: Mapping[str, str], kinds: Mapping[str, str]) -> dict[str, Any]:
    """The values of what a link names of `kinds` (name: declared type); ValueError."""
    return {name: parsed(name, query[name], kind) for name, kind in kinds.items() if name in query}


def changed(now: object, usual: object, names: Iterable[str]) -> dict[str, str]:
    """The strings of the fields `names` in which `now` differs from `usual`."""
    return {
        name: written(value)
        for name in names
        if (value := getattr(now, name)) != getattr(usual, name)
    }


def flags(query: Mapping[str, str], *names: str) -> dict[str, Any]:
    """Which of the flags `names` a link sets."""
    return {name: query.get(name) == "1" for name in names}


def raised(request: object, *names: str) -> dict[str, str]:
    """The strings of those flags `names` that a request sets: `flags` reads them."""
    return {name: "1" for name in names if getattr(request, name)}


def one_of(what: str, value: str, known: Collection[str]) -> None:
    """Check a choice; ValueError, with a sentence that begins with `what`, for an unknown one."""
    if value not in known:
        choices = ", ".join(filter(None, known))
        raise ValueError(f"{what} must be one of {choices}, not {quoted(value)}")

"""Text from users and files, shown as it is: no Markdown, LaTeX, HTML, icon or link in it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

T = TypeVar("T")

# A word that Markdown, as Streamlit extends it (LaTeX, colours, icons, emoji, arrows, links), shows
# as it is: letters and harmless signs, an underscore between letters, and none of its marks.
_PLAIN = re.compile(r"(?:[^\W_]|(?<=[^\W_])_(?=[^\W_])|[,.;!?'\"’“”()%/+×…-])*:?")
_SPECIAL = re.compile(r"--|www\.", re.IGNORECASE)
_LIST_MARK = re.compile(r"[-+]|\d+[.)]")
_COMMAND = re.compile(r"(`[^`\n]+`)")


def literal(text: object, commands: bool = False) -> str:
    """Markdown that shows `text` letter for letter, in one line.

    Words that could mean something in Markdown become code, whose content nothing interprets.
    commands: what stands between two backticks is code of our own (messages that name a command).
    """
    parts = _COMMAND.split(str(text)) if commands else [str(text)]
    shown = "".join(
        part if commands and _COMMAND.fullmatch(part) else _words(part) for part in parts
    ).strip()
    first, _, rest = shown.partition(" ")
    return f"{_code(first)} {rest}" if _LIST_MARK.fullmatch(first) else shown


def literal_from(names: Mapping[T, str] | Sequence[str]) -> Callable[[Any], str]:
    """A `format_func`: the name of a choice, letter for letter.

    names: of data sets or classes; those of a project are its owner's words, such as the names of
    folders. Buttons (pills, segmented controls) read Markdown; lists to unfold do not.
    """
    return lambda choice: literal(names[choice])


def refused_settings(error: object) -> str:
    """What a page says of settings that it refuses, with the reason in the core's words."""
    reason = str(error)
    said = f"{reason[:1].upper()}{reason[1:]}. The settings before it still hold."
    return literal(said)


def _words(text: str) -> str:
    made: list[str] = []
    special: list[str] = []
    for word in [*re.split(r"\s", text), None]:
        if word is not None and (not _PLAIN.fullmatch(word) or _SPECIAL.search(word)):
            special.append(word)
            continue
        if special:
            made.append(_code(" ".join(special)))
            special = []
        if word is not None:
            made.append(word)
    return " ".join(made)


def _code(text: str) -> str:
    """A code span; its fence is longer than any run of backticks in it."""
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", text)), default=0))
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"

"""Text of users in Markdown: shown letter for letter, and nothing else."""

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from pages.ui.look.literal import literal, refused_settings

PAGES = Path(__file__).resolve().parents[4] / "pages"
HOSTILE = [
    "__init__.png",
    "![x](y).png",
    "[x](javascript:alert(1))",
    "<img src=x onerror=alert(1)>",
    "&lt;b&gt; &copy;",
    "$x^2$ and $$y$$",
    r"\(x\) \* back\slash",
    ":red[a b] :material/home: :smile: :streamlit:",
    "a -> b <- c <-> d -- e >= f ~= g",
    "www.example.org http://example.org/?a=b someone@example.org",
    "`code` ``more`` `",
    "# heading",
    "> quote",
    "- item",
    "+ item",
    "1. item",
    "2) item",
    "    indented",
    "---",
    "~~~",
    "| a | b |",
    "**bold** _it_ ~~gone~~ ~sub~",
    "line\nbreak\n===\n\nparagraph",
    "[1]: http://example.org",
    "*",
    "",
]
PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def parts(shown: str) -> list[tuple[str, str]]:
    """The text and code that Markdown makes of it; anything else fails the test."""
    tokens = PARSER.parse(shown)
    if not tokens:
        return []
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    children = tokens[1].children or []
    assert {child.type for child in children} <= {"text", "code_inline"}
    return [(child.type, child.content) for child in children]


def check(text: str) -> None:
    made = parts(literal(text))
    # What Streamlit's own extensions look for (LaTeX, colours, icons, links, arrows) is in code.
    for kind, content in made:
        if kind == "text":
            inside = r"(?<![^\W_])_|_(?![^\W_])"  # an underscore that is not between letters
            assert not re.search(inside, content)
            assert not re.search(r"[$<>\[\]*~`\\@#|&{}=]|--|www\.|:\S", content, re.IGNORECASE)
    assert "".join(content for _, content in made) == re.sub(r"\s", " ", text).strip()


@pytest.mark.parametrize("text", HOSTILE)
def test_it_is_shown_letter_for_letter(text: str) -> None:
    check(text)
    check(f"The link's eps is left out: eps must be a finite number, not {text!r}.")
    check(f"{text} is damaged or incomplete and cannot be read.")


@given(st.text(st.sampled_from("aZ9_*`$[]()<>!:/\\~-+.#|&@ \t=w'\""), max_size=30))
@settings(max_examples=400)
def test_any_text_is(text: str) -> None:
    check(text)


def test_plain_words_stay_plain() -> None:
    said = "The link's index is left out: it lies between 0 and 399 (not 1,000), doesn't it?"
    assert literal(said) == said
    assert literal("ankle_boot") == "ankle_boot"
    assert literal("_init_") == "`_init_`"


def test_our_own_commands_stay_code() -> None:
    said = literal("*a.json is damaged: run `python -m red_core doctor` again.", commands=True)
    assert said == "`*a.json` is damaged: run `python -m red_core doctor` again."


def test_refused_settings_are_literal_too() -> None:
    assert refused_settings(ValueError("no option '$x$'")) == (
        "No option `'$x$'.` The settings before it still hold."
    )


def test_no_page_shows_a_message_of_the_core_as_markdown() -> None:
    """Errors and warnings with something filled in go through `literal`."""
    shown = ("error", "warning", "info", "success")
    found = []
    for path in PAGES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            if node.func.attr not in shown or ast.unparse(node.func.value) != "st":
                continue
            words = ast.unparse(node.args[0])
            if "literal(" not in words and "refused_settings(" not in words:
                filled = any(
                    isinstance(part, ast.FormattedValue | ast.Name | ast.Call)
                    for part in ast.walk(node.args[0])
                )
                if filled and "MOST_" not in words:
                    found.append(f"{path.name}: {words}")
    assert found == []

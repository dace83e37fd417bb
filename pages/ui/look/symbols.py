"""The paper's symbols in words, and which of them each page shows: its last panel introduces them.

Learn introduces those of a step beside it; the other pages draw `legend`.
"""

from __future__ import annotations

import re

import streamlit as st

SYMBOLS = {
    "x": "the clean picture, numbers from 0 (black) to 1 (white)",
    "δ": "the pattern that an attack adds, one number a pixel",
    "x′": "the attacked picture, clean picture and pattern: all that the method is given",
    "ψ": "the classifier that is attacked: a network that names what a picture shows",
    "ε": "the attack's budget: the most that its pattern may measure in its norm",
    "ℓ∞": "the norm that is the largest change of any pixel",
    "ℓ2": "the norm that is the root of the summed squares of all changes",
    "ℓ1": "the norm that is the sum of all changes, without their signs",
    "‖·‖": "the length: the root of the summed squares, where no other norm is named",
    "G": "the generator: a network that draws a picture from a few numbers",
    "z": "the numbers that the generator draws from",
    "z*": "the solution: those of them that give the clean picture",
    "w": "what a style generator draws from in the place of those numbers",
    "W+": "the space of style codes, one for each layer of the generator",
    "D": "the purifier: a diffusion model that adds noise to a picture and takes it out again",
    "Dₐ": "the dictionary: its columns are attacks on training pictures",
    "cₐ": "the attack's code: how much of each column is used",
    "Dₛ": "a second dictionary, whose columns are training pictures",
    "cₛ": "the code of the picture in that second dictionary",
    "λ": "the weight of the cost of every block of the code",
    "λₘₐₓ": "the least such weight at which every block is off",
    "f": "the loss: what picture and attack together do not explain, squared",
    "∇f": "the gradient of the loss: the direction in which it grows fastest",
    "h": "the cost of the code: the lengths of its blocks, added up",
    "L": "the loss and the cost of the code together: what is minimised",
    "L*": "the lowest value of it that was found",
    "k": "the step, counted from 0",
    "μ": "the error bound: the gradient's length over the distance to the solution",
    "ρ": "the largest curvature of the loss (its Hessian's largest eigenvalue)",
    "η": "the step size of gradient descent",
    "σ": "the activation: what the generator's layers do to every number",
    "W": "the weights of a layer of the generator, a matrix",
    "m": "how many numbers the generator puts out",
    "d": "how many numbers the generator draws from",
    "n": "how many pictures were counted",
    "J": "the Jacobian: how what the generator puts out changes with what it draws from",
    "P": "the projection on a span: the nearest point of it",
    "α": "the slope of a leaky ReLU below zero",
    "β": "how sharply softplus bends at zero",
    "κ": "how far beyond the origin the theory expects a trap, as a share of the solution",
    "φ": "the first feature maps of the attacked classifier",
}

# By page: the symbols that its texts show; a test finds them there.
PAGE_SYMBOLS = {
    "undo": "x δ x′ ψ ε ℓ∞ ℓ2 ℓ1 ‖·‖ G z z* w W+ D Dₐ cₐ λ λₘₐₓ k μ σ φ",
    "pair": "x δ x′ ψ ℓ∞ ℓ2 ℓ1 ‖·‖ G z z* D Dₐ cₐ λ λₘₐₓ μ",
    "compare": "x δ x′ ψ ε ℓ∞ ℓ2 ℓ1 G z D Dₐ cₐ Dₛ cₛ",
    "tables": "δ x′ ψ ℓ∞ ℓ2 ℓ1 ‖·‖ G z w W+ D Dₐ cₐ n σ P",
    "landscape": "x′ ε ℓ∞ ℓ2 ℓ1 ‖·‖ G z z* Dₐ cₐ f ∇f L k μ η σ W m J β κ",
    "error_bound": "x′ ψ ε ‖·‖ G z z* Dₐ cₐ λ λₘₐₓ f ∇f h L L* k μ ρ η σ W m d n J α β",
}
_NOISE = "the deviation of the noise that a diffusion model adds"
# What is meant by some of them on one page alone.
_ON_PAGE = {
    "undo": {"σ": _NOISE},
    "tables": {"σ": _NOISE},
    "landscape": {
        "ε": "noise that an example adds to each row of the weights",
        "L": "how many layers the generator has",
    },
    "error_bound": {
        "ε": "the most negative curvature, without its sign; with an index, noise on a row of the "
        "weights",
        "L": "the loss and the cost of the code together; beside Layers, how many there are",
        "n": "the length of a column of the dictionary",
    },
}


def legend(page: str) -> None:
    """A panel that introduces the symbols of a page, one a line."""
    with st.expander("Symbols", expanded=True):
        st.markdown("\n".join(f"- **{_plain(name)}** {text}" for name, text in introduced(page)))


def introduced(page: str) -> list[tuple[str, str]]:
    """The symbols of a page of PAGE_SYMBOLS in the order of SYMBOLS, and what each means there."""
    meanings = {**SYMBOLS, **_ON_PAGE.get(page, {})}
    return [(name, meanings[name]) for name in SYMBOLS if name in PAGE_SYMBOLS[page].split()]


def _plain(name: str) -> str:
    return name.replace("*", "\\*")


_LETTER = "A-Za-zα-ωΑ-Ωₐₘₓ₀-₉∞′'_"
_STAR = r"\\?\*(?!\*)"  # as Markdown writes it, too; two of them end what is bold
_BEFORE = f"(?<![{_LETTER}∇])"
_AFTER = f"(?![{_LETTER}])"
# How else a symbol is written, and what looks like one: "25 x 25", "python -m", the key (L).
_WRITTEN = {
    "x": rf"(?<!\d )(?<!m ){_BEFORE}x{_AFTER}(?! \d| domain| unified)",
    "x′": f"{_BEFORE}x[′']{_AFTER}",
    "ε": rf"{_BEFORE}ε(?:_i)?{_AFTER}",
    "‖·‖": "‖",
    "z": rf"{_BEFORE}z(?!{_STAR}){_AFTER}",
    "z*": rf"{_BEFORE}z{_STAR}",
    "m": rf"{_BEFORE}(?<!-)m{_AFTER}",
    "W": rf"{_BEFORE}W(?![+]|\.npy){_AFTER}",
    "W+": r"W\+",
    "D": rf"{_BEFORE}D(?=\()",
    "Dₐ": "Dₐ|D_a",
    "cₐ": "cₐ|c_a",
    "Dₛ": "Dₛ|D_s",
    "cₛ": "cₛ|c_s",
    "λₘₐₓ": "λₘₐₓ|λ_max",
    "L": rf"{_BEFORE}(?<!\()L(?!{_STAR}|\)){_AFTER}",
    "L*": rf"{_BEFORE}L{_STAR}",
    "P": "P(?=δ)",
}
_FOUND = {
    name: re.compile(_WRITTEN.get(name, f"{_BEFORE}{re.escape(name)}{_AFTER}")) for name in SYMBOLS
}


def symbols_in(text: str) -> list[str]:
    """The names of SYMBOLS that a text uses, in the order of SYMBOLS.

    >>> symbols_in("x′ = G(z) + Dₐcₐ + rest")
    ['x′', 'G', 'z', 'Dₐ', 'cₐ']
    """
    return [name for name, pattern in _FOUND.items() if pattern.search(text)]

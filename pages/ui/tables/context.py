"""What the matrices of a request are made of: answers, images, and what they count."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pages.ui.tables.answers import Counts, PerImage
from pages.ui.tables.files import answers_of
from pages.ui.tables.images import fit, images_of
from pages.ui.tables.tables_request import CLASS, TablesRequest, methods_of
from red_core.algorithm.verdict import NO_ATTACK
from red_core.data.datasets import CLASSES, ImageSet
from red_core.measure.tables import TABLES, title_of
from red_core.measure.tables.spec import PSI, has_own_network, method_of
from red_core.measure.tables.table_store import BUNDLED, OFFICIAL
from red_core.methods import ANSWERS


@dataclass(frozen=True)
class Answered:
    """Answers and the images they belong to.

    source: official or bundled; seed: of the attacks; where: the images in words; images: None
    where they are not at hand.
    """

    source: str
    answers: PerImage
    seed: int
    where: str
    images: ImageSet | None


def answered(current: TablesRequest) -> Answered | None:
    """The answers of the asked-for source; by itself, of the first whose images can be opened."""
    found = {}
    for source in (current.images,) if current.images else (OFFICIAL, BUNDLED):
        read = answers_of(current.table, source)
        if read is not None:
            found[source] = _with_images(current.dataset, source, *read)
            if found[source].images is not None:
                return found[source]
    return next(iter(found.values()), None)


def _with_images(
    dataset: str, source: str, answers: PerImage, content: Mapping[str, Any]
) -> Answered:
    images = images_of(dataset, source)
    if images is not None and not fit(images, content):
        images = None
    seed = content.get("seed", 0)
    where = str(content.get("source", ""))
    return Answered(source, answers, seed if isinstance(seed, int) else 0, where, images)


def block_of(current: TablesRequest, attack: str, entry: str = "") -> str:
    """Where a method's answers stand: ψ's block, unless a network of its own is attacked.

    entry: the method, request.method by default. Clean images are the same in both blocks.
    """
    method = method_of(entry or current.method)
    own = method is not None and has_own_network(method.key)
    return current.block if own and attack != NO_ATTACK else PSI


@dataclass(frozen=True)
class Matrices:
    """The two matrices of a request. named: attacks named right, and of how many images."""

    classes: Counts | None
    attacks: Counts | None
    named: tuple[int, int]


def matrices_of(current: TablesRequest, answers: PerImage) -> Matrices:
    """Counted anew from the answers."""
    spec = TABLES[current.table]
    rows = [(block_of(current, attack), attack) for attack in spec.attacks]
    attacks = answers.attack_confusion(rows, current.method)
    named = (0, 0)
    if attacks is not None:
        row = attacks[spec.attacks.index(current.attack)]
        named = int(row[ANSWERS.index(current.attack)]), int(np.sum(row))
    return Matrices(
        answers.class_confusion(block_of(current, current.attack), current.attack, current.method),
        attacks,
        named,
    )


@dataclass(frozen=True)
class Cell:
    """The images of the chosen cell. row, column: what they are, and what was said of them."""

    matrix: str
    attack: str
    row: str
    column: str
    indices: list[int]


def cell_of(current: TablesRequest, answers: PerImage) -> Cell | None:
    """The chosen cell; None where none is chosen."""
    if current.cell is None:
        return None
    matrix, row, column = current.cell
    names, attacks = CLASSES[current.dataset], TABLES[current.table].attacks
    if matrix == CLASS:
        block = block_of(current, current.attack)
        indices = answers.with_class(block, current.attack, current.method, row, column)
        return Cell(matrix, current.attack, names[row], names[column], indices)
    attack = attacks[row]
    indices = answers.with_attack(block_of(current, attack), attack, current.method, column)
    return Cell(matrix, attack, attack, ANSWERS[column], indices)


def said_of(
    current: TablesRequest, answers: PerImage, attack: str, index: int
) -> list[tuple[str, str, str]]:
    """What every method said of one image in the chosen block: (entry, class, attack) in names."""
    names = CLASSES[current.dataset]
    found = []
    for entry in methods_of(current.table):
        said = answers.said(block_of(current, attack, entry), attack, entry)
        if said is None:
            continue
        signal = attack_said = ""
        if said.signal is not None and index < len(said.signal):
            signal = names[said.signal[index]]
        if said.attack is not None and index < len(said.attack):
            attack_said = ANSWERS[said.attack[index]]
        if signal or attack_said:
            found.append((title_of(entry), signal, attack_said))
    return found

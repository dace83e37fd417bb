"""What every method said of every image: confusion matrices, and the images behind a cell.

A file of answers holds one character per image: the class's index or the attack answer's. What
is not of that shape is refused with one sentence, never believed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Counts = NDArray[np.int64]


class AnswersError(ValueError):
    """A file of answers that cannot be read; the message is one sentence for the reader."""


@dataclass(frozen=True)
class Said:
    """One method's answers under one attack: labels [n] of the first n images, or None."""

    signal: Labels | None
    attack: Labels | None


@dataclass(frozen=True)
class PerImage:
    """The answers of one table on one set of images.

    true: the images' classes [N]; classes, answers: how many labels each answer may have; blocks:
    block -> attack -> method key -> what it said.
    """

    true: Labels
    classes: int
    answers: int
    blocks: Mapping[str, Mapping[str, Mapping[str, Said]]]

    def said(self, block: str, attack: str, key: str) -> Said | None:
        """A method's answers, or None where it was not measured."""
        return self.blocks.get(block, {}).get(attack, {}).get(key)

    def class_confusion(self, block: str, attack: str, key: str) -> Counts | None:
        """Counts [classes, classes], row: the true class, column: the answer."""
        said = self.said(block, attack, key)
        if said is None or said.signal is None:
            return None
        return count(self.true[: len(said.signal)], said.signal, (self.classes, self.classes))

    def attack_confusion(self, rows: Sequence[tuple[str, str]], key: str) -> Counts | None:
        """Counts [rows, answers], a row for each (block, attack); None where none was measured."""
        said = [self.said(block, attack, key) for block, attack in rows]
        named = [None if row is None else row.attack for row in said]
        if all(labels is None for labels in named):
            return None
        counts = np.zeros((len(rows), self.answers), np.int64)
        for place, labels in enumerate(named):
            if labels is not None:
                counts[place] = np.bincount(labels, minlength=self.answers)
        return counts

    def with_class(self, block: str, attack: str, key: str, true: int, answer: int) -> list[int]:
        """The images of class `true` that the method took for class `answer`."""
        said = self.said(block, attack, key)
        if said is None or said.signal is None:
            return []
        right = (self.true[: len(said.signal)] == true) & (said.signal == answer)
        return [int(index) for index in np.flatnonzero(right)]

    def with_attack(self, block: str, attack: str, key: str, answer: int) -> list[int]:
        """The images under `attack` of which the method named the attack `answer`."""
        said = self.said(block, attack, key)
        if said is None or said.attack is None:
            return []
        return [int(index) for index in np.flatnonzero(said.attack == answer)]


def read_answers(content: Mapping[str, Any], classes: int, answers: int) -> PerImage:
    """A file of answers, checked; AnswersError where it is not one."""
    try:
        true = _labels(content["true"], classes)
        if true is None:
            raise AnswersError("the file of answers does not say what is true")
        blocks = {
            str(block): {
                str(attack): {
                    str(key): _said(entry, len(true), classes, answers)
                    for key, entry in methods.items()
                }
                for attack, methods in attacks.items()
            }
            for block, attacks in content["blocks"].items()
        }
    except (KeyError, TypeError, AttributeError) as error:
        raise AnswersError("the file of answers has not the shape it should have") from error
    return PerImage(true, classes, answers, blocks)


def _said(entry: Mapping[str, Any], most: int, classes: int, answers: int) -> Said:
    said = Said(_labels(entry.get("signal"), classes), _labels(entry.get("attack"), answers))
    for labels in (said.signal, said.attack):
        if labels is not None and len(labels) > most:
            raise AnswersError("the file of answers has more answers than images")
    return said


def _labels(text: object, count: int) -> Labels | None:
    """The labels of a string of digits, each below `count`."""
    if text is None or text == "":
        return None
    if not isinstance(text, str) or not (text.isascii() and text.isdecimal()):
        raise AnswersError("the file of answers holds something else than labels")
    labels = np.frombuffer(text.encode(), np.uint8).astype(np.int64) - ord("0")
    if labels.max() >= count:
        raise AnswersError(f"the file of answers holds a label above {count - 1}")
    return labels


def count(true: Labels, said: Labels, shape: tuple[int, int]) -> Counts:
    """How often each pair (true, said) occurs, [shape]."""
    counts = np.bincount(true * shape[1] + said, minlength=shape[0] * shape[1])
    return counts.astype(np.int64).reshape(shape)

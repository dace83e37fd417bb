"""Answers per image: read, checked, counted, and traced back to their images."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pages.ui.tables.answers import AnswersError, read_answers

TRUE = "0120120"
CONTENT: dict[str, Any] = {
    "true": TRUE,
    "blocks": {
        "psi": {
            "linf": {
                "best": {"signal": "0120210", "attack": "0001340"},
                "type-cnn": {"attack": "0003"},
                "cnn": {"signal": "111"},
            },
            "none": {"best": {"signal": TRUE, "attack": "3333331"}},
        }
    },
}


def changed(**entry: Any) -> dict[str, Any]:
    return {"true": TRUE, "blocks": {"psi": {"linf": {"best": entry}}}}


def test_a_class_matrix_counts_every_image_once():
    counts = read_answers(CONTENT, 3, 5).class_confusion("psi", "linf", "best")
    np.testing.assert_array_equal(counts, [[3, 0, 0], [0, 1, 1], [0, 1, 1]])
    assert counts.sum() == len(TRUE)


def test_an_attack_matrix_has_a_row_for_each_attack():
    found = read_answers(CONTENT, 3, 5)
    rows = [("psi", "linf"), ("psi", "l2"), ("psi", "none")]
    counts = found.attack_confusion(rows, "best")
    np.testing.assert_array_equal(counts, [[4, 1, 0, 1, 1], [0] * 5, [0, 1, 0, 6, 0]])


def test_every_cell_is_made_of_the_images_it_names():
    found = read_answers(CONTENT, 3, 5)
    counts = found.class_confusion("psi", "linf", "best")
    seen = []
    for true in range(3):
        for answer in range(3):
            images = found.with_class("psi", "linf", "best", true, answer)
            assert len(images) == counts[true, answer]
            assert all(TRUE[index] == str(true) for index in images)
            seen += images
    assert sorted(seen) == list(range(len(TRUE)))
    assert found.with_attack("psi", "linf", "best", 3) == [4]
    assert found.with_attack("psi", "none", "best", 1) == [6]


def test_a_method_measured_on_fewer_images_counts_those():
    found = read_answers(CONTENT, 3, 5)
    np.testing.assert_array_equal(
        found.class_confusion("psi", "linf", "cnn"), [[0, 1, 0], [0, 1, 0], [0, 1, 0]]
    )
    assert found.attack_confusion([("psi", "linf")], "type-cnn").tolist() == [[3, 0, 0, 1, 0]]


def test_what_was_not_measured_is_none():
    found = read_answers(CONTENT, 3, 5)
    assert found.class_confusion("psi", "linf", "type-cnn") is None
    assert found.class_confusion("white-box", "linf", "best") is None
    assert found.attack_confusion([("psi", "linf"), ("psi", "none")], "cnn") is None
    assert found.with_class("psi", "l2", "best", 0, 0) == []
    assert found.with_attack("psi", "linf", "cnn", 0) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ({}, "shape"),
        ({"true": TRUE}, "shape"),
        ({"true": None, "blocks": {}}, "what is true"),
        ({"true": TRUE, "blocks": []}, "shape"),
        ({"true": TRUE, "blocks": {"psi": {"linf": {"best": "0"}}}}, "shape"),
        (changed(signal="01201209"), "label above 2"),
        (changed(signal="01201200"), "more answers than images"),
        (changed(attack="5"), "label above 4"),
        (changed(signal="0x"), "something else"),
        (changed(signal="²"), "something else"),
        (changed(signal=[0, 1]), "something else"),
    ],
)
def test_a_broken_file_is_refused_with_a_sentence(content: dict[str, Any], words: str):
    with pytest.raises(AnswersError, match=words):
        read_answers(content, 3, 5)

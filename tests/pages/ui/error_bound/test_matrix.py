from __future__ import annotations

import io

import numpy as np
import pytest
import torch

from pages.ui.error_bound.matrix import MAX_TEXT, as_npy, pack_matrix, take_matrix, unpack_matrix
from red_core.synthetic import MatrixError


def npy(array: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def test_a_matrix_survives_file_and_link_exactly():
    matrix = torch.randn(30, 3, dtype=torch.float64)
    assert torch.equal(take_matrix(as_npy(matrix), "W.npy"), matrix)
    text = pack_matrix(matrix)
    assert text is not None
    assert len(text) <= MAX_TEXT
    assert torch.equal(unpack_matrix(text), matrix)


def test_a_large_matrix_does_not_fit_into_a_link():
    assert pack_matrix(torch.randn(500, 10, dtype=torch.float64)) is None


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"1,2\n3,4\n5,x\n", "W.csv", "not a table"),
        (b"1,2\n2,4\n3,6\n", "W.csv", "rank 1"),
        (npy(np.ones((1001, 1))), "W.npy", "up to 1000 x 50"),
        (npy(np.random.default_rng(0).normal(size=(60, 51))), "W.npy", "up to 1000 x 50"),
        (b"3", "W.csv", "single row"),
        (b"nan,1\n1,2\n", "W.csv", "not finite"),
    ],
)
def test_a_file_that_cannot_be_used_is_refused_in_a_sentence(data, name, said):
    with pytest.raises(MatrixError, match=said):
        take_matrix(data, name)


@pytest.mark.parametrize(
    "text", ["", "3x2", "3x2.????", "3x2.AAAA", "99999x2.AAAA", "2x3.AAAA", "0x0.", "-1x2.AA"]
)
def test_a_damaged_link_is_refused(text: str):
    with pytest.raises(ValueError, match="damaged or incomplete"):
        unpack_matrix(text)


def test_a_link_with_a_useless_matrix_is_refused():
    text = pack_matrix(torch.ones(4, 2, dtype=torch.float64))
    assert text is not None
    with pytest.raises(ValueError, match="rank 1"):
        unpack_matrix(text)

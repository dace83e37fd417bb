"""A user's matrix: what is read, and what is refused with which sentence."""

import io
import pickle

import numpy as np
import pytest
import torch

from red_core.synthetic import MatrixError, read_matrix


def npy(array) -> bytes:
    out = io.BytesIO()
    np.save(out, array)
    return out.getvalue()


WANTED = torch.tensor([[1.0, 2.0], [3.0, -4.0], [0.5, 0.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"1,2\n3,-4\n0.5,0\n", "w.csv"),
        (b"\xef\xbb\xbf1;2\r\n3;-4\r\n0.5;0\r\n", "W.CSV"),
        (b"# ours\n1 2\n\n3 -4\n5e-1 0", "w.txt"),
        (npy(WANTED.numpy()), "w.npy"),
        (npy(WANTED.numpy().astype(np.float32)), "w.npy"),
    ],
)
def test_a_matrix_is_read(data, name):
    assert torch.equal(read_matrix(data, name), WANTED)


def test_whole_numbers_are_numbers():
    assert read_matrix(npy(np.eye(3, dtype=np.int16)), "w.npy").dtype == torch.float64


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b"1,2\n3,4", "w.xlsx", "neither a CSV nor an NPY"),
        (b"1,2\n3", "w.csv", "equally many in every line"),
        (b"a,b\n1,2", "w.csv", "not a table of numbers"),
        (b"", "w.csv", "holds no matrix"),
        (b"\xff\xfe\x00", "w.csv", "not a text file"),
        (b"1,2\n3,nan", "w.csv", "not finite"),
        (b"1,2\n3,inf", "w.csv", "not finite"),
        (b"1,2,3", "w.csv", "must have"),
        (b"1,2\n2,4\n3,6", "w.csv", "rank 1 but 2 columns"),
        (b"0,0\n0,0", "w.csv", "an entry that is not 0"),
        (b"1e9,0\n0,1", "w.csv", "above a million"),
        (b"\x93NUMPY junk", "w.npy", "cannot be read"),
        (npy(np.zeros((2, 2, 2))), "w.npy", "holds no matrix"),
        (npy(np.array(["a", "b"])), "w.npy", "something else than real numbers"),
        (npy(np.array([[1j, 0], [0, 1]])), "w.npy", "something else than real numbers"),
        (npy(np.ones((3000, 1))), "w.npy", "must have"),
        (b"1" * 11_000_000, "w.csv", "larger than 10 MB"),
    ],
)
def test_what_is_no_matrix_is_refused_in_one_sentence(data, name, said):
    with pytest.raises(MatrixError, match=said) as caught:
        read_matrix(data, name)
    assert "\n" not in str(caught.value)


def test_nothing_is_unpickled():
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("unpickled",))

    out = io.BytesIO()
    np.save(out, np.array([Bomb()], dtype=object), allow_pickle=True)
    with pytest.raises(MatrixError):
        read_matrix(out.getvalue(), "w.npy")
    with pytest.raises(MatrixError):
        read_matrix(pickle.dumps(Bomb()), "w.npy")

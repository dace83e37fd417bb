"""A user's own W, from a CSV or NPY file: read without trust, refused in one sentence."""

from __future__ import annotations

import io
import warnings

import numpy as np
import torch
from torch import Tensor

MAX_BYTES = 10_000_000
MAX_OUTPUTS, MAX_LATENT = 2000, 100


class MatrixError(ValueError):
    """A file that holds no usable W; the message is one sentence for the user."""


def read_matrix(data: bytes, name: str) -> Tensor:
    """W [m, d] in float64 from the content of a file called `name` (.csv, .txt or .npy).

    CSV: numbers separated by commas, semicolons or blanks, one row of W a line; a line that
    begins with # is skipped. NPY: a real or whole-number array; pickled objects are not loaded.
    MatrixError where W is no matrix of finite numbers with 1 <= d <= 100 and d <= m <= 2000, or
    has a column that is a combination of the others (G would then not be injective).
    """
    if len(data) > MAX_BYTES:
        raise MatrixError(f"{name} is larger than {MAX_BYTES // 10**6} MB.")
    ending = name.lower().rpartition(".")[2]
    if ending == "npy":
        array = _from_npy(data, name)
    elif ending in ("csv", "txt"):
        array = _from_csv(data, name)
    else:
        raise MatrixError(f"{name} is neither a CSV nor an NPY file.")
    return _checked(array, name)


def _from_npy(data: bytes, name: str) -> np.ndarray:
    try:
        array = np.load(io.BytesIO(data), allow_pickle=False)
    except Exception as error:  # whatever numpy makes of damaged bytes
        raise MatrixError(f"{name} cannot be read as an NPY file.") from error
    if not isinstance(array, np.ndarray) or array.dtype.kind not in "fiu":
        raise MatrixError(f"{name} holds something else than real numbers.")
    return array


def _from_csv(data: bytes, name: str) -> np.ndarray:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise MatrixError(f"{name} is not a text file.") from error
    rows = [line.replace(";", " ").replace(",", " ") for line in text.splitlines()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy warns of an empty file; we refuse it below
            return np.loadtxt(rows, dtype=np.float64, ndmin=2)
    except ValueError as error:
        raise MatrixError(
            f"{name} is not a table of numbers with equally many in every line."
        ) from error


def _checked(array: np.ndarray, name: str) -> Tensor:
    if array.ndim != 2 or array.size == 0:
        raise MatrixError(f"{name} holds no matrix, but an array of shape {array.shape}.")
    outputs, latent = array.shape
    if not (latent <= MAX_LATENT and latent <= outputs <= MAX_OUTPUTS):
        raise MatrixError(
            f"W is {outputs} x {latent}; it must have d <= {MAX_LATENT} columns and between d "
            f"and {MAX_OUTPUTS} rows."
        )
    matrix = torch.from_numpy(np.ascontiguousarray(array, dtype=np.float64))
    if not bool(torch.isfinite(matrix).all()):
        raise MatrixError(f"{name} holds numbers that are not finite.")
    largest = float(matrix.abs().max())
    if not 0 < largest <= 1e6:
        raise MatrixError("W must have an entry that is not 0, and none above a million.")
    rank = int(torch.linalg.matrix_rank(matrix))
    if rank < latent:
        raise MatrixError(
            f"W has rank {rank} but {latent} columns: G would map several z to one signal."
        )
    return matrix

"""A user's own W: from a file, refused clearly, and as text in a link where it is small enough."""

from __future__ import annotations

import base64
import binascii
import io
import zlib

import numpy as np
import torch
from torch import Tensor

from red_core.synthetic import MatrixError, read_matrix

MAX_TEXT = 6000  # characters of a link
MAX_M, MAX_D = 1000, 50  # of this page


def take_matrix(data: bytes, name: str) -> Tensor:
    """W [m, d] from an uploaded file; MatrixError, one sentence, where it is none for this page."""
    return _bounded(read_matrix(data, name))


def _bounded(matrix: Tensor) -> Tensor:
    m, d = matrix.shape
    if m > MAX_M or d > MAX_D:
        raise MatrixError(f"W is {m} x {d}; this page takes up to {MAX_M} x {MAX_D}.")
    if m < 2:
        raise MatrixError("W has a single row; G needs at least two outputs.")
    return matrix


def as_npy(matrix: Tensor) -> bytes:
    """W as an NPY file, exactly."""
    buffer = io.BytesIO()
    np.save(buffer, matrix.numpy())
    return buffer.getvalue()


def pack_matrix(matrix: Tensor) -> str | None:
    """W as URL-safe text, exactly; None where that would be too long."""
    body = base64.urlsafe_b64encode(zlib.compress(matrix.numpy().astype("<f8").tobytes(), 9))
    text = f"{matrix.shape[0]}x{matrix.shape[1]}." + body.decode().rstrip("=")
    return text if len(text) <= MAX_TEXT else None


def unpack_matrix(text: str) -> Tensor:
    """W of a URL's text; ValueError, one sentence, where it holds none."""
    refused = ValueError("The matrix in the link is damaged or incomplete and is left out.")
    shape, _, body = text.partition(".")
    rows, _, columns = shape.partition("x")
    if len(text) > MAX_TEXT or not (rows.isdecimal() and columns.isdecimal()):
        raise refused
    m, d = int(rows[:5]), int(columns[:5])
    if not (1 <= d <= MAX_D and d <= m <= MAX_M):
        raise refused
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        raw = zlib.decompressobj().decompress(packed, 8 * m * d + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise refused from error
    if len(raw) != 8 * m * d:
        raise refused
    matrix = torch.from_numpy(np.frombuffer(raw, "<f8").reshape(m, d).astype(np.float64))
    # The same checks as for a file: a link is no more to be trusted.
    return take_matrix(as_npy(matrix), "matrix.npy")

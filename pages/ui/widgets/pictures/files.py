"""Pixels as PNG bytes."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pages.ui.widgets.pictures.pixels import Pixels

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_EIGHT_BITS, _RGBA = 8, 6
_SUB, _UP = 1, 2  # PNG's filters: what differs from the pixel before, from the row above


def png(image: Image.Image, **options: bytes) -> bytes:
    """An image of Pillow's, packed quickly rather than tightly."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1, **options)
    return buffer.getvalue()


def palette_png(indices: Pixels, table: Pixels) -> bytes:
    """Indices [H, W] of a palette [256, 4], RGBA."""
    image = Image.frombytes("P", (indices.shape[1], indices.shape[0]), indices.tobytes())
    image.putpalette(table[:, :3].tobytes())
    return png(image, transparency=table[:, 3].tobytes())


def rgba_png(packed: NDArray[np.uint32]) -> bytes:
    """Pixels [H, W] as `palette.packed` makes them.

    Written here, because an enlarged picture is mostly repetition, and Pillow tries every filter
    on every row, which takes three times as long. After one filter a row like the one above it is
    all zeros, after another every pixel like the one before it.
    """
    height, width = packed.shape
    rows = np.empty((height, 1 + 4 * width), np.uint8)
    values = np.ascontiguousarray(packed).view(np.uint8).reshape(height, 4 * width)
    rows[:, 0] = _SUB
    rows[:, 1:5] = values[:, :4]
    np.subtract(values[:, 4:], values[:, :-4], out=rows[:, 5:])
    repeated = 1 + np.flatnonzero((packed[1:] == packed[:-1]).all(axis=1))
    rows[repeated] = 0
    rows[repeated, 0] = _UP
    header = struct.pack(">IIBBBBB", width, height, _EIGHT_BITS, _RGBA, 0, 0, 0)
    data = zlib.compress(rows.tobytes(), 1)
    return b"".join(
        (_SIGNATURE, _chunk(b"IHDR", header), _chunk(b"IDAT", data), _chunk(b"IEND", b""))
    )


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

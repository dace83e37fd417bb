"""An image that comes as numbers, in an NPZ or NPY file: taken as it is, or refused.

So an attacked x' can be brought in without being moved or smoothed. The shape and type are judged
by the header, before anything is allocated, and objects are never unpickled.
"""

from __future__ import annotations

import io
import math
import zipfile
from typing import Final

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray

from red_core.data.background import IntakeError
from red_core.data.datasets import SHAPES
from red_core.data.intake import Intake, check_length, display_name

_MAX_MEMBER: Final = 100_000  # bytes of an array of 3,072 numbers with its header, generously


def read_npz(data: bytes, *, filename: str = "", dataset: str = "mnist") -> Intake:
    """The array `image` of an NPZ file, or the array of an NPY file, taken as it is.

    data: the file's bytes; the array is [28, 28] or [1, 28, 28] for the grey data sets, [3, 32, 32]
    or [32, 32, 3] for CIFAR-10, or a batch with one of them; real numbers in [0, 1] (to 1e-6).
    filename: only named in messages; dataset: key of SHAPES. Raises IntakeError.
    """
    name = display_name(filename)
    check_length(data, name)
    shape = SHAPES[dataset]
    if data.startswith(b"PK"):
        data = _member(data, name, shape)
    array = _array(data, name, _layouts(shape))
    if not np.isfinite(array).all():
        raise IntakeError(f"{name} holds NaN or infinite pixels.")
    low, high = float(array.min()), float(array.max())
    if low < -1e-6 or high > 1 + 1e-6:
        hint = ": divide by 255 first" if low >= 0 and 1 < high <= 255 else ""
        raise IntakeError(f"{name} holds pixels from {low:g} to {high:g}, outside [0, 1]{hint}.")
    if array.ndim == 4:
        array = array[0]
    if array.shape != shape and array.ndim == 3:
        array = array.transpose(2, 0, 1)  # the colours came last
    values = np.ascontiguousarray(array.reshape(shape), dtype=np.float32)
    moved = "centred" if shape[0] == 1 else "cropped"
    return Intake(
        torch.from_numpy(values).clamp(0, 1), (f"taken as it is: neither {moved} nor scaled",)
    )


def _layouts(shape: tuple[int, int, int]) -> tuple[tuple[int, ...], ...]:
    """The shapes of an array that holds one image, a batch of one not counted."""
    channels, height, width = shape
    if channels == 1:
        return (height, width), shape
    return shape, (height, width, channels)


def _written(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


def _member(data: bytes, name: str, shape: tuple[int, int, int]) -> bytes:
    """The bytes of `image.npy` in a zip, read no further than an honest one can reach."""
    size = _written(shape[1:] if shape[0] == 1 else shape)
    larger = IntakeError(f"The array image of {name} is larger than {size}.")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "image.npy" not in archive.namelist():
                raise IntakeError(f"{name} holds no array named image.")
            if archive.getinfo("image.npy").file_size > _MAX_MEMBER:
                raise larger
            with archive.open("image.npy") as member:
                content = member.read(_MAX_MEMBER + 1)  # the directory's size may be a lie
    except IntakeError:
        raise
    except Exception as error:  # zipfile and its decompressors raise all sorts of errors
        raise IntakeError(f"{name} is damaged or incomplete and cannot be read.") from error
    if len(content) > _MAX_MEMBER:
        raise larger
    return content


def _array(data: bytes, name: str, layouts: tuple[tuple[int, ...], ...]) -> NDArray[np.float64]:
    """The array of NPY bytes; shape and type are judged by the header, before any allocation."""
    stream = io.BytesIO(data)
    try:
        version = npy.read_magic(stream)
        header = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, fortran, dtype = header(stream)
    except Exception as error:  # the header is evaluated as a literal: anything may come
        raise IntakeError(f"{name} is no NPZ or NPY file that can be read.") from error
    if dtype.kind not in "fiub":
        raise IntakeError(f"{name} must hold real numbers, not {dtype}.")
    batches = tuple((1, *layout) for layout in layouts if len(layout) == 3)
    if shape not in (*layouts, *batches):
        wanted = " or ".join(_written(layout) for layout in layouts)
        raise IntakeError(f"{name} must have the shape {wanted}, not {shape}.")
    count = math.prod(shape)
    body = stream.read()
    if len(body) < count * dtype.itemsize:
        raise IntakeError(f"{name} is damaged or incomplete and cannot be read.")
    array = np.frombuffer(body, dtype, count=count)
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is caught as infinite
        return array.reshape(shape, order="F" if fortran else "C").astype(np.float64)

"""Images that come as numbers, in an NPZ or NPY file: taken as they are, or refused.

So attacked x' can be brought in, one or many, without being moved or smoothed. Shape and type are
judged by the header, before anything is allocated, and objects are never unpickled.
"""

from __future__ import annotations

import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import IO, Any, Final

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray

from red_core.data.background import IntakeError
from red_core.data.datasets import SHAPES
from red_core.data.intake import (
    MAX_BYTES,
    Intake,
    check_contrast,
    check_length,
    display_name,
    read_image,
)

MAX_IMAGES: Final = 10_000  # in one file
_MAX_MEMBERS: Final = 1_000  # arrays of an NPZ file that are looked at
# Of several arrays that hold images: what other attack libraries and `run --npz` call x', and then
# what a clean image is called.
_ATTACKED: Final = (
    "attacked", "adversarial", "adversarials", "adv", "x_adv", "adv_x", "adv_images", "x_test_adv",
)  # fmt: skip
_PLAIN: Final = ("image", "images", "x", "x_test", "data", "arr_0")


def read_npz(
    data: bytes, *, filename: str = "", dataset: str = "mnist", most: int = MAX_BYTES
) -> Intake:
    """The one image of an NPZ or NPY file, taken as it is: `read_arrays` of a single image.

    Raises IntakeError, also where the file holds several.
    """
    made = read_arrays(data, filename=filename, dataset=dataset, most=most)
    if len(made) > 1:
        name = display_name(filename)
        raise IntakeError(f"{name} holds {len(made)} images, and one is wanted here.")
    return made[0]


def read_arrays(
    data: bytes, *, filename: str = "", dataset: str = "mnist", most: int = MAX_BYTES
) -> list[Intake]:
    """Every image of an NPZ or NPY file, taken as it is.

    data: the file's bytes, at most `most`. The array is one image, [H, W] (grey data sets), [C, H,
    W] or [H, W, C], or [N, ...] of one of them, at most MAX_IMAGES; real numbers in [0, 1] (to
    1e-6), or whole ones from 0 to 255. Of an NPZ file the array of attacked images is taken where
    there is one (`attacked`, as `run --npz` writes it, `adv`, `x_adv`, ...), else `image` or the
    only one of a fitting shape. filename: only named in messages; dataset: key of SHAPES. Raises
    IntakeError.
    """
    name = display_name(filename)
    check_length(data, name, most)
    shape = SHAPES[dataset]
    steps: list[str] = []
    attacked = False
    if data.startswith(b"PK"):
        key, array = _from_zip(data, name, shape)
        attacked = key in _ATTACKED
        if key != "image":
            steps.append(f"the array {key!r} of the file")
    else:
        header = _header(BytesIO(data), name)
        array = _body(header, name, shape)
    images = _scaled(_batched(array, shape), array, name, steps)
    moved = "centred" if shape[0] == 1 else "cropped"
    steps.append(f"taken as it is: neither {moved} nor scaled")
    tensor = torch.from_numpy(np.ascontiguousarray(images, dtype=np.float32)).clamp(0, 1)
    made = []
    for number, image in enumerate(tensor):
        one = Intake(image, tuple(steps), attacked, name, number if len(tensor) > 1 else None)
        check_contrast(image, one.name)
        made.append(one)
    return made


def read_any(
    data: bytes,
    *,
    filename: str = "",
    dataset: str = "mnist",
    as_is: bool = False,
    most: int = MAX_BYTES,
) -> list[Intake]:
    """Every image of a file: `read_arrays` of an NPZ or NPY file, `read_image` of a picture.

    The first bytes decide which it is, and then the name. Raises IntakeError.
    """
    numbers = data.startswith((b"PK", b"\x93NUMPY")) or filename.lower().endswith((".npz", ".npy"))
    if numbers:
        return read_arrays(data, filename=filename, dataset=dataset, most=most)
    return [read_image(data, filename=filename, dataset=dataset, as_is=as_is)]


# Shapes and ranges


def _layouts(shape: tuple[int, int, int]) -> tuple[tuple[int, ...], ...]:
    """The shapes of an array that holds one image."""
    channels, height, width = shape
    last = (height, width, channels)
    return ((height, width), shape, last) if channels == 1 else (shape, last)


def _fits(found: tuple[int, ...], shape: tuple[int, int, int]) -> bool:
    """Whether an array of the shape `found` holds images [C, H, W] of `shape`, one or many."""
    layouts = _layouts(shape)
    return found in layouts or (len(found) > 2 and found[0] > 0 and found[1:] in layouts)


def _batched(array: NDArray[Any], shape: tuple[int, int, int]) -> NDArray[Any]:
    """[N, C, H, W] of an array that fits."""
    one = array[None] if array.shape in _layouts(shape) else array
    if one.shape[1:] == (*shape[1:], shape[0]):  # the colours come last
        one = one.transpose(0, 3, 1, 2)
    return one.reshape(-1, *shape)


def _scaled(
    images: NDArray[Any], array: NDArray[Any], name: str, steps: list[str]
) -> NDArray[np.floating[Any]]:
    """Numbers in [0, 1]; IntakeError where they are in no range that is known."""
    if array.dtype.kind in "ui":
        low, high = int(array.min()), int(array.max())
        if high > 1 and low >= 0 and high <= 255:
            steps.append("whole numbers from 0 to 255, divided by 255")
            return images.astype(np.float32) / np.float32(255)
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is caught as infinite
        values = images.astype(np.float64)
    if not np.isfinite(values).all():
        raise IntakeError(f"{name} holds NaN or infinite pixels.")
    smallest, largest = float(values.min()), float(values.max())
    if smallest < -1e-6 or largest > 1 + 1e-6:
        hint = ""
        if smallest >= 0 and 1 < largest <= 255:
            hint = ": divide by 255 first"
        elif -1 - 1e-6 <= smallest < 0 and largest <= 1 + 1e-6:
            hint = ": take (x + 1) / 2 first"
        raise IntakeError(
            f"{name} holds pixels from {smallest:g} to {largest:g}, outside [0, 1]{hint}."
        )
    return values


# Files


def _written(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


@dataclass(frozen=True)
class _Header:
    """What the header of NPY bytes says; stream: at the first byte behind it."""

    shape: tuple[int, ...]
    fortran: bool
    dtype: np.dtype[Any]
    stream: IO[bytes]


def _header(stream: IO[bytes], name: str) -> _Header:
    try:
        version = npy.read_magic(stream)
        read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
        shape, fortran, dtype = read(stream)
    except Exception as error:  # the header is evaluated as a literal: anything may come
        raise IntakeError(f"{name} is no NPZ or NPY file that can be read.") from error
    return _Header(shape, fortran, dtype, stream)


def _body(header: _Header, name: str, shape: tuple[int, int, int]) -> NDArray[Any]:
    """The array, read no further than its header says; IntakeError where it holds no images."""
    if header.dtype.kind not in "fiub":
        raise IntakeError(f"{name} must hold real numbers, not {header.dtype}.")
    if not _fits(header.shape, shape):
        layouts = _layouts(shape)[: 2 if shape[0] == 1 else None]
        wanted = " or ".join(_written(layout) for layout in layouts)
        raise IntakeError(f"{name} must have the shape {wanted}, or N of them, not {header.shape}.")
    count = math.prod(header.shape)
    images = count // math.prod(shape)
    if images > MAX_IMAGES:
        raise IntakeError(f"{name} holds {images:,} images; the most is {MAX_IMAGES:,}.")
    damaged = IntakeError(f"{name} is damaged or incomplete and cannot be read.")
    size = count * header.dtype.itemsize
    try:
        body = header.stream.read(size)
    except Exception as error:  # zipfile and its decompressors raise all sorts of errors
        raise damaged from error
    if len(body) < size:
        raise damaged
    array = np.frombuffer(body, header.dtype, count=count)
    return array.reshape(header.shape, order="F" if header.fortran else "C")


@contextmanager
def _opened(data: bytes, name: str) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            yield archive
    except IntakeError:
        raise
    except Exception as error:  # zipfile and its decompressors raise all sorts of errors
        raise IntakeError(f"{name} is damaged or incomplete and cannot be read.") from error


def _from_zip(data: bytes, name: str, shape: tuple[int, int, int]) -> tuple[str, NDArray[Any]]:
    """The name and the content of the array of images in a zip."""
    with _opened(data, name) as archive:
        members = [member for member in archive.namelist() if member.endswith(".npy")]
        if not members and any(member.endswith("data.pkl") for member in archive.namelist()):
            raise IntakeError(
                f"{name} is a file of torch's, which may hold code: save its tensor with "
                "numpy.save instead."
            )
        known = {member.removesuffix(".npy"): member for member in members[:_MAX_MEMBERS]}
        named = [key for key in (*_ATTACKED, *_PLAIN) if key in known]
        for key in named or _fitting(archive, known, name, shape):
            with archive.open(known[key]) as stream:
                return key, _body(_header(stream, name), name, shape)
    raise AssertionError("_fitting names one array or raises")


def _fitting(
    archive: zipfile.ZipFile, known: dict[str, str], name: str, shape: tuple[int, int, int]
) -> list[str]:
    """The only array whose shape is that of images, where none has a name that says so."""
    fitting = []
    for key, member in known.items():
        with archive.open(member) as stream:
            header = _header(stream, name)
        if header.dtype.kind in "fiub" and _fits(header.shape, shape):
            fitting.append(key)
    if len(fitting) == 1:
        return fitting
    wanted = f"{', '.join(_ATTACKED[:3])} or {', '.join(_PLAIN[:2])}"
    if fitting:
        found = ", ".join(repr(key) for key in fitting[:5])
        raise IntakeError(
            f"{name} holds several arrays of images ({found}): call the one to take {wanted}."
        )
    size = _written(shape[1:] if shape[0] == 1 else shape)
    raise IntakeError(f"{name} holds no array named image, nor one of {size} numbers.")

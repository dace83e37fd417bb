"""A user's own image, made safe and made the data set's: pictures, drawings, arrays, [1, 28, 28].

Whatever bytes come in, the answer is an `Intake` or an `IntakeError` with one sentence for the
user. Sizes are read from the headers and refused before anything is decoded.

A picture goes the way the data set's own went: `digits` for MNIST, `clothes` for Fashion-MNIST.
An array in an NPZ or NPY file is taken as it is, so that an attacked x' can be brought in without
being moved or smoothed.
"""

from __future__ import annotations

import io
import math
import re
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.lib import format as npy
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from red_core.data.clothes import as_article
from red_core.data.digits import as_digit
from red_core.data.ground import SIDE, Grey
from red_core.data.ground import IntakeError as IntakeError

MAX_BYTES: Final = 10_000_000  # of a file, as .streamlit/config.toml limits uploads
MAX_PIXELS: Final = 40_000_000
MIN_SIDE: Final = 8
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_WORKING_SIDE: Final = 400  # larger pictures are averaged down first: 20 pixels are wanted
_MAX_MEMBER: Final = 100_000  # bytes of an array of 784 numbers with its header, generously
_ORIENTATION: Final = 0x0112  # EXIF's tag

# Brightness [H, W], the picture's name and the list of steps, to [28, 28].
_FITTINGS: Final[dict[str, Callable[[Grey, str, list[str]], Grey]]] = {
    "mnist": as_digit,
    "fashion": as_article,
}


@dataclass(frozen=True)
class Intake:
    """An image ready for the solver.

    image: [1, 28, 28] float32, finite, in [0, 1], white ink on black; steps: what was done to
    the user's picture on the way, in order, each a short sentence.
    """

    image: Tensor
    steps: tuple[str, ...]


def read_image(data: bytes, *, filename: str = "", dataset: str = "mnist") -> Intake:
    """A PNG, JPEG or WebP file in the conventions of a data set.

    data: the file's bytes, at most MAX_BYTES, MAX_PIXELS and not below MIN_SIDE a side; any
    mode (alpha, palette, 16-bit, CMYK), any EXIF orientation; of an animation the first frame.
    filename: only named in messages; dataset: key of CLASSES. Raises IntakeError.
    """
    name = _display_name(filename)
    _check_length(data, name)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            _check_size(picture.size, name)
            steps = []
            if getattr(picture, "n_frames", 1) > 1:
                steps.append("first frame only: the file holds several")
            grey = _grey(picture, steps)
            turned = _upright(grey, picture)
    except IntakeError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise IntakeError(_too_large(name)) from error
    except UnidentifiedImageError as error:
        kind = " (GIF is not taken)" if data.startswith(b"GIF8") else ""
        raise IntakeError(f"{name} is no PNG, JPEG or WebP image{kind}.") from error
    except Exception as error:  # decoders raise all sorts of errors on hostile bytes
        raise IntakeError(f"{name} is damaged or incomplete and cannot be decoded.") from error
    if turned is not grey:
        steps.append("turned upright, as its EXIF orientation says")
    return _fitted(turned, name, steps, dataset)


def from_canvas(rgba: NDArray[np.uint8], *, dataset: str = "mnist") -> Intake:
    """A drawn image in the conventions of a data set, by the same route as a file.

    rgba: [H, W, 4] (or [H, W, 3], or [H, W]) uint8; untouched canvas is transparent or of one
    colour. Raises IntakeError, also where nothing was drawn.
    """
    name = "The drawing"
    shaped = rgba.ndim == 2 or (rgba.ndim == 3 and rgba.shape[2] in (3, 4))
    if rgba.dtype != np.uint8 or not shaped:
        raise IntakeError(f"{name} must be an array of bytes, [height, width, 4].")
    _check_size((rgba.shape[1], rgba.shape[0]), name)
    steps: list[str] = []
    grey = _grey(Image.fromarray(np.ascontiguousarray(rgba)), steps)
    return _fitted(grey, name, steps, dataset)


def read_npz(data: bytes, *, filename: str = "") -> Intake:
    """The array `image` of an NPZ file, or the array of an NPY file, taken as it is.

    data: the file's bytes; the array is [28, 28] or [1, 28, 28], real numbers in [0, 1] (to
    1e-6), and is neither centred nor scaled. Objects are never unpickled. Raises IntakeError.
    """
    name = _display_name(filename)
    _check_length(data, name)
    if data.startswith(b"PK"):
        data = _member(data, name)
    array = _array(data, name)
    if not np.isfinite(array).all():
        raise IntakeError(f"{name} holds NaN or infinite pixels.")
    low, high = float(array.min()), float(array.max())
    if low < -1e-6 or high > 1 + 1e-6:
        hint = ": divide by 255 first" if low >= 0 and 1 < high <= 255 else ""
        raise IntakeError(f"{name} holds pixels from {low:g} to {high:g}, outside [0, 1]{hint}.")
    image = torch.from_numpy(array.reshape(1, SIDE, SIDE).astype(np.float32)).clamp(0, 1)
    return Intake(image, ("taken as it is: neither centred nor scaled",))


def _fitted(grey: Grey, name: str, steps: list[str], dataset: str) -> Intake:
    field = _FITTINGS[dataset](grey, name, steps)
    image = torch.from_numpy(np.array(field, dtype=np.float32))[None].clamp(0, 1)
    return Intake(image, tuple(steps))


# Files


def _display_name(filename: str) -> str:
    """The file's own name without folders, shortened and printable."""
    base = re.split(r"[/\\]", filename)[-1]
    base = "".join(c for c in base if c.isprintable()).strip()
    return (base if len(base) <= 60 else base[:57] + "...") or "The file"


def _check_length(data: bytes, name: str) -> None:
    if not data:
        raise IntakeError(f"{name} is empty.")
    if len(data) > MAX_BYTES:
        raise IntakeError(
            f"{name} has {len(data) / 1e6:.1f} MB; the most is {MAX_BYTES / 1e6:.0f} MB."
        )


def _too_large(name: str) -> str:
    return f"{name} has too many pixels; the most is {MAX_PIXELS / 1e6:.0f} megapixels."


def _check_size(size: tuple[int, int], name: str) -> None:
    """Refuse by the size in the header, before a pixel is decoded."""
    width, height = size
    if width * height > MAX_PIXELS:
        raise IntakeError(
            f"{name} has {width * height / 1e6:.1f} megapixels ({width} x {height}); "
            f"the most is {MAX_PIXELS / 1e6:.0f}."
        )
    if min(width, height) < MIN_SIDE:
        raise IntakeError(
            f"{name} is {width} x {height} pixels; each side needs at least {MIN_SIDE}."
        )


def _member(data: bytes, name: str) -> bytes:
    """The bytes of `image.npy` in a zip, read no further than an honest one can reach."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "image.npy" not in archive.namelist():
                raise IntakeError(f"{name} holds no array named image.")
            if archive.getinfo("image.npy").file_size > _MAX_MEMBER:
                raise IntakeError(f"The array image of {name} is larger than {SIDE} x {SIDE}.")
            with archive.open("image.npy") as member:
                content = member.read(_MAX_MEMBER + 1)  # the directory's size may be a lie
    except IntakeError:
        raise
    except Exception as error:  # zipfile and its decompressors raise all sorts of errors
        raise IntakeError(f"{name} is damaged or incomplete and cannot be read.") from error
    if len(content) > _MAX_MEMBER:
        raise IntakeError(f"The array image of {name} is larger than {SIDE} x {SIDE}.")
    return content


def _array(data: bytes, name: str) -> NDArray[np.float64]:
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
    if shape not in ((SIDE, SIDE), (1, SIDE, SIDE)):
        raise IntakeError(f"{name} must have the shape 28 x 28 or 1 x 28 x 28, not {shape}.")
    body = stream.read()
    if len(body) < SIDE * SIDE * dtype.itemsize:
        raise IntakeError(f"{name} is damaged or incomplete and cannot be read.")
    array = np.frombuffer(body, dtype, count=SIDE * SIDE)
    with np.errstate(over="ignore", invalid="ignore"):  # an overflow is caught as infinite
        return array.reshape(shape, order="F" if fortran else "C").astype(np.float64)


# Modes, transparency, orientation


def _grey(picture: Image.Image, steps: list[str]) -> Grey:
    """Brightness [H, W] in [0, 1] at the working size, on an opaque ground."""
    if picture.mode.startswith("I") or picture.mode == "F":
        # 16 bits, which Pillow's own conversion to 8 would clip; 32-bit files fill theirs.
        values = np.asarray(picture, dtype=np.float32)
        scale = 65535 if values.max() <= 65535 else float(values.max())
        steps.append("16 bits a pixel reduced to brightness")
        return np.asarray(_shrunk(Image.fromarray(values / np.float32(scale))))
    clear = "A" in picture.getbands() or "a" in picture.getbands() or "transparency" in picture.info
    if not clear:
        if picture.mode == "CMYK":
            steps.append("CMYK converted to brightness")
        # Palettes and bits cannot be averaged; everything else is made small first.
        plain = picture.convert("RGB") if picture.mode in ("1", "P") else picture
        shrunk = _shrunk(plain).convert("RGB").convert("L")
        return np.asarray(shrunk, dtype=np.float32) / np.float32(255)
    layers: Grey = np.asarray(_shrunk(picture.convert("RGBA")), dtype=np.float32) / np.float32(255)
    alpha = layers[..., 3]
    brightness: Grey = layers[..., :3] @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    if float(alpha.min()) > 0.999:
        return brightness
    ground = _fitting_ground(brightness, alpha)
    steps.append(f"transparent parts put on {'white' if ground else 'black'}")
    return brightness * alpha + np.float32(ground) * (1 - alpha)


def _shrunk(picture: Image.Image) -> Image.Image:
    """Averaged down to the working size, so that memory stays small from here on."""
    factor = math.ceil(max(picture.size) / _WORKING_SIDE)
    return picture.reduce(factor) if factor > 1 else picture


def _fitting_ground(brightness: Grey, alpha: Grey) -> float:
    """0 or 1: the ground on which the visible part of a transparent picture shows.

    Visible pixels of one brightness are the ink itself, and need the opposite ground; visible
    pixels of two are ink with its paper, and the ground continues the paper, the larger part.
    """
    weight = float(alpha.sum())
    if weight == 0:
        return 0.0
    mean = float((brightness * alpha).sum()) / weight
    spread = math.sqrt(float(((brightness - mean) ** 2 * alpha).sum()) / weight)
    bright = mean > 0.5
    return float(bright if spread > 0.15 else not bright)


def _upright(grey: Grey, picture: Image.Image) -> Grey:
    """`grey` turned as the file's EXIF orientation asks; itself where it asks nothing."""
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # a broken EXIF block is no reason to refuse the picture
        return grey
    if orientation not in range(2, 9):
        return grey
    if orientation >= 5:
        grey = grey.T
    # After the transposition of 5 to 8, what is left is a flip of the axes below.
    flips = {2: (1,), 3: (0, 1), 4: (0,), 5: (), 6: (1,), 7: (0, 1), 8: (0,)}[orientation]
    return np.ascontiguousarray(np.flip(grey, flips))

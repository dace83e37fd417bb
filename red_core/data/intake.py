"""A user's own picture or drawing, made safe and made the data set's.

Whatever bytes come in, the answer is an `Intake` or an `IntakeError` with one sentence for the
user. Sizes are read from the headers and refused before anything is decoded.

A picture goes the way the data set's own went: `mnist_intake`, `fashion_intake`, `cifar_intake`.
One that is in the data set's own format already (size, range, background), attacked or not, is not
cleaned. What comes as numbers is `arrays`'s.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from red_core.data.background import MIN_CONTRAST
from red_core.data.background import IntakeError as IntakeError
from red_core.data.cifar_intake import MIN_COLOUR_CONTRAST, as_photograph, squared
from red_core.data.datasets import SHAPES
from red_core.data.fashion_intake import as_article
from red_core.data.mnist_intake import as_digit
from red_core.data.own_datasets import base_of
from red_core.data.picture_intake import way_to
from red_core.data.picture_modes import brightness, prepare, stored, upright

MAX_BYTES: Final = 10_000_000  # of a file, as .streamlit/config.toml limits uploads
MAX_PIXELS: Final = 40_000_000
MIN_SIDE: Final = 8
_FORMATS: Final = ("PNG", "JPEG", "WEBP")

_Pixels = NDArray[np.float32]  # [H, W], or [H, W, 3]
_Opened = Callable[[Image.Image, list[str]], _Pixels]
_Fitted = Callable[[_Pixels, str, list[str]], _Pixels]

# A decoded picture and the list of steps, to pixels in [0, 1]; these, upright now, the picture's
# name and the list of steps, to the pixels of the data set.
_WAYS: Final[dict[str, tuple[_Opened, _Fitted]]] = {
    "mnist": (brightness, as_digit),
    "fashion": (brightness, as_article),
    "cifar10": (squared, as_photograph),
}


@dataclass(frozen=True)
class Intake:
    """An image ready for the solver.

    image: float32, finite, in [0, 1]; [1, 28, 28] with white ink on black, or for CIFAR-10
    [3, 32, 32]; steps: what was done to the user's picture on the way, in order, each a short
    sentence; attacked: whether the file itself says that it holds an attacked image; file: its
    name; number: of the image in a file of several, from 0, else None.
    """

    image: Tensor
    steps: tuple[str, ...]
    attacked: bool = False
    file: str = ""
    number: int | None = None

    @property
    def name(self) -> str:
        """The file, and which of its images."""
        return self.file if self.number is None else f"{self.file}, image {self.number}"


def read_image(
    data: bytes, *, filename: str = "", dataset: str = "mnist", as_is: bool = False
) -> Intake:
    """A PNG, JPEG or WebP file in the conventions of a data set.

    data: the file's bytes, at most MAX_BYTES, MAX_PIXELS and not below MIN_SIDE a side; any
    mode (alpha, palette, 16-bit, CMYK), any colour profile, any EXIF orientation; of an animation
    the first frame. filename: only named in messages; dataset: key of CLASSES; as_is: take the
    pixels as the file stores them, and refuse other sizes than the data set's. Raises IntakeError.
    """
    name = display_name(filename)
    check_length(data, name)
    try:
        with Image.open(io.BytesIO(data), formats=_FORMATS) as picture:
            _check_size(picture.size, name)
            steps = []
            if getattr(picture, "n_frames", 1) > 1:
                steps.append("first frame only: the file holds several")
            if as_is:
                return _as_is(picture, name, steps, dataset)
            prepare(picture)
            pixels = _way(dataset)[0](picture, steps)
            turned = upright(pixels, picture)
    except IntakeError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise IntakeError(_too_large(name)) from error
    except UnidentifiedImageError as error:
        kind = " (GIF is not taken)" if data.startswith(b"GIF8") else ""
        raise IntakeError(f"{name} is no PNG, JPEG or WebP image{kind}.") from error
    except Exception as error:  # decoders raise all sorts of errors on hostile bytes
        raise IntakeError(f"{name} is damaged or incomplete and cannot be decoded.") from error
    if turned is not pixels:
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
    pixels = _way(dataset)[0](Image.fromarray(np.ascontiguousarray(rgba)), steps)
    return _fitted(pixels, name, steps, dataset)


def _way(dataset: str) -> tuple[_Opened, _Fitted]:
    """A project has the way of its base; pictures of its own are cut out and scaled."""
    base = base_of(dataset)
    return way_to(SHAPES[dataset]) if base is None else _WAYS[base]


def _fitted(pixels: _Pixels, name: str, steps: list[str], dataset: str) -> Intake:
    return _intake(_way(dataset)[1](pixels, name, steps), name, steps)


def _as_is(picture: Image.Image, name: str, steps: list[str], dataset: str) -> Intake:
    """The stored pixels of a file of the data set's own size."""
    channels, height, width = SHAPES[dataset]
    if picture.size != (width, height):
        raise IntakeError(
            f"{name} is {picture.width} x {picture.height} pixels; only {width} x {height} can be "
            "taken as it is."
        )
    pixels = stored(picture, channels == 3)
    steps.append("taken as it is, as was asked")
    made = _intake(pixels, name, steps)
    check_contrast(made.image, name)
    return made


def _intake(pixels: _Pixels, name: str, steps: list[str]) -> Intake:
    field = np.array(pixels, dtype=np.float32)
    planes = field[None] if field.ndim == 2 else np.ascontiguousarray(field.transpose(2, 0, 1))
    return Intake(torch.from_numpy(planes).clamp(0, 1), tuple(steps), file=name)


def check_contrast(image: Tensor, name: str) -> None:
    """IntakeError for an image [C, H, W] in [0, 1] that shows nothing, as for a picture of it."""
    spread = float((image.amax((1, 2)) - image.amin((1, 2))).max())
    if spread < (MIN_CONTRAST if len(image) == 1 else MIN_COLOUR_CONTRAST):
        what = "brightness" if len(image) == 1 else "colour"
        raise IntakeError(f"{name} shows nothing: all its pixels have nearly the same {what}.")


# Files


def display_name(filename: str) -> str:
    """The file's own name without folders, shortened and printable."""
    base = re.split(r"[/\\]", filename)[-1]
    base = "".join(c for c in base if c.isprintable()).strip()
    return (base if len(base) <= 60 else base[:57] + "...") or "The file"


def check_length(data: bytes, name: str, most: int = MAX_BYTES) -> None:
    """IntakeError for a file that is empty or has more than `most` bytes."""
    if not data:
        raise IntakeError(f"{name} is empty.")
    if len(data) > most:
        raise IntakeError(f"{name} has {len(data) / 1e6:.1f} MB; the most is {most / 1e6:.0f} MB.")


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

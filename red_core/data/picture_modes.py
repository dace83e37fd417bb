"""A decoded picture's mode, colour profile, transparency and orientation, resolved to numbers."""

from __future__ import annotations

import io
import math
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, ImageFile

from red_core.data.background import Grey

Colours = NDArray[np.float32]  # red, green, blue [H, W, 3] in [0, 1]

_WORKING_SIDE: Final = 400  # larger pictures are averaged down first: at most 32 are wanted
_ORIENTATION: Final = 0x0112  # EXIF's tag
_SRGB_GAMMA: Final = 0.45455  # of a PNG's gAMA chunk: sRGB's own, and what all writers put there
_SAME: Final = 2  # levels of 255 by which a profile may differ from sRGB and count as sRGB
_Pixels = TypeVar("_Pixels", bound=NDArray[np.float32])


def prepare(picture: ImageFile.ImageFile) -> None:
    """Bring the header of an opened file to one form; call it before anything is decoded.

    The transparent colour of a PNG of 16 bits a colour is stated in 16 bits, and Pillow decodes
    the pixels to 8.
    """
    colour = picture.info.get("transparency")
    if isinstance(colour, tuple) and any("16" in str(tile[3]) for tile in picture.tile):
        picture.info["transparency"] = tuple(int(part) >> 8 for part in colour)


def brightness(picture: Image.Image, steps: list[str]) -> Grey:
    """Brightness [H, W] in [0, 1] at the working size, on an opaque background.

    steps: gets a short sentence for everything done.
    """
    if _is_deep(picture):
        bright, alpha = _deep(picture, steps)
        steps.append("16 bits a pixel reduced to brightness")
    else:
        if picture.mode == "CMYK":
            steps.append("CMYK converted to brightness")
        shrunk, alpha = _managed(picture, steps)
        if alpha is None:
            return np.asarray(shrunk.convert("L"), dtype=np.float32) / np.float32(255)
        layers: Grey = np.asarray(shrunk.convert("RGB"), dtype=np.float32) / np.float32(255)
        bright = layers @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    if alpha is None or float(alpha.min()) > 0.999:
        return bright
    background = _fitting_background(bright, alpha)
    steps.append(f"transparent parts put on {'white' if background else 'black'}")
    return bright * alpha + np.float32(background) * (1 - alpha)


def colours(picture: Image.Image, steps: list[str]) -> Colours:
    """Red, green and blue [H, W, 3] in [0, 1] at the working size; what is transparent is white.

    steps: gets a short sentence for everything done.
    """
    if _is_deep(picture):
        grey, alpha = _deep(picture, steps)
        steps.append("16 bits of grey a pixel, the same in red, green and blue")
        values: Colours = np.repeat(grey[..., None], 3, axis=2)
    else:
        if picture.mode == "CMYK":
            steps.append("CMYK converted to red, green and blue")
        elif picture.mode in ("1", "L", "LA"):
            steps.append("grey, the same in red, green and blue")
        shrunk, alpha = _managed(picture, steps)
        values = np.asarray(shrunk.convert("RGB"), dtype=np.float32) / np.float32(255)
    if alpha is None or float(alpha.min()) > 0.999:
        return values
    steps.append("transparent parts put on white")
    return values * alpha[..., None] + (1 - alpha[..., None])


def stored(picture: Image.Image, colour: bool) -> NDArray[np.float32]:
    """The pixels as the file stores them, [H, W], or [H, W, 3] for `colour`, in [0, 1].

    Profile, transparency and orientation are left out of account.
    """
    if _is_deep(picture):
        deep = np.asarray(picture, dtype=np.float32) / np.float32(65535)
        grey: Grey = np.clip(deep, 0, 1)
        return np.repeat(grey[..., None], 3, axis=2) if colour else grey
    plain = picture.convert("RGB" if colour else "L")
    return np.asarray(plain, dtype=np.float32) / np.float32(255)


def upright(pixels: _Pixels, picture: Image.Image) -> _Pixels:
    """Pixels [H, W] or [H, W, 3] turned as the file's EXIF orientation asks; themselves if not."""
    try:
        orientation = picture.getexif().get(_ORIENTATION, 1)
    except Exception:  # a broken EXIF block is no reason to refuse the picture
        return pixels
    if orientation not in range(2, 9):
        return pixels
    turned = pixels.swapaxes(0, 1) if orientation >= 5 else pixels
    # After the transposition of 5 to 8, what is left is a flip of the axes below.
    flips = {2: (1,), 3: (0, 1), 4: (0,), 5: (), 6: (1,), 7: (0, 1), 8: (0,)}[orientation]
    return np.ascontiguousarray(np.flip(turned, flips))  # type: ignore[return-value]


# Modes and transparency


def _is_deep(picture: Image.Image) -> bool:
    return picture.mode.startswith("I") or picture.mode == "F"


def _deep(picture: Image.Image, steps: list[str]) -> tuple[Grey, Grey | None]:
    """16 bits of grey, which Pillow's own conversion to 8 would clip: brightness and opacity.

    Values of 32 bits fill theirs. The transparent colour, where there is one, is one grey.
    """
    values = np.asarray(picture, dtype=np.float32)
    clear = picture.info.get("transparency")
    scale = 65535 if values.max() <= 65535 else float(values.max())
    grey = np.asarray(_shrunk(Image.fromarray(values / np.float32(scale))))
    tone = _tone_curve(picture, steps)
    if tone is not None:
        grey = np.interp(grey, np.linspace(0, 1, len(tone)), tone).astype(np.float32)
    if not isinstance(clear, int):
        return grey, None
    opaque = Image.fromarray((values != clear).astype(np.float32))
    return grey, np.asarray(_shrunk(opaque))


def _managed(picture: Image.Image, steps: list[str]) -> tuple[Image.Image, Grey | None]:
    """A picture of 8 bits in sRGB at the working size (L, RGB or CMYK), and its opacity."""
    if _is_clear(picture):
        layers = _shrunk(picture.convert("RGBA"))
        alpha = np.asarray(layers.getchannel("A"), dtype=np.float32) / np.float32(255)
        grey = picture.mode in ("L", "LA", "La")
        plain = layers.convert("RGB").getchannel("R") if grey else layers.convert("RGB")
    else:
        # Palettes and bits cannot be averaged; everything else is made small first.
        plain = _shrunk(picture.convert("RGB") if picture.mode in ("1", "P") else picture)
        alpha = None
    profile = picture.info.get("icc_profile")
    if profile:
        return _in_srgb(plain, bytes(profile), steps), alpha
    gamma = _odd_gamma(picture)
    if gamma is not None and plain.mode in ("L", "RGB"):
        steps.append(f"gamma of the file ({gamma:.3g}) converted to sRGB's")
        table = np.rint(_gamma_curve(gamma) * 255).astype(int).tolist()
        plain = plain.point(table * len(plain.getbands()))
    return plain, alpha


def _is_clear(picture: Image.Image) -> bool:
    """Whether a pixel may be transparent."""
    bands = picture.getbands()
    return "A" in bands or "a" in bands or "transparency" in picture.info


# Colour profiles

_PROFILE_STEP: Final = "colours converted to sRGB, as the file's colour profile says"
_SPACES: Final = {"RGB": "RGB", "L": "GRAY", "CMYK": "CMYK"}  # a profile's, by the picture's mode


def _in_srgb(plain: Image.Image, profile: bytes, steps: list[str]) -> Image.Image:
    """A picture (L, RGB or CMYK) by its ICC profile; itself where that is sRGB, near enough."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        if source.profile.xcolor_space.strip() != _SPACES.get(plain.mode):
            return plain  # a grey file with a profile for colours: viewers leave it out too
        made = ImageCms.profileToProfile(
            plain, source, ImageCms.createProfile("sRGB"), outputMode="RGB"
        )
    except Exception:  # littlecms raises all sorts of errors on hostile bytes
        steps.append("its colour profile cannot be read and is left out")
        return plain
    assert made is not None
    before = np.asarray(plain.convert("RGB"), dtype=np.int16)
    if plain.mode != "CMYK" and int(np.abs(np.asarray(made, np.int16) - before).max()) <= _SAME:
        return plain
    steps.append(_PROFILE_STEP)
    return made.convert("L") if plain.mode == "L" else made


def _tone_curve(picture: Image.Image, steps: list[str]) -> NDArray[np.float64] | None:
    """256 sRGB tones in [0, 1] of the greys 0 to 1 of a file, by its profile or gamma; or None."""
    profile, gamma = picture.info.get("icc_profile"), _odd_gamma(picture)
    if profile:
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        made = _in_srgb(ramp, bytes(profile), steps)
        return None if made is ramp else np.asarray(made, dtype=np.float64)[0] / 255
    if gamma is None:
        return None
    steps.append(f"gamma of the file ({gamma:.3g}) converted to sRGB's")
    return _gamma_curve(gamma)


def _odd_gamma(picture: Image.Image) -> float | None:
    """The gAMA of a PNG that is not sRGB's; None where it is, or says nothing of use."""
    gamma = picture.info.get("gamma")
    if not isinstance(gamma, float) or "srgb" in picture.info or not 0.1 < gamma < 5:
        return None
    return None if abs(gamma / _SRGB_GAMMA - 1) < 0.05 else gamma


def _gamma_curve(gamma: float) -> NDArray[np.float64]:
    """sRGB's tones of the 256 greys of a file written with v = light ** gamma."""
    light = np.linspace(0, 1, 256) ** (1 / gamma)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _shrunk(picture: Image.Image) -> Image.Image:
    """Averaged down to the working size, so that memory stays small from here on."""
    factor = math.ceil(max(picture.size) / _WORKING_SIDE)
    return picture.reduce(factor) if factor > 1 else picture


def _fitting_background(brightness: Grey, alpha: Grey) -> float:
    """0 or 1: the background on which the visible part of a transparent picture shows.

    Visible pixels of one brightness are the ink itself, and need the opposite background; visible
    pixels of two are ink with its paper, and the background continues the paper, the larger part.
    """
    weight = float(alpha.sum())
    if weight == 0:
        return 0.0
    mean = float((brightness * alpha).sum()) / weight
    spread = math.sqrt(float(((brightness - mean) ** 2 * alpha).sum()) / weight)
    bright = mean > 0.5
    return float(bright if spread > 0.15 else not bright)

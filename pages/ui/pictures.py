"""Pictures as PNG and GIF bytes: one montage costs a few milliseconds, many chart traces far more.

All pictures are palette images. A frame uses 200 greys; the captions use the theme's text colour
at 50 opacities, so that a montage lies on any ground.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from pages.ui import theme

SIDE = 28
_GREYS = 200
_INK = 50  # opacities of the text colour, after the greys
_EMPTY, _MARK, _CLEAR = _GREYS + _INK, _GREYS + _INK + 1, 255
_MAX_SCALE = 40

Pixels = NDArray[np.uint8]


def _array(name: str, images: Tensor, dimensions: int) -> NDArray[np.float32]:
    """images as float32 [..., 28, 28] with the single channel dropped; ValueError otherwise."""
    if images.ndim != dimensions or images.shape[-3] != 1:
        raise ValueError(f"{name} must have shape [..., 1, H, W], not {list(images.shape)}")
    array = images.detach().cpu().numpy().astype(np.float32)[..., 0, :, :]
    if not np.isfinite(array).all():
        raise ValueError(f"{name} must be finite")
    return array


def _check_scale(scale: int) -> None:
    if not 1 <= scale <= _MAX_SCALE:
        raise ValueError(f"scale must lie between 1 and {_MAX_SCALE}, not {scale}")


def _enlarge(pixels: Pixels, scale: int) -> Pixels:
    return pixels.repeat(scale, axis=-2).repeat(scale, axis=-1)


@lru_cache(maxsize=2)
def _colours(dark: bool) -> tuple[bytes, bytes]:
    """The palette (RGB bytes) and the opacity of each of its entries."""
    colours = theme.palette(dark)
    entries: list[tuple[int, int, int]] = []
    entries += [(g, g, g) for g in np.linspace(0, 255, _GREYS).round().astype(int).tolist()]
    entries += [theme.rgb(colours.text)] * _INK
    entries += [theme.rgb(colours.surface), theme.rgb(colours.accent)]
    entries += [theme.rgb(colours.ground)] * (256 - len(entries))
    opacity = [255] * _GREYS + np.linspace(0, 255, _INK).round().astype(int).tolist()
    opacity += [255] * (_CLEAR - len(opacity)) + [0]
    return bytes(np.array(entries, dtype=np.uint8).tobytes()), bytes(opacity)


@lru_cache(maxsize=4096)
def _written(text: str, size: int) -> Pixels:
    """A line of text as indices of the palette, on clear ground, [height, width]."""
    font = ImageFont.load_default(size)
    left, _, right, bottom = font.getbbox(text)
    top = font.getbbox("0")[1]  # the line begins where its figures do: every row counts
    canvas = Image.new("L", (max(1, int(right - left)), max(1, int(bottom - top))))
    ImageDraw.Draw(canvas).text((-left, -top), text, fill=255, font=font)
    coverage = np.asarray(canvas, dtype=np.uint16)
    index = (_GREYS + (coverage * (_INK - 1) + 127) // 255).astype(np.uint8)
    index[coverage == 0] = _CLEAR
    return index


def _size(captions: Sequence[str], wanted: int, width: int) -> int:
    """The size of writing at which every caption fits into `width` pixels, at most `wanted`."""
    longest = max(captions, key=len, default="")
    size = wanted
    while size > 9 and ImageFont.load_default(size).getlength(longest) > width:
        size -= 1
    return size


def _png(pixels: Pixels, dark: bool) -> bytes:
    colours, opacity = _colours(dark)
    image = Image.frombytes("P", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
    image.putpalette(colours)
    buffer = io.BytesIO()
    image.save(buffer, "PNG", transparency=opacity, compress_level=1)
    return buffer.getvalue()


def _montage(
    images: Tensor,
    captions: Sequence[str],
    columns: int,
    slots: int,
    scale: int,
    highlight: int | None,
    widest: str = "",
) -> Pixels:
    """The frames in a grid as palette indices."""
    _check_scale(scale)
    frames = _array("images", images, 4)
    if len(frames) != len(captions):
        raise ValueError(f"{len(frames)} images but {len(captions)} captions")
    if len(frames) > slots or columns < 1:
        raise ValueError(f"{len(frames)} images do not fit into {slots} slots")
    if highlight is not None and not 0 <= highlight < slots:
        raise ValueError(f"there is no frame {highlight} to highlight")
    height, width = frames.shape[1:] if len(frames) else (SIDE, SIDE)
    gap = max(2, scale)
    frame_h = height * scale + 2 * gap
    wanted = max(9, 5 * scale if scale <= 4 else 14 + 3 * scale // 2)  # of the writing, px
    size = _size([*captions, widest], wanted, width * scale + 2 * gap)
    cell_w, cell_h = width * scale + 2 * gap, frame_h + 4 * scale + 3
    rows = -(-slots // columns)
    canvas = np.full((rows * cell_h, columns * cell_w), _CLEAR, np.uint8)
    grey = _enlarge((frames.clip(0, 1) * (_GREYS - 1) + 0.5).astype(np.uint8), scale)
    for slot in range(slots):
        top, left = (slot // columns) * cell_h, (slot % columns) * cell_w
        if slot == highlight:
            canvas[top : top + frame_h, left : left + cell_w] = _MARK
        box = canvas[
            top + gap : top + gap + height * scale, left + gap : left + gap + width * scale
        ]
        box[:] = grey[slot] if slot < len(frames) else _EMPTY
        if slot < len(frames) and captions[slot]:
            word = _written(captions[slot], size)[: cell_h - frame_h - scale // 2, :cell_w]
            x = left + (cell_w - word.shape[1]) // 2
            y = top + frame_h + scale // 2
            canvas[y : y + word.shape[0], x : x + word.shape[1]] = word
    return canvas


def frame_grid(
    images: Tensor,
    captions: Sequence[str],
    *,
    columns: int = 5,
    slots: int = 25,
    scale: int = 3,
    dark: bool = False,
    highlight: int | None = None,
    widest: str = "",
) -> bytes:
    """Figure 4 as PNG: frames [F, 1, 28, 28] in [0, 1] in a grid, a caption under each.

    captions: F short texts, written smaller where they would not fit; slots: places in the grid, F
    of them filled and the others drawn empty, so that the picture's size never changes; scale:
    screen pixels for one of the image's; highlight: the slot with a frame around it; widest: the
    longest caption that is to come, for a size of writing that does not change either. The ground
    is transparent.
    Raises ValueError for NaN or infinities, for wrong shapes and for more frames than slots.
    """
    return _png(_montage(images, captions, columns, slots, scale, highlight, widest), dark)


def picture(image: Tensor, scale: int = 8) -> bytes:
    """One image [1, 28, 28] in [0, 1] as PNG, `scale` pixels for each; ValueError as above."""
    _check_scale(scale)
    grey = (_array("the image", image, 3).clip(0, 1) * 255 + 0.5).astype(np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(_enlarge(grey, scale)).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def signed(delta: Tensor, limit: float, scale: int = 8, *, dark: bool = False) -> bytes:
    """A signed image [1, 28, 28] as PNG in the diverging map: zero neutral, +-limit its ends.

    Raises ValueError for NaN or infinities and for a limit that is not positive.
    """
    _check_scale(scale)
    if not (np.isfinite(limit) and limit > 0):
        raise ValueError(f"the limit of a signed picture must be positive, not {limit}")
    table = theme.diverging_table(dark)
    half = len(table) // 2
    values = (_array("delta", delta, 3) / limit).clip(-1, 1)
    image = Image.fromarray(_enlarge((np.rint(values * half) + half).astype(np.uint8), scale))
    image = Image.frombytes("P", image.size, image.tobytes())
    image.putpalette(table.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def gif(
    images: Tensor, captions: Sequence[str], ms: int = 120, *, scale: int = 8, dark: bool = False
) -> bytes:
    """Frames [F, 1, 28, 28] as an endless GIF with captions, `ms` milliseconds each.

    The last frame stays for a second. Raises ValueError as `frame_grid`, and for no frames.
    """
    if not len(images):
        raise ValueError("a GIF needs at least one frame")
    if len(images) != len(captions):
        raise ValueError(f"{len(images)} images but {len(captions)} captions")
    if not 20 <= ms <= 10_000:
        raise ValueError(f"a frame lasts between 20 and 10000 ms, not {ms}")
    widest = max(captions, key=len)
    colours, opacity = _colours(dark)
    # A GIF's pixels are clear or not: the writing is mixed with the ground here.
    table = np.frombuffer(colours, np.uint8).reshape(-1, 3).astype(np.float64)
    alpha = np.frombuffer(opacity, np.uint8)[:, None] / 255
    ground = np.array(theme.rgb(theme.palette(dark).ground))
    flat = (alpha * table + (1 - alpha) * ground).round().astype(np.uint8).tobytes()
    frames = []
    for frame, caption in zip(images, captions, strict=True):
        pixels = _montage(frame[None], [caption], 1, 1, scale, None, widest)
        image = Image.frombytes("P", (pixels.shape[1], pixels.shape[0]), pixels.tobytes())
        image.putpalette(flat)
        frames.append(image)
    buffer = io.BytesIO()
    durations = [ms] * (len(frames) - 1) + [max(ms, 1000)]
    frames[0].save(
        buffer, "GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0
    )
    return buffer.getvalue()

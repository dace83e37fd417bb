"""The page's whole state as a URL, and back: settings, the user's own image, run, teach."""

from __future__ import annotations

import base64
import binascii
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pages.ui.link.codec import accepted, flags, left_out, raised
from red_core.algorithm.presets import presets_of
from red_core.attacks.pgd import PAPER_ATTACKS
from red_core.data.datasets import SHAPES
from red_core.run.settings import RunSettings

# The whole run in six seconds; so many steps a second; or whatever has come.
PACES = ("watch", "3", "10", "30", "full")
_BYTES = {"b": 1, "f": 4}  # of a value: 8 bits where that is exact, else float32
_MOST_TEXT = 8  # characters a value of an image; one in float32 that does not compress takes 5.4


@dataclass(frozen=True)
class Request:
    """What a URL asks for.

    settings: of the run; own: the user's image [C, H, W] in [0, 1] for source "own"; run:
    whether to run at once; teach: whether to hide the controls; pace: key of PACES, how fast the
    stage shows a run.
    """

    settings: RunSettings = field(default_factory=RunSettings)
    own: Tensor | None = None
    run: bool = False
    teach: bool = False
    pace: str = "watch"


def as_query(request: Request) -> dict[str, str]:
    """The short strings of a URL; `from_query` is its inverse."""
    query = request.settings.as_query()
    if request.own is not None and request.settings.source == "own":
        query["image"] = pack_image(request.own)
    query |= raised(request, "run", "teach")
    if request.pace != "watch":
        query["pace"] = request.pace
    return query


def from_query(query: Mapping[str, str]) -> tuple[Request, list[str]]:
    """The request of a URL, and a sentence about every value that was dropped."""
    settings, warnings = settings_from(query)
    own = None
    if settings.source == "own":
        try:
            own = unpack_image(query["image"], SHAPES[settings.dataset])
        except KeyError:
            warnings.append("The link asks for an image of your own but holds none.")
        except ValueError as error:
            warnings.append(str(error))
        if own is None:
            settings = replace(settings, source="example")
    pace = query.get("pace", "watch")
    if pace not in PACES:
        warnings.append(left_out("pace", f"it is one of {', '.join(PACES)}"))
        pace = "watch"
    return Request(settings, own, pace=pace, **flags(query, "run", "teach")), warnings


def canonical(settings: RunSettings) -> RunSettings:
    """The same run with nothing said twice: what paper and preset set anyway is left out."""
    changes: dict[str, Any] = {}
    if settings.attack == "none" or settings.source == "realizable":  # nothing is crafted
        changes = dict.fromkeys(("eps", "step_size", "attack_steps", "target"))
    else:
        paper = PAPER_ATTACKS[settings.dataset][settings.attack]
        for name, base in (
            ("eps", paper.eps),
            ("step_size", paper.step_size),
            ("attack_steps", paper.steps),
        ):
            if getattr(settings, name) == base:
                changes[name] = None
    preset = presets_of(settings.dataset)[settings.preset]
    kept = sorted(
        (name, value) for name, value in settings.solver if value != getattr(preset, name)
    )
    return replace(settings, solver=tuple(kept), **changes)


def settings_from(query: Mapping[str, str]) -> tuple[RunSettings, list[str]]:
    """Settings from what is valid of a URL's strings, and a sentence about each that is not.

    They are taken in the order in which they rest on each other.
    """
    order = [entry.name for entry in fields(RunSettings)]
    order += sorted(name for name in query if name.startswith("solver."))
    settings, warnings = accepted(query, order, RunSettings.from_query)
    return canonical(settings), warnings


def pack_image(image: Tensor) -> str:
    """An image [C, H, W] in [0, 1] as URL-safe text, exactly."""
    values = image.detach().cpu().to(torch.float32).numpy()
    eighth = np.rint(values * 255).astype(np.uint8)
    if np.array_equal(eighth.astype(np.float32) / np.float32(255), values):
        kind, raw = "b", eighth.tobytes()
    else:
        kind, raw = "f", values.astype("<f4").tobytes()
    return kind + base64.urlsafe_b64encode(zlib.compress(raw, 9)).decode().rstrip("=")


def unpack_image(text: str, shape: tuple[int, int, int]) -> Tensor:
    """The image of `shape` [C, H, W] of a URL's text.

    Raises ValueError, one sentence, where it holds none, or one of another shape.
    """
    refused = ValueError("The image in the link is damaged or incomplete and is left out.")
    kind, body = text[:1], text[1:]
    values = math.prod(shape)
    if kind not in _BYTES or len(text) > _MOST_TEXT * values:
        raise refused
    size = _BYTES[kind] * values
    try:
        packed = base64.b64decode(body + "=" * (-len(body) % 4), altchars=b"-_", validate=True)
        raw = zlib.decompressobj().decompress(packed, size + 1)
    except (binascii.Error, ValueError, zlib.error) as error:
        raise refused from error
    if len(raw) != size:
        raise refused
    if kind == "b":
        image = np.frombuffer(raw, np.uint8).astype(np.float32) / np.float32(255)
    else:
        image = np.frombuffer(raw, "<f4").astype(np.float32)
    if not np.isfinite(image).all() or image.min() < 0 or image.max() > 1:
        raise refused
    return torch.from_numpy(image.reshape(shape))

"""One run as a stream and as a file: a header, one record a moment, and the events of the run.

docs/record.md states the format for readers in other languages; `pages/ui/stage/record.js` is the
one of the browser. Moments are the steps of the attack (PGD), then those of Algorithm 1 (Section 5,
Algorithm 1), in the order in which they were computed. All numbers are little-endian.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from red_core.algorithm.observe import Iterate

VERSION = 1
MAGIC = b"RED-RUN\n"
PHASES = ("attack", "start", "joint")
MOST_RECORDS = 1000
MOST_BYTES = (
    64 * 2**20
)  # of a file once it is uncompressed: a thousand records of CIFAR-10 are 7 MB
NUMBERS = (
    *("k", "phase", "loss", "gap", "stationarity", "mu", "spot_x", "spot_y"),
    *("explained_scale", "seconds"),
)


class RecordError(ValueError):
    """Bytes that are no recorded run; the message is one sentence for the user."""


def record_type(shape: Sequence[int], classes: int, attacks: int) -> np.dtype[Any]:
    """The layout of one record for images of `shape` (C, H, W), as a NumPy structured type.

    k: steps done in the phase's count (PGD's own, or Algorithm 1's k); phase: index into PHASES;
    loss: the objective, or the attack's loss; gap: duality gap of the c_a problem; stationarity:
    norm of the gradient of f; mu: the error bound's quotient where (z*, c_a*) is known, elsewhere
    the norm of the proximal-gradient step; spot_x, spot_y: z projected on the run's plane, NaN
    where it has none; psi [classes]: what the classifier reads in the image; energy [classes,
    attacks]: ||c_a[i][j]||; image: G(z), or x + delta while the attack is made, 0..255 for 0..1;
    explained: D_a c_a, -127..127 for -explained_scale..explained_scale. Padded to four bytes.
    """
    pixels = math.prod(shape)
    names: list[Any] = [(name, "<f4") for name in NUMBERS]
    names += [("psi", "<f4", (classes,)), ("energy", "<f4", (classes, attacks))]
    names += [("image", "u1", tuple(shape)), ("explained", "i1", tuple(shape))]
    if 2 * pixels % 4:
        names.append(("padding", "u1", (4 - 2 * pixels % 4,)))
    return np.dtype(names)


def stride_of(total: int) -> int:
    """Every how many steps of Algorithm 1 a run of `total` steps is recorded, phase changes aside.

    So that attack (at most a tenth of the records), run and phase changes stay within MOST_RECORDS.
    """
    return max(1, math.ceil(total / (0.88 * MOST_RECORDS)))


def pixels_of(images: Tensor) -> NDArray[np.uint8]:
    """Images in [0, 1] as bytes, values beyond clipped."""
    clipped: NDArray[np.uint8] = (images.detach().cpu().clamp(0, 1) * 255).round().byte().numpy()
    return clipped


class RecordWriter:
    """Makes the records of one run; shape: (C, H, W)."""

    def __init__(self, shape: Sequence[int], classes: int, attacks: int) -> None:
        self._type = record_type(shape, classes, attacks)
        self._shape = tuple(shape)

    def attack(self, k: int, image: Tensor, loss: float, psi: Tensor, seconds: float) -> bytes:
        """The record of one PGD step: x + delta [C, H, W], psi's probabilities [classes]."""
        record = self._empty(k, "attack", loss, seconds)
        record["image"], record["psi"] = pixels_of(image), psi.detach().cpu().numpy()
        return record.tobytes()

    def iterate(
        self,
        iterate: Iterate,
        observed: Tensor,
        psi: Tensor,
        mu: float,
        spot: tuple[float, float] | None,
        seconds: float,
    ) -> bytes:
        """The record of an iterate (a batch of one); observed: x' [C, H, W]; psi [classes]."""
        record = self._empty(iterate.k, iterate.phase, float(iterate.loss[0]), seconds)
        record["gap"], record["mu"] = float(iterate.gap[0]), mu
        record["stationarity"] = float(iterate.gradient_norm[0])
        record["psi"], record["energy"] = psi.detach().cpu().numpy(), iterate.block_energy[0].cpu()
        record["image"] = pixels_of(iterate.image[0])
        if spot is not None:
            record["spot_x"], record["spot_y"] = spot
        explained = (observed - iterate.image[0] - iterate.residual[0]).detach().cpu()
        scale = float(explained.abs().max())
        if iterate.phase == "joint" and scale > 0:
            record["explained_scale"] = scale
            record["explained"] = (explained / scale * 127).round().to(torch.int8).numpy()
        return record.tobytes()

    def _empty(self, k: int, phase: str, loss: float, seconds: float) -> NDArray[Any]:
        record: NDArray[Any] = np.zeros((), self._type)
        record["k"], record["phase"], record["loss"] = k, PHASES.index(phase), loss
        record["spot_x"] = record["spot_y"] = np.nan
        record["gap"] = record["stationarity"] = record["mu"] = np.nan
        record["seconds"] = seconds
        return record


@dataclass(frozen=True)
class RecordedRun:
    """A run that was read: header and events as plain values, `records` as a structured array."""

    header: dict[str, Any]
    records: NDArray[Any]
    events: list[dict[str, Any]] = field(default_factory=list)


def write_run(
    header: dict[str, Any], records: Sequence[bytes], events: Sequence[dict[str, Any]]
) -> bytes:
    """The compressed file of a run: gzip of MAGIC, the length of a JSON text, it, the records."""
    text = json.dumps(
        {**header, "count": len(records), "events": list(events)}, allow_nan=False
    ).encode()
    whole = b"".join((MAGIC, struct.pack("<I", len(text)), text, *records))
    return gzip.compress(whole, 9, mtime=0)


def read_run(blob: bytes) -> RecordedRun:
    """The run of a file's bytes; RecordError where they are damaged or of another version."""
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(blob)) as opened:
            whole = opened.read(MOST_BYTES + 1)
    except (OSError, EOFError) as error:
        raise RecordError("This file is no recorded run, or it is incomplete.") from error
    if len(whole) > MOST_BYTES or not whole.startswith(MAGIC):
        raise RecordError("This file is no recorded run.")
    first = len(MAGIC) + 4
    try:
        (length,) = struct.unpack_from("<I", whole, len(MAGIC))
        header = json.loads(whole[first : first + length])
        if header["version"] != VERSION:
            raise RecordError(
                f"This run was recorded in version {header['version']} of the format."
            )
        layout = record_type(header["shape"], len(header["classes"]), len(header["attacks"]))
        records = np.frombuffer(whole, layout, offset=first + length)
        count, events = header.pop("count"), header.pop("events")
    except (KeyError, TypeError, ValueError, struct.error) as error:
        if isinstance(error, RecordError):
            raise
        raise RecordError("This recorded run is damaged.") from error
    if len(records) != count or not count:
        raise RecordError("This recorded run is incomplete.")
    return RecordedRun(header, records, events)


def floats(values: Sequence[float] | Tensor | NDArray[Any]) -> str:
    """Numbers as base64 text of little-endian float32, for events and headers."""
    return base64.b64encode(np.asarray(values, dtype="<f4").tobytes()).decode()


def image_text(image: Tensor) -> str:
    """An image [C, H, W] in [0, 1] as base64 text of its bytes."""
    return base64.b64encode(pixels_of(image).tobytes()).decode()

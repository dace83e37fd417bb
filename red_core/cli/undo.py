"""`undo`: images that are attacked already, from files: the signal and the attack of each."""

from __future__ import annotations

import argparse
import csv
import io
import json
import re
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from tqdm import tqdm

from red_core.algorithm.verdict import NO_ATTACK, UNKNOWN
from red_core.cli.common import (
    DATASET,
    DEFAULT_DATASET,
    Subparsers,
    UsageError,
    add_project,
    add_solver,
    add_threads,
    check_dataset,
    check_writable,
    count,
    finish,
    labelled,
    load_parts,
    make_folder,
    pick_device,
    solver_overrides,
)
from red_core.data.arrays import MAX_IMAGES, read_any
from red_core.data.atomic import write_atomically
from red_core.data.intake import Intake, IntakeError
from red_core.measure.accuracy import MAX_BATCH
from red_core.run.foreign import Undone, picture_of, undo_images
from red_core.run.settings import RunSettings

_MAX_FILE = 500_000_000  # bytes of one file; arrays are no larger than MAX_IMAGES allow
_COLUMNS = (
    "image", "x_prime", "signal", "signal_probability", "signal_margin",
    "attack", "attack_probability", "attack_margin", "unknown_p",
)  # fmt: skip


def add(subparsers: Subparsers) -> None:
    """The arguments of `undo`."""
    parser = subparsers.add_parser(
        "undo",
        help="attacked images from files: which signal, which attack",
        description="Undo attacked images that another program made. Each FILE is a picture (PNG, "
        "JPEG, WebP) or holds arrays (NPY, NPZ) of one or many images: [H, W], [C, H, W], [H, W, "
        "C] or [N, ...], floats in [0, 1] or bytes. A file that cannot be read is named, and the "
        "others are undone; the exit status is then 2.",
    )
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--dataset", help=DATASET)
    add_project(parser)
    parser.add_argument(
        "--as-is", action="store_true", help="take pictures' pixels as the files store them"
    )
    parser.add_argument("--json", type=Path, metavar="OUT", help="file of one JSON line an image")
    parser.add_argument("--table", type=Path, metavar="OUT", help="file for the table as CSV")
    parser.add_argument(
        "--pictures", type=Path, metavar="DIR", help="folder of one PNG an image: x', G(z), D_a "
        "c_a and the rest, of which the last two are signed (mid-grey is zero)",
    )  # fmt: skip
    parser.add_argument("--batch", type=count, default=50, help="undone together (default: 50)")
    parser.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")
    add_threads(parser)
    add_solver(parser)
    parser.set_defaults(execute=execute)


def execute(arguments: argparse.Namespace) -> int:
    """Read all files, undo what could be read, write batch by batch, then print."""
    arguments.dataset = arguments.dataset or DEFAULT_DATASET
    check_dataset(arguments.dataset)
    if arguments.batch > MAX_BATCH:
        raise UsageError(f"batch must lie between 1 and {MAX_BATCH}, not {arguments.batch}")
    settings = RunSettings(
        dataset=arguments.dataset,
        source="own",
        attack="none",
        preset=arguments.preset,
        solver=solver_overrides(arguments),
        seed=arguments.seed,
        device=arguments.device,
    )
    for path in (arguments.json, arguments.table):
        check_writable(path)
    if arguments.pictures is not None:
        make_folder(arguments.pictures)
    device = pick_device(arguments.device)
    images, refused = _read(arguments.files, arguments.dataset, arguments.as_is)
    if not images:
        raise UsageError(" ".join(refused))
    bundle = load_parts(arguments, settings, device)
    rows: list[dict[str, str]] = []
    lines, pictures = _Lines(arguments.json), _Pictures(arguments.pictures)
    batches = undo_images(bundle, images, settings, arguments.batch)
    with lines, tqdm(total=len(images), desc="undo", unit="image") as bar:
        for batch in batches:
            for one in batch:
                taken = images[one.number]
                lines.write(_line(one, taken, settings, bundle.class_names))
                pictures.write(one, taken)
                rows.append(_row(one, taken, bundle.class_names))
            bar.update(len(batch))
    faults = [each.fault for each in (lines, pictures) if each.fault is not None]
    also = [f"written   {each.path}" for each in (lines, pictures) if each.path and not each.fault]
    try:
        named = labelled(bundle, {})
        finish(
            [*named, *_taken(images), *_table(rows), *also], (arguments.table, _csv(rows).encode)
        )
    except UsageError as error:
        faults.append(str(error))
    if refused or faults:
        raise UsageError(" ".join((*refused, *faults)))
    return 0


def _read(paths: Sequence[Path], dataset: str, as_is: bool) -> tuple[list[Intake], list[str]]:
    """The images of all files, and a sentence about every file that cannot be read."""
    images: list[Intake] = []
    refused: list[str] = []
    for path in paths:
        try:
            if not path.is_file():
                raise UsageError(f"There is no file {path}.")
            with path.open("rb") as stream:
                data = stream.read(_MAX_FILE + 1)
            images += read_any(
                data, filename=path.name, dataset=dataset, as_is=as_is, most=_MAX_FILE
            )
        except (UsageError, IntakeError) as error:
            refused.append(str(error))
        except OSError as error:
            refused.append(f"{path} cannot be read: {error.strerror or error}.")
        if len(images) > MAX_IMAGES:
            raise UsageError(f"more than {MAX_IMAGES:,} images: undo them in parts")
    return images, refused


class _Lines:
    """A file of JSON lines; every finished line is on the disk, whatever comes after it.

    Nothing more is written after an error of the system; fault: a sentence about it, or None.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.fault: str | None = None
        self._stream: IO[str] | None = None

    def __enter__(self) -> _Lines:
        if self.path is not None:
            self._stream = self.path.open("w", encoding="utf-8")
        return self

    def write(self, values: dict[str, Any]) -> None:
        if self._stream is not None and self.fault is None:
            try:
                self._stream.write(json.dumps(values, allow_nan=False) + "\n")
                self._stream.flush()
            except OSError as error:
                self.fault = f"{self.path} cannot be written: {error.strerror or error}."

    def __exit__(self, *_: object) -> None:
        if self._stream is not None:
            with suppress(OSError):  # what could not be written before cannot be now
                self._stream.close()


class _Pictures:
    """A folder of one PNG an image, named by the image's number and name; fault: as of `_Lines`."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.fault: str | None = None

    def write(self, one: Undone, taken: Intake) -> None:
        if self.path is None or self.fault is not None:
            return
        buffer = io.BytesIO()
        picture_of(one.parts).save(buffer, "PNG")
        safe = re.sub(r"[^A-Za-z0-9._-]+", "-", taken.name).strip("-.") or "image"
        try:
            write_atomically(self.path / f"{one.number:05d}-{safe}.png", buffer.getvalue())
        except OSError as error:
            self.fault = f"{self.path} cannot be written into: {error.strerror or error}."


def _line(
    one: Undone, taken: Intake, settings: RunSettings, names: tuple[str, ...]
) -> dict[str, Any]:
    """What the JSON line of an image holds."""
    return {
        "image": taken.name,
        "taken": list(taken.steps),
        "signal": names[one.answers["signal_label"]],
        "attack": one.answers["attack_label"],
        **one.answers,
        "settings": {
            name: value
            for name, value in settings.as_dict().items()
            if name in ("dataset", "preset", "solver", "seed")
        },
    }


def _row(one: Undone, taken: Intake, names: tuple[str, ...]) -> dict[str, str]:
    """The cells of an image's row, by column."""
    made = one.answers
    chances, attack = made["probabilities"]["attack"], made["attack_label"]
    signal, seen = made["signal_label"], made["adversarial_label"]
    known = "" if attack == UNKNOWN else f"{chances[attack]:.2f}"
    return dict(
        zip(
            _COLUMNS,
            (
                taken.name,
                names[seen],
                names[signal],
                f"{made['probabilities']['signal'][signal]:.2f}",
                f"{made['margins']['signal']:.2f}",
                attack,
                known,
                f"{made['margins']['attack']:.2f}",
                f"{made['unknown']['p_value']:.2g}",
            ),
            strict=True,
        )
    )


def _taken(images: Sequence[Intake]) -> list[str]:
    """What was read of each file, in one line a file."""
    lines: dict[tuple[str, tuple[str, ...]], int] = {}
    for one in images:
        key = one.file, one.steps
        lines[key] = lines.get(key, 0) + 1
    return [
        f"read      {name}: {many} image{'s' if many > 1 else ''}; {'; '.join(steps)}"
        for (name, steps), many in lines.items()
    ]


def _table(rows: Sequence[dict[str, str]]) -> list[str]:
    """The rows for a terminal: answers with their probability and margin."""
    made = [("image", "x' read as", "signal", "attack", "p of unknown")]
    for row in rows:
        attack = {NO_ATTACK: "no attack found"}.get(row["attack"], row["attack"])
        sure = f"{row['attack_probability']}, " if row["attack_probability"] else ""
        made.append(
            (
                row["image"],
                row["x_prime"],
                f"{row['signal']} ({row['signal_probability']}, margin {row['signal_margin']})",
                f"{attack} ({sure}margin {row['attack_margin']})",
                row["unknown_p"],
            )
        )
    wide = [max(len(cells[i]) for cells in made) for i in range(len(made[0]))]
    return [
        "  ".join(f"{c:{w}}" for c, w in zip(cells, wide, strict=True)).rstrip() for cells in made
    ]


def _csv(rows: Sequence[dict[str, str]]) -> str:
    stream = io.StringIO()
    writer = csv.DictWriter(stream, _COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return stream.getvalue()

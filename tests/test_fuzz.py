"""Damaged uploads and links by the thousand, from a fixed seed: the documented errors, or a result.

RED_FUZZ=full (`make fuzz`) tries 2,000 uploads and 1,000 links a page; the unit tests try a few.
The memory in use may grow by 5% from the time when every decoder has been used once.
"""

from __future__ import annotations

import gc
import io
import itertools
import os
import random
import resource
import string
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from pages.ui.compare import compare_request
from pages.ui.error_bound import error_bound_request
from pages.ui.landscape import landscape_request
from pages.ui.learn import learn_request
from pages.ui.tables import tables_request
from pages.ui.undo import own_image, undo_request
from red_core.data.datasets import DATASETS, SHAPES
from red_core.data.intake import IntakeError
from red_core.synthetic import MatrixError, read_matrix

FULL = os.environ.get("RED_FUZZ") == "full"
UPLOADS, LINKS = (2000, 1000) if FULL else (150, 80)
GROWTH = 1.05
FOREIGN = Path(__file__).parent / "red_core" / "data" / "foreign"


def encoded(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def numbers(save: Callable[..., object], *arrays: object, **named: object) -> bytes:
    stream = io.BytesIO()
    save(stream, *arrays, **named)
    return stream.getvalue()


def seeds() -> list[bytes]:
    """One sound file of every kind that is taken."""
    draw = np.random.default_rng(0)
    grey = Image.fromarray(draw.integers(0, 256, (40, 30), np.uint8))
    colour = Image.fromarray(draw.integers(0, 256, (32, 32, 3), np.uint8))
    deep = Image.fromarray(draw.integers(0, 65536, (28, 28), np.uint16))
    profile = Image.open(FOREIGN / "icc_linear.png").info["icc_profile"]
    exif = Image.Exif()
    exif[0x0112] = 6
    return [
        *(path.read_bytes() for path in sorted(FOREIGN.glob("*.png"))),
        encoded(grey),
        encoded(grey.convert("1")),
        encoded(colour.quantize(16), transparency=3),
        encoded(deep, transparency=7),
        encoded(colour.convert("RGBA")),
        encoded(colour, "JPEG", icc_profile=profile, exif=exif),
        encoded(colour.convert("CMYK"), "JPEG"),
        encoded(colour, "WEBP", lossless=True),
        encoded(colour, "WEBP", save_all=True, append_images=[colour.rotate(90)]),
        numbers(np.save, draw.random((28, 28), np.float32)),
        numbers(np.save, draw.integers(0, 256, (3, 32, 32, 3), np.uint8)),
        numbers(np.savez, attacked=draw.random((2, 28, 28)), image=draw.random((2, 28, 28))),
        numbers(np.savez_compressed, x=draw.random((3, 32, 32))),
    ]


def repaired(png: bytearray) -> bytearray:
    """The PNG with right checksums, so that damage reaches the decoder behind them."""
    at = 8
    while at + 12 <= len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        end = at + 8 + length
        if end + 4 > len(png):
            break
        png[end : end + 4] = struct.pack(">I", zlib.crc32(bytes(png[at + 4 : end])))
        at = end + 4
    return png


def mutated(data: bytes, draw: random.Random) -> bytes:
    """A few bytes changed, removed, doubled or put in; or the end cut off."""
    made = bytearray(data)
    for _ in range(draw.randint(1, 6)):
        at = draw.randrange(len(made) + 1)
        action = draw.randrange(6)
        if action == 0 and made:
            made[min(at, len(made) - 1)] = draw.randrange(256)
        elif action == 1 and made:
            place = min(at, len(made) - 1)
            made[place] ^= 1 << draw.randrange(8)
        elif action == 2:
            del made[at : at + draw.randint(1, 20)]
        elif action == 3:
            made[at:at] = draw.randbytes(draw.randint(1, 20))
        elif action == 4:
            made[at:at] = made[at : at + draw.randint(1, 60)]
        elif draw.random() < 0.2:
            del made[at:]
        # Header fields: sizes, depths and counts are within the first bytes.
        if made and draw.random() < 0.3:
            made[draw.randrange(min(64, len(made)))] = draw.choice([0, 1, 127, 128, 255])
    if made.startswith(b"\x89PNG") and draw.random() < 0.7:
        made = repaired(made)
    return bytes(made)


def uploads() -> Iterator[tuple[bytes, str, str, bool]]:
    draw, files = random.Random(18), seeds()
    names = ["x.png", "x.npz", "x.npy", "__init__.png", "![x](y).png", "\u03c8\u202e.jpg", ""]
    for _ in range(UPLOADS):
        data = mutated(draw.choice(files), draw)
        yield data, draw.choice(names), draw.choice(DATASETS), draw.random() < 0.3


def in_use() -> float:
    """The memory that this process has now, in MB; the most it has had, where that is not told."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return pages * resource.getpagesize() / 2**20


@pytest.mark.timeout(3000)
@pytest.mark.filterwarnings("ignore")
def test_damaged_uploads_give_an_image_or_one_sentence() -> None:
    taken, refused = 0, list[str]()
    before = None
    for count, (data, name, dataset, as_is) in enumerate(uploads()):
        try:
            images = own_image.take_file(data, name, dataset, as_is)
        except IntakeError as error:
            refused.append(str(error))
        else:
            taken += 1
            for one in images:
                assert one.image.shape == SHAPES[dataset]
                assert bool(torch.isfinite(one.image).all())
                assert 0 <= float(one.image.min()) <= float(one.image.max()) <= 1
                assert one.steps
        if count == UPLOADS // 4:  # every decoder has been used by now
            gc.collect()
            before = in_use()
    assert [said for said in refused if not said.endswith(".") or "\n" in said] == []
    assert min(taken, len(refused)) > UPLOADS // 20
    assert before is not None
    gc.collect()
    print(f"{before:.0f} MB, and {in_use():.0f} MB after {UPLOADS} uploads")
    if FULL:
        assert in_use() < GROWTH * before


def test_damaged_matrices_give_a_matrix_or_one_sentence() -> None:
    draw, refused = random.Random(19), list[str]()
    sound = [b"1,2,3\n4,5,6\n7,8,10\n", numbers(np.save, np.eye(4)), b"1 2\n3 4\n5 6\n"]
    for _ in range(UPLOADS // 5):
        data = mutated(draw.choice(sound), draw)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                made = read_matrix(data, draw.choice(["w.csv", "w.npy", "$w$.csv"]))
            except MatrixError as error:
                refused.append(str(error))
            else:
                assert bool(torch.isfinite(made).all())
    assert [said for said in refused if "\n" in said] == []


# Links

KNOWN = {
    "dataset": ["mnist", "fashion", "cifar10"],
    "source": ["example", "own", "realizable"],
    "index": ["7", "0", "399"],
    "label": ["3"],
    "attack": ["linf", "l2", "l1", "none"],
    "eps": ["0.3", "1e-30"],
    "step_size": ["0.01"],
    "attack_steps": ["5"],
    "target": ["7"],
    "preset": ["best", "paper", "bsd-dp"],
    "solver.steps": ["20"],
    "solver.halve_at": ["1,2"],
    "seed": ["4"],
    "device": ["cpu", "cuda"],
    "image": [undo_request.pack_image(torch.rand(1, 28, 28))],
    "run": ["1"],
    "teach": ["1"],
    "pace": ["3"],
    "methods": ["cnn,sbsc", "none"],
    "cell": ["x"],
    "table": ["1", "2"],
    "family": ["gaussian"],
    "m": ["20"],
    "w": ["eNo="],
    "lesson": ["attack", "lambda"],
    "step": ["2"],
    "playlist": ["norms.1,lambda.2"],
    "show": ["synthetic", "image", "run", "figure1", "descent"],
    "plane": ["pca", "hessian"],
    "generator": ["dcgan"],
    "sweep": ["1"],
}
# What a run of a whole page would compute for long, or from files that the toys lack.
SLOW = ("run", "sweep", "show", "m", "methods", "generator", "preset")
WILD = [
    "", " ", "nan", "inf", "-1", "1e400", "9" * 400, "0x10", "\u0663", "\x00", "[x](y)", "$x$",
    "<b>", "../../etc/passwd", "{}", "[]", "null", "true", "\ud800", "%s%n", "a" * 5000,
]  # fmt: skip


def links(page: str = "") -> Iterator[dict[str, str]]:
    """Queries without end; of a page: its own, and without what computes for long."""
    draw = random.Random(f"20{page}")
    while True:
        query = {}
        for name in draw.sample(sorted(KNOWN), draw.randint(1, 9)):
            if page and name in SLOW:
                continue
            value = draw.choice(KNOWN[name])
            fate = draw.random()
            if fate < 0.25:
                value = draw.choice(WILD)
            elif fate < 0.5:
                letters = list(value) or ["0"]
                for _ in range(draw.randint(1, 4)):
                    letters[draw.randrange(len(letters))] = draw.choice(string.printable)
                value = "".join(letters)
            if draw.random() < 0.1:
                name = draw.choice(["solver.", "solver.**", name.upper(), "__class__", "", "\x00"])
            if page:  # as a server reads the bytes of an address
                value = value.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
            query[name] = value
        yield query


PAGES = {
    "undo": undo_request.from_query,
    "compare": compare_request.from_query,
    "landscape": landscape_request.from_query,
    "error_bound": error_bound_request.from_query,
    "tables": tables_request.from_query,
    "learn": learn_request.from_query,
}


@pytest.mark.timeout(3000)
@pytest.mark.parametrize("page", PAGES)
def test_damaged_links_give_a_request_and_sentences(page: str) -> None:
    warned = 0
    for query in itertools.islice(links(), LINKS):
        _, warnings = PAGES[page](query)
        warned += bool(warnings)
        for warning in warnings:
            assert warning
            assert isinstance(warning, str)
    assert warned > LINKS // 20

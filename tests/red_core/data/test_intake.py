"""A user's image: every refusal has its sentence, everything else is MNIST's."""

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFile

from red_core.data.arrays import read_npz
from red_core.data.intake import Intake, IntakeError, from_canvas, read_image

relaxed = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.data_too_large]
)


def encode(picture: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def seven(mode: str = "L", ink: object = 0, ground: object = 255, side: int = 200) -> Image.Image:
    """A drawn 7, off centre: a bar along the top and a slanted stem."""
    picture = Image.new(mode, (side, side), ground)
    pen, unit = ImageDraw.Draw(picture), side / 100
    pen.line([(30 * unit, 15 * unit), (70 * unit, 15 * unit)], fill=ink, width=round(8 * unit))
    pen.line([(70 * unit, 15 * unit), (45 * unit, 85 * unit)], fill=ink, width=round(8 * unit))
    return picture


def check(intake: Intake) -> torch.Tensor:
    image = intake.image
    assert image.shape == (1, 28, 28)
    assert image.dtype == torch.float32
    assert bool(torch.isfinite(image).all())
    assert 0 <= float(image.min()) <= float(image.max()) <= 1
    assert all(isinstance(step, str) and step for step in intake.steps)
    return image[0]


def png_header(width: int, height: int, depth: int = 8, colour: int = 0) -> bytes:
    """A PNG whose header promises a size that its one-line data does not hold."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(100)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


def npz(**arrays: object) -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, **arrays)
    return stream.getvalue()


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def refusal(call: Callable[[], Intake]) -> str:
    with pytest.raises(IntakeError) as caught:
        call()
    message = str(caught.value)
    assert message.endswith(".")
    assert "\n" not in message
    return message


# Pictures that are refused


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello, I am a text", "no PNG, JPEG or WebP image"),
        (b"%PDF-1.7 and so on", "no PNG, JPEG or WebP image"),
        (bytes(10_000_001), "10.0 MB; the most is 10 MB"),
        (png_header(1, 1), "1 x 1 pixels; each side needs at least 8"),
        (png_header(7, 300), "7 x 300 pixels"),
        (png_header(10_000, 5_000), "50.0 megapixels (10000 x 5000); the most is 40"),
        (png_header(12_000, 12_000), "megapixels"),
        (png_header(2**31 - 1, 2**31 - 1), "too many pixels"),
        (png_header(100, 100), "damaged or incomplete"),
        (encode(seven())[:300], "damaged or incomplete"),
        (encode(seven(), "JPEG")[:500], "damaged or incomplete"),
        (encode(seven(), "GIF"), "GIF is not taken"),
        (encode(seven(), "BMP"), "no PNG, JPEG or WebP image"),
        (encode(Image.new("L", (64, 64), 128)), "nearly the same brightness"),
        (encode(Image.new("RGBA", (64, 64), (9, 9, 9, 0))), "nearly the same brightness"),
    ],
    ids=range(16),
)
def test_a_bad_file_is_refused_in_one_sentence(data: bytes, message: str) -> None:
    assert message in refusal(lambda: read_image(data, filename="digit.png"))


def test_real_pictures_of_one_pixel_and_of_fifty_megapixels_are_refused() -> None:
    assert "1 x 1" in refusal(lambda: read_image(encode(Image.new("L", (1, 1)))))
    huge = encode(Image.new("1", (10_000, 5_000)))
    assert "50.0 megapixels" in refusal(lambda: read_image(huge))


def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    for width in (7_000, 10_000, 30_000):
        refusal(lambda width=width: read_image(png_header(width, 7_000)))


def test_a_speck_of_dust_is_no_digit() -> None:
    picture = Image.new("L", (100, 100), 0)
    picture.putpixel((50, 50), 255)
    assert "only 1 pixels long" in refusal(lambda: read_image(encode(picture)))


@pytest.mark.parametrize(
    ("filename", "shown"),
    [
        ("a/b/digit.png", "digit.png is"),
        ("c:\\me\\digit.png", "digit.png is"),
        ("", "The file is"),
        ("x" * 200, "xxx... is"),
        ("a\nb\x1b[31m.png", "ab[31m.png is"),
    ],
)
def test_messages_name_the_file_but_not_its_folder(filename: str, shown: str) -> None:
    message = refusal(lambda: read_image(b"", filename=filename))
    assert shown in message
    assert len(message) < 100


# Pictures that are taken


def test_every_mode_and_format_gives_the_same_digit() -> None:
    expected = check(read_image(encode(seven())))
    grey16 = Image.fromarray(np.asarray(seven(), dtype=np.uint16) * 257)
    clear = Image.new("RGBA", (200, 200), (0, 0, 0, 0))
    clear.putalpha(seven("L", 255, 0))
    palette = seven("RGB", (0, 0, 0), (255, 255, 255)).quantize(4)
    see_through = encode(palette, transparency=palette.getpixel((0, 0)))
    files = {
        "1": encode(seven("1", 0, 1)),
        "RGB": encode(seven("RGB", (0, 0, 0), (255, 255, 255))),
        "LA": encode(seven("LA", (0, 255), (255, 255))),
        "RGBA": encode(clear),
        "16-bit": encode(grey16),
        "palette": encode(palette),
        "palette, transparent": see_through,
        "CMYK": encode(seven("CMYK", (0, 0, 0, 255), (0, 0, 0, 0)), "JPEG", quality=95),
        "JPEG": encode(seven(), "JPEG", quality=90),
        "WebP": encode(seven("RGB", (0, 0, 0), (255, 255, 255)), "WEBP"),
        "white on black": encode(seven("L", 255, 0)),
        "larger": encode(seven(side=1500)),
        "on grey paper": encode(seven("L", 40, 190)),
    }
    for name, data in files.items():
        image = check(read_image(data))
        assert float((image - expected).abs().max()) < 0.35, name
        assert float((image - expected).abs().mean()) < 0.02, name


def test_the_steps_say_what_was_done() -> None:
    assert read_image(encode(seven())).steps == (
        "inverted: the background was bright",
        "cropped to the ink",
        "scaled to 20 pixels on the longer side",
        "centred by its centre of mass",
    )
    assert not any("inverted" in s for s in read_image(encode(seven("L", 255, 0))).steps)


def test_conventions_of_mnist_hold() -> None:
    image = check(read_image(encode(seven()))).numpy()
    rows, columns = np.flatnonzero(image.any(1)), np.flatnonzero(image.any(0))
    assert max(np.ptp(rows), np.ptp(columns)) + 1 == 20
    place = np.arange(28)
    assert abs(image.sum(1) @ place / image.sum() - 14) <= 0.51
    assert abs(image.sum(0) @ place / image.sum() - 14) <= 0.51
    assert image.max() > 0.9
    assert image[0].max() == 0


def test_a_digit_of_mnist_comes_back_unchanged() -> None:
    once = read_image(encode(seven()))
    pixels = np.round(check(once).numpy() * 255).astype(np.uint8)
    again = read_image(encode(Image.fromarray(pixels)))
    assert float((again.image - once.image).abs().max()) < 0.51 / 255
    assert again.steps == ("already 28 x 28 and centred: neither cropped, scaled nor stretched",)


def test_an_uneven_grainy_photograph_is_read_like_the_clean_drawing() -> None:
    clean = np.asarray(seven("L", 0, 255, 600), dtype=np.float64) / 255
    lamp = np.linspace(0, 0.15, 600)
    grain = np.random.default_rng(0).normal(0, 0.02, clean.shape)
    photograph = np.clip(0.2 + 0.5 * clean + lamp + grain, 0, 1)
    taken = read_image(
        encode(Image.fromarray((photograph * 255).astype(np.uint8)), "JPEG", quality=70)
    )
    assert float((check(taken) - check(read_image(encode(seven())))).abs().mean()) < 0.03
    assert "contrast stretched from the background to the ink" in taken.steps


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_turns_the_picture_upright(orientation: int) -> None:
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,  # the inverse of what a reader has to do
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = seven().transpose(turn[orientation]) if orientation > 1 else seven()
    taken = read_image(encode(stored, "JPEG", quality=95, exif=exif))
    expected = read_image(encode(seven(), "JPEG", quality=95))
    assert float((check(taken) - check(expected)).abs().max()) < 0.15
    assert ("turned upright, as its EXIF orientation says" in taken.steps) == (orientation > 1)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_an_animation_the_first_frame_is_taken(kind: str) -> None:
    frames = [seven("RGB", (0, 0, 0), (255, 255, 255)), Image.new("RGB", (200, 200), (9, 90, 200))]
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], lossless=True)
    taken = read_image(data)
    assert taken.steps[0] == "first frame only: the file holds several"
    assert float((check(taken) - check(read_image(encode(seven())))).abs().mean()) < 0.01


def test_a_sticker_keeps_its_own_paper() -> None:
    sticker = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    sticker.paste(seven("RGBA", (0, 0, 0, 255), (255, 255, 255, 255)), (60, 60))
    expected = check(read_image(encode(seven())))
    assert float((check(read_image(encode(sticker))) - expected).abs().mean()) < 0.01


# Drawings


def test_a_drawing_is_read_like_a_file() -> None:
    strokes = np.zeros((200, 200, 4), dtype=np.uint8)
    strokes[..., 3] = np.asarray(seven("L", 255, 0))
    expected = check(read_image(encode(seven())))
    assert float((check(from_canvas(strokes)) - expected).abs().max()) < 0.02
    on_paper = np.asarray(seven("RGBA", (0, 0, 0, 255), (255, 255, 255, 255)))
    assert float((check(from_canvas(on_paper)) - expected).abs().max()) < 0.02


@pytest.mark.parametrize(
    ("canvas", "message"),
    [
        (np.zeros((200, 200, 4), np.uint8), "shows no digit"),
        (np.full((200, 200, 4), 255, np.uint8), "shows no digit"),
        (np.zeros((200, 200, 4), np.float32), "array of bytes"),
        (np.zeros((200, 200, 2), np.uint8), "array of bytes"),
        (np.zeros((0, 0, 4), np.uint8), "0 x 0"),
        (np.zeros((1, 1, 4), np.uint8), "1 x 1"),
    ],
)
def test_a_bad_drawing_is_refused(canvas: np.ndarray, message: str) -> None:
    assert re.search(message, refusal(lambda: from_canvas(canvas)))


# Arrays


@pytest.mark.parametrize("shape", [(28, 28), (1, 28, 28)])
@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_an_array_is_taken_as_it_is(shape: tuple[int, ...], dtype: type) -> None:
    array = np.random.default_rng(1).random(shape).astype(dtype)
    fortran = np.asfortranarray(array)
    expected = torch.from_numpy(array.astype(np.float32).reshape(28, 28))
    for data in (npz(image=array, other=np.zeros(9)), npy(array), npy(fortran)):
        taken = read_npz(data)
        assert torch.equal(check(taken), expected)
        assert taken.steps == ("taken as it is: neither centred nor scaled",)


def grid(value: float) -> np.ndarray:
    array = np.full((28, 28), 0.5)
    array[3, 4] = value
    return array


def lying_zip() -> bytes:
    """A member of 100 MB whose directory entry claims 1,000 bytes."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("image.npy", npy(grid(0.5)) + bytes(100_000_000))
    data = bytearray(stream.getvalue())
    entry = data.rindex(b"PK\x01\x02")
    data[entry + 24 : entry + 28] = struct.pack("<I", 1000)
    return bytes(data)


def huge_member() -> bytes:
    return npz(image=np.zeros((2000, 2000)))


def claimed(shape: str) -> bytes:
    """NPY bytes whose header promises a shape its data does not hold."""
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"no array", "no NPZ or NPY file"),
        (b"PK\x03\x04 broken", "damaged"),
        (npz(image=grid(0.5))[:200], "damaged"),
        (npz(picture=grid(0.5).ravel()), "no array named image"),
        (npz(image=grid(np.nan)), "NaN or infinite"),
        (npy(grid(np.inf)), "NaN or infinite"),
        (npy(grid(-np.inf)), "NaN or infinite"),
        (npy(grid(1.01)), "from 0.5 to 1.01, outside"),
        (npy(grid(-0.2)), "from -0.2 to 0.5, outside"),
        (npy(grid(200.0)), "divide by 255 first"),
        (npy(np.zeros((27, 28))), r"not \(27, 28\)"),
        (npy(np.random.default_rng(0).random((3, 28, 28))), "holds 3 images"),
        (npy(np.zeros(784)), r"not \(784,\)"),
        (npy(np.zeros((28, 28), dtype=complex)), "real numbers"),
        (npy(np.full((28, 28), "a")), "real numbers"),
        (npy(np.full((28, 28), None, dtype=object)), "real numbers"),
        (npz(image=np.full((28, 28), None, dtype=object)), "real numbers"),
        (npy(np.zeros((28, 28)))[:-1], "damaged or incomplete"),
        (claimed("(28, 28)"), "damaged or incomplete"),
        (claimed("(1000000, 1000000)"), "must have the shape"),
        (claimed("(28, -28)"), "must have the shape"),
        (huge_member(), r"not \(2000, 2000\)"),
        (lying_zip(), "damaged|no NPZ or NPY file that can be read"),
    ],
    ids=range(24),
)
def test_a_bad_array_is_refused(data: bytes, message: str) -> None:
    assert re.search(message, refusal(lambda: read_npz(data, filename="x.npz")))


def test_pickled_code_is_never_run() -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return pytest.fail, ("the pickle was opened",)

    array = np.empty((28, 28), dtype=object)
    array[:] = Trap()
    refusal(lambda: read_npz(npy(array)))


# Whatever comes in


def outcome(call: Callable[[], Intake]) -> None:
    """An IntakeError or a fine image; anything else fails the test."""
    try:
        intake = call()
    except IntakeError:
        return
    check(intake)


@relaxed
@given(st.binary(max_size=400))
def test_any_bytes(data: bytes) -> None:
    outcome(lambda: read_image(data))
    outcome(lambda: read_npz(data))


SEEDS = [
    encode(seven(side=40)),
    encode(seven(side=40), "JPEG"),
    encode(seven("RGB", (0, 0, 0), (255, 255, 255), 40), "WEBP"),
    npz(image=grid(0.2)),
    npy(grid(0.2)),
]


@relaxed
@given(
    st.sampled_from(SEEDS),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=8),
    st.integers(0, 40),
)
def test_any_damage(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    if cut:
        del damaged[-cut:]
    outcome(lambda: read_image(bytes(damaged)))
    outcome(lambda: read_npz(bytes(damaged)))


@relaxed
@given(
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"]),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
    st.booleans(),
)
def test_any_picture(mode: str, width: int, height: int, seed: int, sparse: bool) -> None:
    size = len(Image.new(mode, (width, height)).tobytes())
    random = np.random.default_rng(seed)
    raw = random.integers(0, 256, size, dtype=np.uint8)
    if sparse:
        raw *= random.random(size) < 0.05
    picture = Image.frombytes(mode, (width, height), raw.tobytes())
    outcome(lambda: read_image(encode(picture, "JPEG" if mode == "CMYK" else "PNG")))


@relaxed
@given(st.integers(0, 60), st.integers(0, 60), st.sampled_from([3, 4]), st.integers(0, 2**32 - 1))
def test_any_drawing(width: int, height: int, channels: int, seed: int) -> None:
    shape = (height, width, channels)
    outcome(
        lambda: from_canvas(np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8))
    )

"""A user's picture made CIFAR-10's: the middle square, 32 x 32, in its own colours."""

import io
import re
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageFile

from red_core.data.intake import Intake, IntakeError, from_canvas, read_image
from tests.red_core.data.test_intake import encode, png_header, refusal

relaxed = settings(
    deadline=None, max_examples=60, suppress_health_check=[HealthCheck.data_too_large]
)
SKY, GRASS, ROOF = (90, 160, 230), (40, 120, 30), (200, 40, 20)


def scene(width: int = 320, height: int = 320) -> Image.Image:
    """Sky over grass, and a red roof left of the middle and above it."""
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[: height // 2], pixels[height // 2 :] = SKY, GRASS
    pixels[height // 4 : height // 2, width // 4 : width // 2] = ROOF
    return Image.fromarray(pixels)


def taken(data: bytes, filename: str = "house.jpg") -> Intake:
    return read_image(data, filename=filename, dataset="cifar10")


def check(intake: Intake) -> torch.Tensor:
    image = intake.image
    assert image.shape == (3, 32, 32)
    assert image.dtype == torch.float32
    assert image.is_contiguous()
    assert bool(torch.isfinite(image).all())
    assert 0 <= float(image.min()) <= float(image.max()) <= 1
    assert all(isinstance(step, str) and step for step in intake.steps)
    return image


def colour_at(image: torch.Tensor, row: int, column: int) -> list[int]:
    return (image[:, row, column] * 255).round().int().tolist()


# What is taken


def test_colours_and_places_stay() -> None:
    made = taken(encode(scene()))
    image = check(made)
    assert made.steps == ("scaled to 32 x 32 pixels",)
    assert colour_at(image, 4, 24) == list(SKY)
    assert colour_at(image, 28, 4) == list(GRASS)
    assert colour_at(image, 12, 12) == list(ROOF)


def test_a_picture_of_the_data_sets_size_is_taken_as_it_is() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    made = taken(encode(Image.fromarray(pixels)))
    expected = torch.from_numpy(pixels).permute(2, 0, 1).float() / 255
    assert torch.equal(check(made), expected)
    assert made.steps == ("already 32 x 32: not scaled",)


@pytest.mark.parametrize(("width", "height"), [(640, 320), (320, 640), (33, 32), (4000, 320)])
def test_the_middle_is_cut_out_and_nothing_is_stretched(width: int, height: int) -> None:
    side = min(width, height)
    wide = Image.new("RGB", (width, height), (0, 0, 0))
    wide.paste(scene(side, side), ((width - side) // 2, (height - side) // 2))
    made = taken(encode(wide))
    assert torch.equal(check(made), taken(encode(scene(side, side))).image)
    assert made.steps[0] == "cropped to the square in the middle"


def test_a_small_picture_is_enlarged_and_says_so() -> None:
    made = taken(encode(scene(8, 8)))
    check(made)
    assert made.steps == ("enlarged to 32 x 32 pixels, which adds no detail",)


def test_scaling_averages_rather_than_skips() -> None:
    fine = np.indices((640, 640)).sum(0) % 2 * 255
    fine[:, 320:] = 0  # not all of one colour
    image = check(taken(encode(Image.fromarray(fine.astype(np.uint8)))))
    assert float((image[:, 4:28, 4:12] - 0.5).abs().max()) < 0.02


def test_every_mode_and_format_gives_the_same_picture() -> None:
    expected = check(taken(encode(scene())))
    clear = scene().convert("RGBA")
    files = {
        "RGBA": encode(clear),
        "palette": encode(scene().quantize(8)),
        "WebP": encode(scene(), "WEBP", lossless=True),
        "JPEG": encode(scene(), "JPEG", quality=95, subsampling=0),
        "larger": encode(scene(2400, 2400)),
    }
    for name, data in files.items():
        assert float((check(taken(data)) - expected).abs().mean()) < 0.01, name


def test_cmyk_is_converted() -> None:
    made = taken(encode(scene().convert("CMYK"), "JPEG", quality=95))
    assert "CMYK converted to red, green and blue" in made.steps
    assert float((check(made) - taken(encode(scene())).image).abs().mean()) < 0.1


@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_grey_is_the_same_in_all_colours(mode: str) -> None:
    grey = scene().convert("L")
    if mode == "I;16":
        picture = Image.fromarray(np.asarray(grey, np.uint16) * 257)
    else:
        picture = grey.convert(mode)
    made = taken(encode(picture))
    image = check(made)
    assert torch.equal(image[0], image[1])
    assert torch.equal(image[0], image[2])
    assert re.search("grey.* the same in red, green and blue", made.steps[0])
    if mode != "1":
        expected = check(taken(encode(grey)))
        assert float((image - expected).abs().max()) < 0.01


def test_transparent_parts_are_white_and_say_so() -> None:
    sticker = Image.new("RGBA", (320, 320), (0, 0, 0, 0))
    sticker.paste(scene(160, 160), (80, 80))
    made = taken(encode(sticker))
    image = check(made)
    assert made.steps[0] == "transparent parts put on white"
    assert colour_at(image, 2, 2) == [255, 255, 255]
    # The roof is four pixels wide here, and Lanczos's kernel rings a little.
    assert np.abs(np.array(colour_at(image, 14, 14)) - ROOF).max() <= 6
    palette = scene().quantize(4)
    see_through = taken(encode(palette, transparency=palette.getpixel((0, 0))))
    assert see_through.steps[0] == "transparent parts put on white"
    assert colour_at(check(see_through), 2, 2) == [255, 255, 255]


def test_half_transparent_is_mixed_with_white() -> None:
    half = scene()
    half.putalpha(128)
    image = check(taken(encode(half)))
    expected = [round(c * 128 / 255 + 127) for c in SKY]
    assert np.abs(np.array(colour_at(image, 4, 24)) - expected).max() <= 1


@pytest.mark.parametrize(("orientation", "wide"), list(product(range(1, 9), [False, True])))
def test_exif_orientation_turns_the_picture_upright(orientation: int, wide: bool) -> None:
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
    upright = scene(480 if wide else 320, 320)
    stored = upright.transpose(turn[orientation]) if orientation > 1 else upright
    made = taken(encode(stored, exif=exif))
    assert float((check(made) - taken(encode(upright)).image).abs().max()) < 0.02
    assert ("turned upright, as its EXIF orientation says" in made.steps) == (orientation > 1)


def test_of_an_animation_the_first_frame_is_taken() -> None:
    frames = [scene(), Image.new("RGB", (320, 320), (9, 90, 200))]
    data = encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    made = taken(data)
    assert made.steps[0] == "first frame only: the file holds several"
    assert float((check(made) - taken(encode(scene())).image).abs().mean()) < 0.01


def test_a_canvas_is_read_like_a_file() -> None:
    rgba = np.asarray(scene().convert("RGBA"))
    made = from_canvas(rgba, dataset="cifar10")
    assert torch.equal(check(made), taken(encode(scene())).image)


# What is refused


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "empty"),
        (b"hello, I am a text", "no PNG, JPEG or WebP image"),
        (bytes(10_000_001), "10.0 MB; the most is 10 MB"),
        (png_header(7, 300, colour=2), "7 x 300 pixels"),
        (png_header(10_000, 5_000, colour=2), "the most is 40"),
        (png_header(2**31 - 1, 2**31 - 1, colour=2), "too many pixels"),
        (png_header(100, 100, colour=2), "damaged or incomplete"),
        (encode(scene(), "JPEG")[:500], "damaged or incomplete"),
        (encode(scene(), "GIF"), "GIF is not taken"),
        (encode(Image.new("RGB", (64, 64), (9, 90, 200))), "nearly the same colour"),
        (encode(Image.new("RGBA", (64, 64), (9, 9, 9, 0))), "nearly the same colour"),
    ],
    ids=range(11),
)
def test_a_bad_file_is_refused_in_one_sentence(data: bytes, message: str) -> None:
    assert message in refusal(lambda: taken(data))


def test_a_decompression_bomb_is_refused_before_it_is_decoded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ImageFile.ImageFile, "load", lambda _: pytest.fail("decoded"))
    for width in (7_000, 10_000, 30_000):
        refusal(lambda width=width: taken(png_header(width, 7_000, colour=2)))


# Whatever comes in


def outcome(data: bytes) -> None:
    """An IntakeError or a fine image; anything else fails the test."""
    try:
        intake = taken(data)
    except IntakeError:
        return
    check(intake)


@relaxed
@given(
    st.sampled_from([encode(scene(40, 50)), encode(scene(40, 40), "JPEG")]),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=8),
    st.integers(0, 40),
)
def test_any_damage(data: bytes, changes: list[tuple[int, int]], cut: int) -> None:
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    if cut:
        del damaged[-cut:]
    outcome(bytes(damaged))


@relaxed
@given(
    st.sampled_from(["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16"]),
    st.integers(1, 60),
    st.integers(1, 60),
    st.integers(0, 2**32 - 1),
)
def test_any_picture(mode: str, width: int, height: int, seed: int) -> None:
    size = len(Image.new(mode, (width, height)).tobytes())
    raw = np.random.default_rng(seed).integers(0, 256, size, dtype=np.uint8)
    picture = Image.frombytes(mode, (width, height), raw.tobytes())
    stream = io.BytesIO()
    picture.save(stream, "JPEG" if mode == "CMYK" else "PNG")
    outcome(stream.getvalue())

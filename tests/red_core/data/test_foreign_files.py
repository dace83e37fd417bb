"""Images from elsewhere: already attacked ones, colour profiles, deep pixels, arrays of many."""

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageCms

from red_core.data.arrays import MAX_IMAGES, read_arrays, read_npz
from red_core.data.intake import read_image
from tests.red_core.data.test_intake import claimed, encode, npy, npz, refusal, seven

FOREIGN = Path(__file__).parent / "foreign"
ATTACKS = ("linf", "l2", "l1")


def attacked(dataset: str, kind: str) -> np.ndarray:
    """Twenty images that PGD attacked with the paper's budgets, in 8 bits, [20, 28, 28]."""
    with np.load(FOREIGN / "attacked.npz") as stored:
        return stored[f"{dataset}_{kind}"]


# A file in the data set's own format


FORMS = {
    "L": lambda pixels: encode(Image.fromarray(pixels)),
    "RGB": lambda pixels: encode(Image.fromarray(pixels).convert("RGB")),
    "RGBA": lambda pixels: encode(Image.fromarray(pixels).convert("RGBA")),
    "palette": lambda pixels: encode(Image.fromarray(pixels).convert("P")),
    "16-bit": lambda pixels: encode(Image.fromarray(pixels.astype(np.uint16) * 257)),
    "WebP": lambda pixels: encode(Image.fromarray(pixels).convert("RGB"), "WEBP", lossless=True),
    "negative": lambda pixels: encode(Image.fromarray(255 - pixels)),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("kind", ATTACKS)
@pytest.mark.parametrize("dataset", ["mnist", "fashion"])
def test_an_attacked_image_in_the_sets_own_format_is_not_cleaned(
    dataset: str, kind: str, form: str
) -> None:
    for pixels in attacked(dataset, kind):
        made = read_image(FORMS[form](pixels), dataset=dataset)
        expected = torch.from_numpy(pixels.astype(np.float32) / np.float32(255))
        torch.testing.assert_close(made.image[0], expected, rtol=0, atol=1e-6)
        assert made.steps[-1].startswith("already 28 x 28")


@pytest.mark.parametrize(
    ("name", "dataset"),
    [
        ("adv_mnist_7_linf", "mnist"),
        ("adv_mnist_120_linf", "mnist"),
        ("adv_mnist_7_l2", "mnist"),
        ("adv_fashion_3_linf", "fashion"),
        ("adv_fashion_155_linf", "fashion"),
    ],
)
def test_the_files_that_were_cleaned_once(name: str, dataset: str) -> None:
    path = FOREIGN / f"{name}.png"
    pixels = np.asarray(Image.open(path), np.float32) / 255
    for as_is in (False, True):
        made = read_image(path.read_bytes(), dataset=dataset, as_is=as_is)
        assert torch.equal(made.image[0], torch.from_numpy(pixels))
    assert read_npz(npy(pixels), dataset=dataset).image.equal(made.image)


def test_a_digit_of_the_right_size_far_from_the_middle_is_centred_still() -> None:
    pixels = np.zeros((28, 28), np.uint8)
    pixels[0:12, 0:6] = 255
    steps = read_image(encode(Image.fromarray(pixels))).steps
    assert steps[-1] == "centred by its centre of mass"


# What was done can be switched off


def test_as_it_is_takes_the_stored_pixels_whatever_they_are() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    pixels[0] = pixels[-1] = 255  # a bright ground, which would be inverted
    exif = Image.Exif()
    exif[0x0112] = 3
    for dataset in ("mnist", "fashion"):
        made = read_image(encode(Image.fromarray(pixels), exif=exif), dataset=dataset, as_is=True)
        assert torch.equal(made.image[0], torch.from_numpy(pixels.astype(np.float32) / 255))
        assert made.steps == ("taken as it is, as was asked",)
    path = FOREIGN / "icc_P3.png"
    made = read_image(path.read_bytes(), dataset="cifar10", as_is=True)
    assert torch.equal(made.image.permute(1, 2, 0) * 255, torch.tensor(np.array(Image.open(path))))


@pytest.mark.parametrize(("dataset", "size"), [("mnist", "28 x 28"), ("cifar10", "32 x 32")])
def test_as_it_is_takes_the_sets_own_size_alone(dataset: str, size: str) -> None:
    said = refusal(lambda: read_image(encode(seven()), dataset=dataset, as_is=True))
    assert f"is 200 x 200 pixels; only {size} can be taken as it is" in said


def test_as_it_is_nothing_to_see_is_refused_too() -> None:
    for dataset, side in (("mnist", 28), ("fashion", 28), ("cifar10", 32)):
        plain = encode(Image.new("L", (side, side), 0))
        assert "shows nothing" in refusal(
            lambda plain=plain, dataset=dataset: read_image(plain, dataset=dataset, as_is=True)
        )


# Colour profiles and gamma

PROFILE_SAID = "colours converted to sRGB, as the file's colour profile says"


def srgb(light: np.ndarray) -> np.ndarray:
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def light(tone: np.ndarray) -> np.ndarray:
    return np.where(tone <= 0.04045, tone / 12.92, ((tone + 0.055) / 1.055) ** 2.4)


# Display P3's primaries to sRGB's (both with D65), in linear light.
P3 = np.array(
    [[1.2249, -0.2247, 0.0], [-0.0420, 1.0419, 0.0], [-0.0197, -0.0786, 1.0979]]
)  # fmt: skip


@pytest.mark.parametrize("name", ["linear", "P3"])
def test_a_colour_profile_is_converted_to_srgb(name: str) -> None:
    path = FOREIGN / f"icc_{name}.png"
    made = read_image(path.read_bytes(), dataset="cifar10")
    assert made.steps == (PROFILE_SAID, "already 32 x 32: not scaled")
    raw = np.asarray(Image.open(path), np.float64) / 255
    right = srgb(raw) if name == "linear" else srgb(np.clip(light(raw) @ P3.T, 0, 1))
    off = np.abs(made.image.permute(1, 2, 0).numpy() - right)
    assert off.max() <= 0.02
    assert np.abs(raw - right).max() > 0.025, "without the profile it is off"


def test_a_profile_that_is_srgb_changes_no_pixel() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    made = read_image(encode(Image.fromarray(pixels), icc_profile=profile), dataset="cifar10")
    assert torch.equal(made.image.permute(1, 2, 0) * 255, torch.from_numpy(pixels).float())
    assert made.steps == ("already 32 x 32: not scaled",)


def linear_profile() -> bytes:
    return Image.open(FOREIGN / "icc_linear.png").info["icc_profile"]


@pytest.mark.parametrize("mode", ["RGBA", "P", "JPEG", "WebP", "transparent colour"])
def test_profiles_hold_in_every_mode_with_colours(mode: str) -> None:
    ramp = np.repeat(np.linspace(40, 200, 32).astype(np.uint8)[None], 32, 0)
    picture = Image.fromarray(np.stack([ramp] * 3, 2))
    kind, options = "PNG", {}
    if mode in ("JPEG", "WebP"):
        kind = mode.upper()
        options = {"quality": 100} if mode == "JPEG" else {"lossless": True}
    elif mode == "transparent colour":
        options = {"transparency": (1, 2, 3)}
    else:
        picture = picture.convert(mode)
    made = read_image(
        encode(picture, kind, icc_profile=linear_profile(), **options), dataset="cifar10"
    )
    assert PROFILE_SAID in made.steps
    expected = srgb(np.asarray(picture.convert("RGB"), np.float64) / 255)
    assert np.abs(made.image.permute(1, 2, 0).numpy() - expected).max() <= 0.02


@pytest.mark.parametrize("profile", [b"no profile at all", b"\0" * 200])
def test_a_broken_profile_is_left_out_and_said(profile: bytes) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    made = read_image(encode(Image.fromarray(pixels), icc_profile=profile), dataset="cifar10")
    assert "its colour profile cannot be read and is left out" in made.steps
    assert torch.equal(made.image.permute(1, 2, 0) * 255, torch.from_numpy(pixels).float())


def test_a_grey_file_with_a_profile_for_colours_is_read_without_it() -> None:
    pixels = attacked("mnist", "linf")[0]
    made = read_image(encode(Image.fromarray(pixels), icc_profile=linear_profile()))
    assert torch.equal(made.image[0] * 255, torch.from_numpy(pixels).float())


def with_gamma(png: bytes, gamma: float) -> bytes:
    """A PNG with a gAMA chunk behind its header."""
    body = b"gAMA" + struct.pack(">I", round(gamma * 100000))
    chunk = struct.pack(">I", 4) + body + struct.pack(">I", zlib.crc32(body))
    return png[:33] + chunk + png[33:]


@pytest.mark.parametrize("deep", [False, True])
def test_the_gamma_of_a_png_is_converted(deep: bool) -> None:
    pixels = np.repeat(np.arange(32, dtype=np.uint8)[None] * 8, 32, 0)
    picture = Image.fromarray(pixels.astype(np.uint16) * 257 if deep else pixels)
    made = read_image(with_gamma(encode(picture), 1.0), dataset="cifar10")
    assert "gamma of the file (1) converted to sRGB's" in made.steps
    assert np.abs(made.image[0].numpy() - srgb(pixels / 255)).max() <= 0.02
    usual = read_image(with_gamma(encode(picture), 0.45455), dataset="cifar10")
    assert torch.equal(usual.image, read_image(encode(picture), dataset="cifar10").image)


# Deep pixels with a transparent colour


def test_sixteen_bits_with_a_transparent_colour_as_the_eight_bit_twin() -> None:
    data = (FOREIGN / "deep_trns_white.png").read_bytes()
    deep = Image.open(io.BytesIO(data))
    pixels = np.asarray(deep)
    grey = np.where(pixels == deep.info["transparency"], 255, pixels >> 8).astype(np.uint8)
    twin = Image.fromarray(grey).convert("LA")
    twin.putalpha(Image.fromarray(np.where(pixels == 65534, 0, 255).astype(np.uint8)))
    for dataset in ("mnist", "fashion"):
        made, other = read_image(data, dataset=dataset), read_image(encode(twin), dataset=dataset)
        assert float((made.image - other.image).abs().max()) < 0.02
        assert made.steps[1:] == other.steps


@pytest.mark.parametrize("dataset", ["mnist", "fashion", "cifar10"])
@pytest.mark.parametrize("clear", [0, 65535, 30000])
def test_any_deep_grey_may_be_the_transparent_one(dataset: str, clear: int) -> None:
    ink = {0: 65535, 65535: 0, 30000: 65535}[clear] if dataset != "cifar10" else 20_000
    drawn = np.asarray(seven("L", 255, 0)) > 0
    deep = Image.fromarray(np.where(drawn, ink, clear).astype(np.uint16))
    twin = np.stack([np.where(drawn, ink >> 8, clear >> 8), np.where(drawn, 255, 0)], 2)
    made = read_image(encode(deep, transparency=clear), dataset=dataset)
    other = read_image(encode(Image.fromarray(twin.astype(np.uint8), "LA")), dataset=dataset)
    assert float((made.image - other.image).abs().max()) < 0.01


def test_a_transparent_colour_of_sixteen_bits_a_channel() -> None:
    """Pillow reads such pixels to 8 bits, and leaves the colour that is transparent in 16."""
    rows = np.zeros((40, 40, 3), np.uint16)
    rows[10:30, 10:30] = (50_000, 20_000, 10_000)
    raw = b"".join(b"\0" + row.astype(">u2").tobytes() for row in rows)

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        (
            chunk(b"IHDR", struct.pack(">IIBBBBB", 40, 40, 16, 2, 0, 0, 0)),
            chunk(b"tRNS", struct.pack(">HHH", 50_000, 20_000, 10_000)),
            chunk(b"IDAT", zlib.compress(raw)),
            chunk(b"IEND", b""),
        )
    )
    made = read_image(data, dataset="cifar10")
    assert "transparent parts put on white" in made.steps
    assert float(made.image[:, 16, 16].min()) == 1


# Arrays


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    ("dataset", "shape"), [("mnist", (28, 28)), ("fashion", (28, 28)), ("cifar10", (3, 32, 32))]
)
def test_an_array_that_shows_nothing_is_refused_as_its_picture_is(
    dataset: str, shape: tuple[int, ...], value: float
) -> None:
    for data in (npy(np.full(shape, value)), npz(attacked=np.full((2, *shape), value))):
        said = refusal(lambda data=data: read_arrays(data, dataset=dataset))
        assert "shows nothing: all its pixels have nearly the same" in said


GREY = {
    (28, 28): 1, (1, 28, 28): 1, (28, 28, 1): 1, (5, 28, 28): 5, (5, 1, 28, 28): 5,
    (5, 28, 28, 1): 5, (1, 1, 28, 28): 1,
}  # fmt: skip
COLOUR = {
    (3, 32, 32): 1, (32, 32, 3): 1, (5, 3, 32, 32): 5, (5, 32, 32, 3): 5, (3, 3, 32, 32): 3,
    (32, 32, 32, 3): 32,
}  # fmt: skip


@pytest.mark.parametrize("kind", ["float32", "float64", "uint8", "int64", "fortran"])
@pytest.mark.parametrize(
    ("dataset", "shape"),
    [*(("mnist", shape) for shape in GREY), *(("cifar10", shape) for shape in COLOUR)],
)
def test_one_or_many_in_every_layout(dataset: str, shape: tuple[int, ...], kind: str) -> None:
    whole = kind in ("uint8", "int64")
    levels = np.random.default_rng(1).integers(0, 256, shape)
    array = levels.astype(kind) if whole else (levels / 255).astype(kind.replace("fortran", "f8"))
    if kind == "fortran":
        array = np.asfortranarray(array)
    made = read_arrays(npy(array), filename="x.npy", dataset=dataset)
    assert len(made) == {**GREY, **COLOUR}[shape]
    plain = levels / 255
    if dataset == "cifar10" and shape[-1] == 3:
        plain = np.moveaxis(plain, -1, -3)
    plain = plain.reshape(len(made), *((1, 28, 28) if dataset == "mnist" else (3, 32, 32)))
    for number, one in enumerate(made):
        assert one.image.dtype == torch.float32
        assert one.image.is_contiguous()
        np.testing.assert_allclose(one.image.numpy(), plain[number], atol=1e-7)
        assert one.name == ("x.npy" if len(made) == 1 else f"x.npy, image {number}")
        assert one.steps[-1].startswith("taken as it is")
        assert (one.steps[0] == "whole numbers from 0 to 255, divided by 255") == whole


def picture(seed: int = 0, count: int | None = None) -> np.ndarray:
    shape = (28, 28) if count is None else (count, 28, 28)
    return np.random.default_rng(seed).random(shape).astype(np.float32)


@pytest.mark.parametrize("key", ["attacked", "adv", "x_adv", "adversarial"])
def test_of_a_file_with_clean_and_attacked_images_the_attacked_are_taken(key: str) -> None:
    made = read_npz(npz(**{"image": picture(0), key: picture(1), "signal": picture(2)}))
    assert torch.equal(made.image[0], torch.from_numpy(picture(1)))
    assert made.attacked
    assert made.steps[0] == f"the array {key!r} of the file"
    plain = read_npz(npz(image=picture(0), signal=picture(2)))
    assert torch.equal(plain.image[0], torch.from_numpy(picture(0)))
    assert not plain.attacked


def test_the_only_array_of_images_needs_no_name() -> None:
    made = read_arrays(npz(found=picture(count=3), labels=np.arange(3), note=np.array("a word")))
    assert len(made) == 3
    assert made[0].steps[0] == "the array 'found' of the file"
    said = refusal(lambda: read_arrays(npz(a=picture(), b=picture()), filename="r.npz"))
    assert "r.npz holds several arrays of images ('a', 'b'): call the one to take attacked" in said


def test_one_image_is_wanted_where_one_is() -> None:
    assert "x.npy holds 2 images" in refusal(
        lambda: read_npz(npy(picture(count=2)), filename="x.npy")
    )


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (picture() * 2 - 1, "take (x + 1) / 2 first"),
        (picture() * 255, "divide by 255 first"),
        (picture() * 1000, "outside [0, 1]."),
        ((picture() * 2000).astype(np.int32), "outside [0, 1]."),
        (np.zeros((0, 28, 28)), "must have the shape"),
    ],
)
def test_other_ranges_are_refused_with_what_helps(array: np.ndarray, message: str) -> None:
    assert message in refusal(lambda: read_arrays(npy(array)))


def test_more_images_than_a_file_may_hold() -> None:
    said = refusal(lambda: read_arrays(claimed(f"({MAX_IMAGES + 1}, 28, 28)")))
    assert f"holds {MAX_IMAGES + 1:,} images; the most is {MAX_IMAGES:,}" in said


def test_a_file_of_torchs_is_named_for_what_it_is() -> None:
    stream = io.BytesIO()
    torch.save(torch.rand(1, 28, 28), stream)
    said = refusal(lambda: read_arrays(stream.getvalue(), filename="x.pt"))
    assert "save its tensor with numpy.save" in said

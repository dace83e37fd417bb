"""Pictures of clothes, made as Fashion-MNIST's own were: trimmed, 28 long, centred, negated."""

import io
from collections.abc import Callable

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from red_core.data.assets import read_tensors
from red_core.data.intake import Intake, IntakeError, from_canvas, read_image


def png(grey: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(grey: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(grey.astype(np.uint8)).save(buffer, "JPEG", quality=85)
    return buffer.getvalue()


def taken(data: bytes) -> Intake:
    return read_image(data, filename="coat.png", dataset="fashion")


def box(height: int = 240, width: int = 120, ground: int = 255, ink: int = 30) -> np.ndarray:
    """A plain dress: a rectangle that is nowhere near the middle of a 400 x 300 picture."""
    picture = np.full((400, 300), ground)
    picture[20 : 20 + height, 10 : 10 + width] = ink
    return picture


def extent(image: torch.Tensor) -> tuple[int, int, int, int]:
    """top, bottom, left, right of what is brighter than a tenth."""
    rows = (image[0] > 0.1).any(1).nonzero().flatten()
    columns = (image[0] > 0.1).any(0).nonzero().flatten()
    return int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])


@pytest.fixture(scope="module")
def articles() -> torch.Tensor:
    """Twenty bundled articles, two a class, [20, 28, 28] uint8."""
    return read_tensors("fashion", "examples.safetensors")["images"][:20, 0]


def test_the_longest_edge_is_28_and_the_shorter_in_the_middle() -> None:
    made = taken(png(box()))
    assert extent(made.image) == (0, 27, 7, 20)
    assert made.image.max() == 1
    assert made.image[0, :, :7].max() == made.image[0, :, 21:].max() == 0
    assert made.steps == (
        "negated: the background was bright",
        "trimmed to the article",
        "longest edge scaled to 28 pixels",
        "sharpened",
        "put in the middle by its edges",
    )


def test_a_wide_one_lies_in_the_middle() -> None:
    assert extent(taken(png(box(70, 280))).image) == (10, 16, 0, 27)


@pytest.mark.parametrize(("ground", "ink"), [(255, 30), (200, 20), (0, 220), (40, 250), (120, 10)])
def test_on_any_ground_the_article_comes_out_bright(ground: int, ink: int) -> None:
    made = taken(png(box(ground=ground, ink=ink)))
    assert extent(made.image) == (0, 27, 7, 20)
    assert made.image[0, 14, 14] > 0.95
    assert made.image[0, 14, 2] == 0
    assert ("negated: the background was bright" in made.steps) == (ground > ink)


def test_tones_keep_their_order() -> None:
    """On white the darker of two sleeves is the brighter one, as in the data set."""
    picture = box(ink=150)
    picture[20:260, 10:60] = 20
    image = taken(png(picture)).image[0]
    assert image[14, 9] > image[14, 18] > 0.3
    lit = np.where(picture == 255, 0, picture)  # the same on black keeps its tones
    image = taken(png(lit)).image[0]
    assert image[14, 9] < image[14, 18]


@pytest.mark.parametrize("negative", [False, True])
def test_a_picture_of_the_data_set_is_not_touched(articles: torch.Tensor, negative: bool) -> None:
    for article in articles.numpy():
        made = taken(png(255 - article if negative else article))
        same = torch.from_numpy(article.astype(np.float32) / 255)
        torch.testing.assert_close(made.image[0], same, rtol=0, atol=1e-6)
        assert made.steps[-1].startswith("already 28 x 28")


def photograph(article: np.ndarray, seed: int) -> bytes:
    """An article as a phone might see it: large, dark on a grey wall lit from one side, grainy."""
    large = Image.fromarray(article).resize((280, 280), Image.Resampling.BICUBIC)
    ink = np.pad(np.asarray(large, np.float64) / 255, ((60, 40), (30, 90)))
    light = 0.75 + 0.12 * np.linspace(-1, 1, ink.shape[1])
    grain = np.random.default_rng(seed).normal(0, 0.01, ink.shape)
    return jpeg((255 * (light * (1 - 0.95 * ink) + grain)).clip(0, 255))


def test_a_photograph_comes_near_what_the_data_set_made_of_it(articles: torch.Tensor) -> None:
    agreement = []
    for seed, article in enumerate(articles.numpy()):
        image = taken(photograph(article, seed)).image[0].numpy()
        agreement.append(np.corrcoef(image.ravel(), article.ravel())[0, 1])
        assert image.max() == 1
        assert np.median(np.concatenate((image[0, :2], image[-1, -2:]))) == 0, "ground is black"
    assert min(agreement) > 0.7  # a pixel up or down where the height is odd
    assert np.median(agreement) > 0.9


@pytest.mark.parametrize(
    "picture",
    [np.full((50, 50), 200), np.full((28, 28), 0), box(3, 3), box(1, 200)[:, :9]],
    ids=["plain", "black", "dust", "sliver"],
)
def test_nothing_to_see_is_refused(picture: np.ndarray) -> None:
    with pytest.raises(IntakeError, match=r"^coat\.png shows no article: "):
        taken(png(picture))


def test_a_sketch_goes_the_same_way() -> None:
    canvas = np.zeros((112, 112), np.uint8)
    canvas[10:60, 40:100] = 255
    made = from_canvas(canvas, dataset="fashion")
    assert extent(made.image) == (2, 24, 0, 27)
    with pytest.raises(IntakeError, match="The drawing shows no article"):
        from_canvas(np.zeros((112, 112), np.uint8), dataset="fashion")


def test_digits_go_their_own_way() -> None:
    stroke = png(box(240, 40))
    digit = read_image(stroke).image
    assert extent(digit)[1] - extent(digit)[0] == 19
    assert torch.equal(digit, read_image(stroke, dataset="mnist").image)
    assert not torch.equal(digit, taken(stroke).image)


def noise(draw: Callable[..., object]) -> np.ndarray:
    sides = draw(st.tuples(st.integers(8, 60), st.integers(8, 60)))
    low, high = sorted(draw(st.tuples(st.integers(0, 255), st.integers(0, 255))))
    return np.random.default_rng(draw(st.integers(0, 999))).integers(low, high + 1, sides)


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_whatever_comes_the_answer_is_an_image_or_an_intake_error(data: st.DataObject) -> None:
    try:
        image = taken(png(noise(data.draw))).image
    except IntakeError:
        return
    assert image.shape == (1, 28, 28)
    assert torch.isfinite(image).all()
    assert 0 <= image.min() <= image.max() <= 1

from __future__ import annotations

import io
import time

import numpy as np
import pytest
import torch
from PIL import Image

from pages.ui.look import theme
from pages.ui.widgets import pictures


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def _frames(count: int) -> torch.Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def _coloured(count: int) -> torch.Tensor:
    return torch.rand(count, 3, 32, 32, generator=torch.Generator().manual_seed(1))


def _captions(count: int) -> list[str]:
    return [f"k {20 * i} · {i % 10}" for i in range(count)]


def test_a_picture_shows_its_pixels() -> None:
    image = _frames(1)[0]
    shown = np.asarray(_open(pictures.picture(image, scale=3)))
    assert shown.shape == (84, 84)
    np.testing.assert_array_equal(shown[1::3, 1::3], (image[0] * 255).round().numpy())
    np.testing.assert_array_equal(shown[::3], shown[2::3])


def test_a_picture_in_colour_shows_its_pixels() -> None:
    image = _coloured(1)[0]
    shown = np.asarray(_open(pictures.picture(image, scale=3)))
    assert shown.shape == (96, 96, 3)
    np.testing.assert_array_equal(shown[1::3, 1::3], (image * 255).round().movedim(0, 2).numpy())
    np.testing.assert_array_equal(shown[:, ::3], shown[:, 2::3])


def test_signed_in_colour_lies_on_mid_grey() -> None:
    delta = torch.zeros(3, 32, 32)
    delta[0, 0, 0], delta[1, 0, 0] = 0.03, -0.03
    delta[2, 0, 1] = -0.9
    shown = np.asarray(_open(pictures.signed(delta, 0.06, scale=1)))
    assert shown[5, 5].tolist() == [128, 128, 128]
    assert shown[0, :2].tolist() == [[191, 64, 128], [128, 128, 0]]


@pytest.mark.parametrize("dark", [False, True])
def test_signed_shows_zero_neutral_and_the_limit_in_full(dark: bool) -> None:
    delta = torch.zeros(1, 28, 28)
    delta[0, 0, :4] = torch.tensor([0.3, -0.3, 0.9, -0.9])
    shown = np.asarray(_open(pictures.signed(delta, 0.3, scale=1, dark=dark)).convert("RGB"))
    table = theme.diverging_table(dark)
    assert (shown[5, 5] == table[127]).all()
    np.testing.assert_array_equal(shown[0, :4], table[[254, 0, 254, 0]])


def test_the_grid_keeps_its_size_and_its_frames_their_places() -> None:
    frames = _frames(25)
    full = _open(pictures.frame_grid(frames, _captions(25)))
    some = _open(pictures.frame_grid(frames[:7], _captions(7)))
    none = _open(pictures.frame_grid(frames[:0], []))
    assert full.size == some.size == none.size
    full_pixels, some_pixels = (np.asarray(p.convert("RGBA")) for p in (full, some))
    cell = full.size[1] // 5, full.size[0] // 5
    np.testing.assert_array_equal(full_pixels[: cell[0]], some_pixels[: cell[0]])
    below = some_pixels[2 * cell[0] :]
    assert set(np.unique(below[below[..., 3] > 0][:, :3].reshape(-1, 3), axis=0).ravel()) == set(
        theme.rgb(theme.LIGHT.surface)
    )


@pytest.mark.parametrize("dark", [False, True])
def test_a_grid_in_colour_has_every_colour_and_what_a_grey_one_has(dark: bool) -> None:
    frames = _coloured(3)
    options = {"columns": 2, "slots": 4, "dark": dark, "highlight": 1}
    shown = np.asarray(_open(pictures.frame_grid(frames, _captions(3), **options)))
    assert shown.shape == (2 * 117, 2 * 102, 4)
    inside = shown[3:99, 3:99][1::3, 1::3]
    expected = (frames[0] * 255).round().movedim(0, 2).numpy()
    np.testing.assert_array_equal(inside[..., :3], expected)
    square = torch.zeros(3, 1, 32, 32)
    grey = _open(pictures.frame_grid(square, _captions(3), **options)).convert("RGBA")
    beside = np.ones(shown.shape[:2], dtype=bool)
    for top, left in ((0, 0), (0, 102), (117, 0)):
        beside[top + 3 : top + 99, left + 3 : left + 99] = False
    np.testing.assert_array_equal(shown[beside], np.asarray(grey)[beside])


def test_an_empty_grid_is_as_large_as_a_full_one_in_colour() -> None:
    sizes = {
        _open(pictures.frame_grid(_coloured(n)[:count], _captions(count))).size
        for n, count in ((1, 0), (4, 4), (25, 25))
    }
    height, width = pictures.cell(32, 32, 3)
    assert sizes == {(5 * width, 5 * height)}


def test_long_captions_are_written_smaller_and_none_is_cut() -> None:
    def written(captions: list[str], widest: str = "") -> np.ndarray:
        grid = pictures.frame_grid(
            torch.zeros(2, 1, 28, 28), captions, scale=4, slots=2, columns=2, widest=widest
        )
        shown = np.asarray(_open(grid).convert("RGBA"))
        return shown[124:, : shown.shape[1] // 2, 3]  # below the first frame

    long = written(["1000: T-shirt/top", "1: bag"])
    inked = np.flatnonzero(long.any(0))
    assert inked[0] > 0
    assert inked[-1] < long.shape[1] - 1
    short = written(["1: bag", "1: bag"])
    small = written(["1: bag", "1: bag"], widest="1000: T-shirt/top")
    assert (small > 0).sum() < (short > 0).sum()
    assert (small == written(["1: bag", "1000: T-shirt/top"])).all(), (
        "one size for all, from the start"
    )


def test_a_frame_in_the_grid_has_its_own_greys() -> None:
    frame = _frames(1)
    shown = np.asarray(_open(pictures.frame_grid(frame, [""], slots=1, columns=1)).convert("RGBA"))
    inside = shown[3 : 3 + 84, 3 : 3 + 84, 0][1::3, 1::3]
    assert np.abs(inside / 255 - frame[0, 0].numpy()).max() < 1 / 199


@pytest.mark.parametrize("dark", [False, True])
def test_captions_are_written_in_the_text_colour_on_clear_ground(dark: bool) -> None:
    image = torch.zeros(2, 1, 28, 28)
    shown = np.asarray(
        _open(pictures.frame_grid(image, ["k 120 · 7", ""], slots=2, columns=2, dark=dark)).convert(
            "RGBA"
        )
    )
    line, blank = shown[90:, :90], shown[90:, 90:]
    assert (blank[..., 3] == 0).all()
    assert (line[..., 3] > 200).sum() > 50
    assert (line[line[..., 3] > 0][:, :3] == theme.rgb(theme.palette(dark).text)).all()


def test_the_highlighted_frame_has_a_border() -> None:
    accent = theme.rgb(theme.LIGHT.accent)
    counts = []
    for chosen in (None, 2):
        data = pictures.frame_grid(_frames(5), _captions(5), highlight=chosen)
        counts.append((np.asarray(_open(data).convert("RGBA"))[..., :3] == accent).all(-1).sum())
    assert counts[0] == 0
    assert counts[1] == 90 * 90 - 84 * 84


def test_a_gif_has_all_frames_and_their_times() -> None:
    frames = _frames(6)
    shown = _open(pictures.gif(frames, _captions(6), ms=60))
    assert shown.n_frames == 6
    assert shown.info["loop"] == 0
    for i in range(6):
        shown.seek(i)
        assert shown.info["duration"] == (1000 if i == 5 else 60)
        inside = np.asarray(shown.convert("L"))[8 : 8 + 224, 8 : 8 + 224][4::8, 4::8]
        assert np.abs(inside / 255 - frames[i, 0].numpy()).max() < 0.01


def test_a_gif_in_colour_is_near_its_frames() -> None:
    smooth = torch.nn.functional.interpolate(_coloured(5)[..., :4, :4], size=32, mode="bicubic")
    frames = (0.3 * smooth + 0.7 * torch.linspace(0, 1, 32)).clamp(0, 1)
    shown = _open(pictures.gif(frames, _captions(5), ms=60))
    assert shown.n_frames == 5
    for i in range(5):
        shown.seek(i)
        inside = np.asarray(shown.convert("RGB"))[8:264, 8:264][4::8, 4::8] / 255
        away = np.abs(inside - frames[i].movedim(0, 2).numpy())
        assert away.mean() < 0.02
        assert away.max() < 0.15


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
@pytest.mark.parametrize("draw_from", [_frames, _coloured])
def test_what_is_not_finite_is_refused(bad: float, draw_from) -> None:
    frames = draw_from(2)
    frames[1, 0, 3, 3] = bad
    for draw in (
        lambda: pictures.picture(frames[1]),
        lambda: pictures.signed(frames[1], 1.0),
        lambda: pictures.frame_grid(frames, _captions(2)),
        lambda: pictures.gif(frames, _captions(2)),
    ):
        with pytest.raises(ValueError, match="finite"):
            draw()


def test_wrong_input_is_refused() -> None:
    frames = _frames(3)
    with pytest.raises(ValueError, match="captions"):
        pictures.frame_grid(frames, _captions(2))
    with pytest.raises(ValueError, match="slots"):
        pictures.frame_grid(frames, _captions(3), slots=2)
    with pytest.raises(ValueError, match="highlight"):
        pictures.frame_grid(frames, _captions(3), highlight=25)
    with pytest.raises(ValueError, match="shape"):
        pictures.picture(frames)
    with pytest.raises(ValueError, match="shape"):
        pictures.frame_grid(frames[:, 0], _captions(3))
    with pytest.raises(ValueError, match="shape"):
        pictures.picture(torch.zeros(2, 28, 28))
    with pytest.raises(ValueError, match="scale"):
        pictures.picture(frames[0], scale=0)
    with pytest.raises(ValueError, match="limit"):
        pictures.signed(frames[0], 0.0)
    with pytest.raises(ValueError, match="at least one"):
        pictures.gif(frames[:0], [])
    with pytest.raises(ValueError, match="captions"):
        pictures.gif(frames, _captions(2))


@pytest.mark.parametrize("draw_from", [_frames, _coloured])
def test_a_montage_takes_milliseconds(draw_from) -> None:
    frames, captions = draw_from(25), _captions(25)
    pictures.frame_grid(frames, captions)
    took = []
    for _ in range(10):
        began = time.process_time()
        pictures.frame_grid(frames, captions)
        took.append(time.process_time() - began)
    assert min(took) < 0.03  # about 2 ms, in colour 6; the rest is room for a slow machine

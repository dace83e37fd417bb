from __future__ import annotations

import io
import time

import numpy as np
import pytest
import torch
from PIL import Image

from pages.ui import pictures, theme


def _open(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def _frames(count: int) -> torch.Tensor:
    return torch.rand(count, 1, 28, 28, generator=torch.Generator().manual_seed(0))


def _captions(count: int) -> list[str]:
    return [f"k {20 * i} · {i % 10}" for i in range(count)]


def test_a_picture_shows_its_pixels() -> None:
    image = _frames(1)[0]
    shown = np.asarray(_open(pictures.picture(image, scale=3)))
    assert shown.shape == (84, 84)
    np.testing.assert_array_equal(shown[1::3, 1::3], (image[0] * 255).round().numpy())
    np.testing.assert_array_equal(shown[::3], shown[2::3])


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


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_what_is_not_finite_is_refused(bad: float) -> None:
    frames = _frames(2)
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
    with pytest.raises(ValueError, match="scale"):
        pictures.picture(frames[0], scale=0)
    with pytest.raises(ValueError, match="limit"):
        pictures.signed(frames[0], 0.0)
    with pytest.raises(ValueError, match="at least one"):
        pictures.gif(frames[:0], [])
    with pytest.raises(ValueError, match="captions"):
        pictures.gif(frames, _captions(2))


def test_a_montage_takes_milliseconds() -> None:
    frames, captions = _frames(25), _captions(25)
    pictures.frame_grid(frames, captions)
    took = []
    for _ in range(10):
        began = time.process_time()
        pictures.frame_grid(frames, captions)
        took.append(time.process_time() - began)
    assert min(took) < 0.02  # about 2 ms; the rest is room for a slow machine

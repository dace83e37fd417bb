from __future__ import annotations

from itertools import pairwise

import pytest
import torch

from pages.ui.compare.attempt import (
    FRAMES,
    Attempt,
    FrameHistory,
    attempt,
    words_of,
    words_of_missing,
)
from pages.ui.live.compute_queue import Interrupted
from red_core.data.assets import AssetError


def image(value: float) -> torch.Tensor:
    return torch.full((1, 28, 28), value)


def test_a_film_is_bounded_and_even() -> None:
    film = FrameHistory()
    for k in range(1, 1001):
        film.add(k, image(k / 1000))
        assert len(film.frames) <= FRAMES
    ks = [frame.k for frame in film.frames]
    assert len({b - a for a, b in pairwise(ks)}) == 1
    film.end(1000, image(0.5))
    assert film.frames[-1].k == 1000
    assert int(film.frames[-1].image.max()) == 128
    assert [frame.k for frame in film.frames] == sorted({frame.k for frame in film.frames})


def test_a_short_film_keeps_every_frame() -> None:
    film = FrameHistory()
    for k in (5, 10, 15):
        film.add(k, image(0.2))
    film.end(15, image(1.0))
    assert [frame.k for frame in film.frames] == [5, 10, 15]
    assert film.frames[0].image.dtype == torch.uint8


@pytest.mark.parametrize(
    ("fault", "status", "words"),
    [
        (Interrupted(), "stopped", ""),
        (AssetError("not trained"), "missing", "not trained"),
        (ValueError("too small."), "failed", "It failed: too small."),
        (FloatingPointError("not finite"), "failed", "It failed: not finite."),
        (torch.OutOfMemoryError("CUDA"), "failed", "The memory ran out."),
        (RuntimeError("/secret/path"), "failed", "It failed (RuntimeError); the terminal"),
    ],
)
def test_what_goes_wrong_is_told(fault, status, words) -> None:
    told: list[Attempt] = []

    def compute() -> Attempt:
        raise fault

    attempt(Attempt("cnn"), compute, told.append)
    (found,) = told
    assert (found.key, found.status) == ("cnn", status)
    assert found.error.startswith(words)
    assert "secret" not in found.error


def test_an_error_without_words_has_some_nevertheless() -> None:
    assert "ValueError" in words_of(ValueError())


def test_missing_files_are_named_with_what_helps() -> None:
    assert words_of_missing(["a.safetensors"], "fashion").endswith(
        "a.safetensors is not among the assets. python -m red_core recipe fashion makes it."
    )
    assert "are not" in words_of_missing(["a", "b"], "mnist")

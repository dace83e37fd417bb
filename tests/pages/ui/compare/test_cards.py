from __future__ import annotations

import base64
import io
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image

from pages.ui.compare.attempt import Attempt, Frame
from pages.ui.compare.cards import CardContext, card_of, hue, seconds
from pages.ui.compare.truth import Truth, truth_of
from pages.ui.look.theme import DARK, LIGHT
from red_core.methods import ANSWERS, Answers
from red_core.run.experiment import AttackedBatch
from red_core.run.settings import RunSettings

NAMES = tuple("0123456789")
X = torch.rand(1, 28, 28, generator=torch.Generator().manual_seed(0))
GROUND = CardContext(NAMES, X, Truth(7, "linf"), 0.3, False)


def answers(signal: int | None, attack: str | None, **more) -> Answers:
    return Answers(
        None if signal is None else torch.tensor([signal]),
        None if attack is None else torch.tensor([ANSWERS.index(attack)]),
        **more,
    )


def pixels(url: str) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.split(",")[1]))).convert("L"))


def done(key: str, found: Answers, **more) -> Attempt:
    return Attempt(key, "done", 1.25, answers=found, **more)


def test_answers_stand_beside_the_truth() -> None:
    rules = answers(7, "none")
    found = answers(9, "linf", reconstruction=X[None], perturbation=X[None] * 0.1,
                    readings={"rules": rules})  # fmt: skip
    shown = card_of(done("bsd-gan-best", found), GROUND)
    assert [(row.asked, row.said, row.mark) for row in shown.answers] == [
        ("signal", "9", "wrong"), ("attack", "ℓ∞", "right"),
        ("by ψ", "7", "right"), ("by blocks", "no attack", "wrong"),
    ]  # fmt: skip
    assert [row.colour for row in shown.answers] == ["", LIGHT.linf, "", LIGHT.none]
    assert (shown.status, shown.busy, shown.message) == ("1.2 s", False, "")
    signal, attack = shown.pictures
    assert (signal.name, attack.name) == ("G(z)", "attack")
    assert np.allclose(pixels(signal.source), (X[0] * 255).numpy(), atol=0.51)
    assert attack.caption == "scale ±0.3"


def test_nothing_is_called_right_where_nobody_knows() -> None:
    ground = replace(GROUND, truth=Truth(None, None))
    shown = card_of(done("bsd-gan-best", answers(9, "l1")), ground)
    assert {row.mark for row in shown.answers} == {""}
    made = AttackedBatch(X[None], X[None], None)
    assert truth_of(RunSettings(source="own", attack="none"), made) == Truth(None, None)
    assert truth_of(RunSettings(source="own", attack="l2"), made) == Truth(None, "l2")
    assert truth_of(RunSettings(), replace(made, labels=torch.tensor([4]))) == Truth(4, "linf")


def test_one_that_reads_the_image_as_it_is_shows_it() -> None:
    signal, attack = card_of(done("cnn", answers(9, None)), GROUND).pictures
    assert (signal.name, signal.caption) == ("x'", "read as it is")
    assert np.allclose(pixels(signal.source), (X[0] * 255).numpy(), atol=0.51)
    assert (attack.source, attack.instead) == ("", "not taken apart")


def test_a_card_has_the_same_places_in_every_state() -> None:
    attempts = [
        Attempt("bsd-gan-best"),
        Attempt("bsd-gan-best", "running", 0.5, 10, (Frame(10, X.mul(255).byte()),)),
        Attempt("bsd-gan-best", "stopped", 0.5, 10),
        Attempt("bsd-gan-best", "missing", error="not trained"),
        Attempt("bsd-gan-best", "failed", error="It failed."),
        done("bsd-gan-best", answers(7, "l2")),
    ]
    cards = [card_of(one, GROUND) for one in attempts]
    assert {len(card.answers) for card in cards} == {4}
    assert [card.status for card in cards] == [
        "not run yet", "step 10", "stopped at step 10", "not there yet", "failed", "1.2 s",
    ]  # fmt: skip
    assert [card.message for card in cards] == ["", "", "", "not trained", "It failed.", ""]
    assert [card.busy for card in cards] == [False, True, False, False, False, False]
    assert cards[1].pictures[0].caption == "step 10"


def test_the_frames_travel_as_one_strip_with_what_psi_reads() -> None:
    frames = tuple(Frame(k, torch.full((1, 28, 28), k, dtype=torch.uint8)) for k in (5, 10, 15))
    shown = card_of(done("defense-gan", answers(7, None), frames=frames, reads=(1, 9, 7)), GROUND)
    assert shown.strip is not None
    assert shown.strip.captions == ("step 5: ψ reads 1", "step 10: ψ reads 9", "step 15: ψ reads 7")
    sheet = pixels(shown.strip.source)
    assert sheet.shape == (28, 84)
    assert [int(sheet[0, x]) for x in (0, 28, 56)] == [5, 10, 15]
    assert card_of(done("cnn", answers(7, None)), GROUND).strip is None


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.0, "< 1 ms"), (0.0123, "12 ms"), (0.0996, "0.1 s"), (9.12, "9.1 s"), (75.0, "75.0 s")],
)
def test_times_are_short(value: float, written: str) -> None:
    assert seconds(value) == written


def test_an_attack_has_its_hue_and_an_unknown_one_is_grey() -> None:
    assert hue("l1", False) == LIGHT.l1
    assert hue("l1", True) == DARK.l1
    assert hue("unknown", False) == LIGHT.muted


def test_a_strip_in_colour_has_its_frames_side_by_side() -> None:
    frames = tuple(Frame(k, torch.randint(256, (3, 32, 32), dtype=torch.uint8)) for k in (5, 10))
    shown = card_of(done("defense-gan", answers(7, None), frames=frames, reads=(1, 9)), GROUND)
    assert shown.strip is not None
    data = base64.b64decode(shown.strip.source.split(",")[1])
    sheet = np.asarray(Image.open(io.BytesIO(data)))
    np.testing.assert_array_equal(sheet[:, 32:], frames[1].image.movedim(0, 2).numpy())


def test_a_perturbation_in_colour_says_what_zero_looks_like() -> None:
    delta = torch.zeros(1, 3, 32, 32)
    found = answers(9, "linf", reconstruction=delta, perturbation=delta)
    attack = card_of(done("bsd-gan-best", found), GROUND).pictures[1]
    assert attack.caption == "±0.3 around grey"
    assert set(pixels(attack.source).ravel()) == {128}

"""From an attempt to its card."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from functools import lru_cache

import torch
from PIL import Image
from torch import Tensor

from pages.ui.compare import compare_help_texts as texts
from pages.ui.compare.attempt import Attempt, Frame
from pages.ui.compare.card import Answer, Card, Picture, Strip
from pages.ui.compare.truth import ATTACK_WORDS, Truth, said
from pages.ui.look.theme import palette
from pages.ui.undo.help_texts import scale
from pages.ui.widgets import pictures
from red_core.methods import METHODS, Answers, Method

NOTHING, NOT_ASKED = "–", "not its task"


@dataclass(frozen=True, eq=False)
class CardContext:
    """What all cards share; made once for a page.

    attacked: x' [C, H, W]; limit: the end of the colour scale of every perturbation; dataset: whose
    parts answer.
    """

    class_names: tuple[str, ...]
    attacked: Tensor
    truth: Truth
    limit: float
    dark: bool
    dataset: str = "mnist"


@lru_cache(maxsize=256)  # most attempts are the same from one look to the next
def card_of(attempt: Attempt, context: CardContext) -> Card:
    """The card of a method in any state; its places are the same in all of them."""
    method = METHODS[attempt.key]
    stuck = attempt.status in ("missing", "failed")
    return Card(
        title=method.title,
        about=texts.about_method(attempt.key, context.dataset),
        status=_status(attempt),
        busy=attempt.status == "running",
        message=attempt.error if stuck else "",
        pictures=(_signal(attempt, context), _perturbation(attempt, context)),
        answers=_answers(method, attempt.answers, context),
        strip=_strip(attempt.frames, attempt.reads, context.class_names),
    )


def _status(attempt: Attempt) -> str:
    at = f"step {attempt.step}" if attempt.step else ""
    return {
        "waiting": "not run yet",
        "running": at or "at work",
        "done": seconds(attempt.seconds),
        "missing": "not there yet",
        "failed": "failed",
        "stopped": f"stopped at {at}" if at else "stopped",
    }[attempt.status]


def seconds(value: float) -> str:
    """A computing time in words: "9.1 s", "12 ms"."""
    if value < 0.0005:
        return "< 1 ms"
    return f"{1000 * value:.0f} ms" if value < 0.0995 else f"{value:.1f} s"


def _signal(attempt: Attempt, context: CardContext) -> Picture:
    name = "G(z)" if METHODS[attempt.key].key in texts.BY_G else "signal"
    if attempt.answers is not None:
        found = attempt.answers.reconstruction
        if found is None:
            return Picture(_url(pictures.picture(context.attacked, 1)), "x'", "read as it is")
        return Picture(_url(pictures.picture(found[0], 1)), name, "what it recovers")
    if attempt.frames:
        last = attempt.frames[-1]
        shown = pictures.picture(last.image.float() / 255, 1)
        return Picture(_url(shown), name, f"step {last.k}")
    return Picture("", name, "")


def _perturbation(attempt: Attempt, context: CardContext) -> Picture:
    name = "attack"
    if attempt.answers is None:
        return Picture("", name, "")
    found = attempt.answers.perturbation
    if found is None:
        return Picture("", name, "", "not taken apart")
    drawn = pictures.signed(found[0], context.limit, 1, dark=context.dark)
    return Picture(_url(drawn), name, scale(f"±{context.limit:.2g}", found.shape[1]))


def _answers(
    method: type[Method], answers: Answers | None, context: CardContext
) -> tuple[Answer, ...]:
    """The method's own answers, then those of its further readings."""
    rows: tuple[Answer, ...] = _pair(answers, context, method.answers_signal, method.answers_attack)
    for name in method.readings_on(context.dataset):
        if name in texts.READINGS:
            further = None if answers is None else answers.readings.get(name)
            rows += _pair(further, context, True, True, texts.READINGS[name])
    return rows


def _pair(
    answers: Answers | None,
    context: CardContext,
    signal: bool,
    attack: bool,
    asked: tuple[str, str] = ("signal", "attack"),
) -> tuple[Answer, Answer]:
    """The two rows of answers, also where a method does not give them."""
    first = Answer(asked[0], NOTHING if signal else NOT_ASKED)
    second = Answer(asked[1], NOTHING if attack else NOT_ASKED)
    found = None if answers is None else said(answers, context.truth)
    if found is not None and found.label is not None:
        word = context.class_names[found.label]
        first = Answer(asked[0], word, True, mark(found.right_label))
    if found is not None and found.attack is not None:
        word = ATTACK_WORDS.get(found.attack, found.attack)
        colour = hue(found.attack, context.dark)
        second = Answer(asked[1], word, True, mark(found.right_attack), colour)
    return first, second


def mark(right: bool | None) -> str:
    """right, wrong, or nothing where nobody knows."""
    return "" if right is None else "right" if right else "wrong"


def hue(attack: str, dark: bool) -> str:
    """The colour of an attack answer; grey where it names none that is known."""
    colours = palette(dark)
    return colours.muted if attack not in ("linf", "l2", "l1", "none") else colours.attack(attack)


def common_limit(delta: Tensor) -> float:
    """The end of the scale on which every card draws its perturbation: the true one's largest."""
    return max(float(delta.abs().max()), 0.1)


def _url(png: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _strip(
    frames: tuple[Frame, ...], reads: tuple[int, ...], class_names: tuple[str, ...]
) -> Strip | None:
    """The frames of a run that is done, side by side."""
    if not frames or not reads:
        return None
    whole = torch.cat([frame.image for frame in frames], dim=2)
    buffer = io.BytesIO()
    Image.fromarray(pictures.pixels(whole.float() / 255)).save(buffer, "PNG")
    captions = tuple(
        f"step {frame.k}: ψ reads {class_names[label]}"
        for frame, label in zip(frames, reads, strict=True)
    )
    return Strip(_url(buffer.getvalue()), captions)

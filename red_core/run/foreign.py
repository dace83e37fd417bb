"""Attacked images from elsewhere: is one attacked already, and the answers on many of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.verdict import NO_ATTACK, judge
from red_core.data.intake import Intake
from red_core.run.bundle import Bundle
from red_core.run.experiment import begin_run, readers_for, start_seeds
from red_core.run.report import item_answers
from red_core.run.settings import RunSettings


@dataclass(frozen=True)
class Undone:
    """What was found in one image.

    number: of the image, from 0; answers: as `item_answers` gives them; parts: x', G(z), D_a c_a
    and the rest, [4, C, H, W], x' being the sum of the others.
    """

    number: int
    answers: dict[str, Any]
    parts: Tensor


def undo_images(
    bundle: Bundle,
    images: Sequence[Intake],
    settings: RunSettings,
    batch: int = 50,
    watch: Callable[[], object] = lambda: None,
) -> Iterator[list[Undone]]:
    """Undo images that are attacked already, `batch` at a time; a list for each batch.

    settings: the preset, solver options and seed; every image has the starts of that seed, so its
    answer depends neither on its place nor on its neighbours (up to rounding). watch: called after
    every step of a batch, and not for the steps that no image needed.
    """
    options, seeds = settings.solver_options(), start_seeds(settings)
    for start in range(0, len(images), batch):
        attacked = torch.stack([one.image for one in images[start : start + batch]])
        problem, state = begin_run(bundle, attacked, options, seeds * len(attacked))
        iterate = run_to_end(problem, state, options, lambda problem, state: watch())
        verdict = judge(problem, iterate, readers_for(bundle, settings.preset))
        observed = problem.observed
        pattern = observed - iterate.image - iterate.residual
        parts = torch.stack((observed, iterate.image, pattern, iterate.residual), dim=1).cpu()
        yield [
            Undone(start + item, item_answers(verdict, iterate, item), parts[item])
            for item in range(len(attacked))
        ]


def picture_of(parts: Tensor, scale: int = 4) -> Image.Image:
    """x', G(z), D_a c_a and the rest side by side, from `Undone.parts` [4, C, H, W].

    The last two are signed: mid-grey is zero, and the largest |value| of D_a c_a is black or white.
    """
    most = max(float(parts[2].abs().max()), 1e-6)
    signed = parts[2:] / (2 * most) + 0.5
    row = torch.cat([*parts[:2], *signed], dim=2).clamp(0, 1)
    pixels: NDArray[np.uint8] = (row * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
    picture = Image.fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels)
    return picture.resize((picture.width * scale, picture.height * scale), Image.Resampling.NEAREST)


@torch.no_grad()
def guess_attacked(bundle: Bundle, taken: Intake) -> tuple[bool, str]:
    """Whether an image seems to be attacked already, and a sentence that says why.

    What the file says goes first, then the network that names an attack from x' alone
    (`Readers.types`); without that network the answer is no.
    """
    if taken.attacked:
        return True, "The file says that its image is attacked."
    types = bundle.readers.types
    if types is None:
        return False, "Nothing says that it is attacked."
    chances = types(taken.image[None].to(bundle.device)).softmax(1)[0]
    names = (*bundle.dictionary.attacks, NO_ATTACK)
    best = int(chances.argmax())
    if names[best] == NO_ATTACK:
        return False, f"A network that knows attacked images finds none ({chances[best]:.0%})."
    return True, (
        f"A network that knows attacked images finds {names[best]} ({chances[best]:.0%})."
    )

"""One method's attempt at an attacked image, from waiting in line to its answers."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Literal

import torch
from torch import Tensor

from pages.ui.live.compute_queue import Interrupted, Turn
from pages.ui.live.worker import State
from red_core.data.assets import AssetError, read_manifest
from red_core.methods import METHODS, Answers, Method, Watch, fit
from red_core.run.bundle import Bundle

Status = Literal["waiting", "running", "done", "missing", "failed", "stopped"]
FRAMES = 60  # of a run that are kept at most; 784 bytes each for MNIST, 3072 for CIFAR-10

_log = logging.getLogger("red.compare")


@dataclass(frozen=True, eq=False)
class Frame:
    """Where an iterative method stood: its step, and G(z) [C, H, W] in 256 steps (uint8)."""

    k: int
    image: Tensor


@dataclass(frozen=True, eq=False)
class Attempt:
    """One method on one batch, at one moment.

    seconds: computed; step: the last one reported; frames: of the batch's first image; reads:
    psi's class of each frame, once done; answers: on the CPU; error: one sentence, where it is
    missing or has failed.
    """

    key: str
    status: Status = "waiting"
    seconds: float = 0.0
    step: int = 0
    frames: tuple[Frame, ...] = ()
    reads: tuple[int, ...] = ()
    answers: Answers | None = None
    error: str = ""

    @property
    def over(self) -> bool:
        """Whether running it again would tell nothing new."""
        return self.status in ("done", "missing", "failed")


def state_of(state: State, busy: bool, attempts: Iterable[Attempt]) -> tuple[State, bool]:
    """A worker's state, and whether it may change: not once all attempts are over.

    Its thread ends a moment later; what it has found shall not look unfinished until then.
    """
    if state == "running" and all(one.over for one in attempts):
        return "finished", False
    return state, busy


class FrameHistory:
    """Frames of a run: all of them, then every 2nd, 4th ... of a long one."""

    def __init__(self) -> None:
        self.frames: tuple[Frame, ...] = ()
        self._stride = 1
        self._told = 0

    def add(self, k: int, image: Tensor) -> None:
        """One more; image: [C, H, W] in [0, 1]."""
        self._told += 1
        if self._told % self._stride:
            return
        self.frames += (Frame(k, eight_bits(image)),)
        if len(self.frames) > FRAMES:
            self.frames = self.frames[1::2]
            self._stride *= 2

    def end(self, k: int, image: Tensor) -> None:
        """The answer itself, last of all."""
        kept = tuple(frame for frame in self.frames if frame.k < k)
        self.frames = (*kept, Frame(k, eight_bits(image)))


def eight_bits(image: Tensor) -> Tensor:
    """An image in [0, 1] as uint8 in main memory."""
    return (image.detach().clamp(0, 1) * 255).round().byte().cpu()


def answer(
    key: str,
    bundle: Bundle,
    fitted: dict[str, Method],
    attacked: Tensor,
    seeds: Sequence[int],
    turn: Turn,
    watch: Watch,
) -> tuple[Answers, float]:
    """The method's answers for x' [B, C, H, W], in main memory, and the seconds they took.

    fitted: methods that are at hand already; a new one joins. Raises AssetError, with a sentence
    for the reader, where one of its files is missing, Interrupted, and whatever the method raises.
    """
    if key not in fitted:
        lacking = missing_files(METHODS[key], bundle.dataset)
        if lacking:
            raise AssetError(words_of_missing(lacking, bundle.dataset))
        fitted[key] = fit(key, bundle)
    began = turn.seconds
    answers = in_main_memory(fitted[key].classify(attacked.to(bundle.device), seeds, watch))
    return answers, turn.seconds - began


def attempt(
    blank: Attempt, compute: Callable[[], Attempt], tell: Callable[[Attempt], None]
) -> None:
    """Tell of what `compute` finds; or, if it finds nothing, why."""
    try:
        tell(compute())
    except Interrupted:
        tell(replace(blank, status="stopped"))
    except AssetError as error:
        tell(replace(blank, status="missing", error=str(error)))
    except Exception as error:  # a method that fails must not take the others with it
        if not isinstance(error, (ValueError, FloatingPointError, torch.OutOfMemoryError)):
            _log.exception("the method %s failed", blank.key)
        tell(replace(blank, status="failed", error=words_of(error)))


def missing_files(method: type[Method], dataset: str) -> list[str]:
    """The trained files of a method that a data set does not have."""
    manifest = read_manifest(dataset)
    return [name for name in method.files_on(dataset) if name not in manifest]


def words_of_missing(files: Sequence[str], dataset: str) -> str:
    """Why a method cannot run, and what helps."""
    names = ", ".join(files)
    one = len(files) == 1
    return (
        f"Not trained yet: {names} {'is' if one else 'are'} not among the assets. "
        f"python -m red_core recipe {dataset} makes {'it' if one else 'them'}."
    )


def words_of(error: Exception) -> str:
    """An error as a sentence; what was not foreseen may hold a path, so its text is left out."""
    if isinstance(error, torch.OutOfMemoryError):
        return "The memory ran out. Choose the CPU in the sidebar."
    text = str(error).strip()
    if isinstance(error, (ValueError, FloatingPointError)) and text:
        return f"It failed: {text[:200].rstrip('.')}."
    return f"It failed ({type(error).__name__}); the terminal that runs the app shows why."


def in_main_memory(answers: Answers) -> Answers:
    """The same answers, detached, on the CPU."""
    moved = {
        field.name: value.detach().cpu()
        for field in fields(Answers)
        if torch.is_tensor(value := getattr(answers, field.name))
    }
    readings = {name: in_main_memory(more) for name, more in answers.readings.items()}
    return replace(answers, **moved, readings=readings)

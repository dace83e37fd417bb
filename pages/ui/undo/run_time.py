"""The warning before a run that takes long, with the time that it is expected to take."""

from __future__ import annotations

from collections.abc import Iterable

from red_core.measure.run_time import LONG, RunTimes, about, batch_share
from red_core.run.bundle import Bundle
from red_core.run.settings import RunSettings

RUN_TIMES = RunTimes()  # of this server: what one session had timed is known to the next


def warning(bundle: Bundle, runs: Iterable[RunSettings], images: int = 1) -> str:
    """What to say before these runs; "" where all of them together are expected to be short.

    images: on so many images, which are computed together.
    """
    try:
        seconds = sum(RUN_TIMES.seconds(bundle, settings) for settings in runs)
    except (ValueError, RuntimeError):  # it cannot run like this: the run itself says why
        return ""
    seconds *= max(1.0, images * batch_share(bundle.dataset))
    return f"Takes {about(seconds)} on this machine." if seconds > LONG else ""

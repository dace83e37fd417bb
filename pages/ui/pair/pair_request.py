"""What the page "Two runs" is asked for: one x', and two settings under which it is undone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from pages.ui.link.codec import left_out
from pages.ui.live.origin import Origin
from pages.ui.undo import undo_request
from pages.ui.undo.undo_request import Request, canonical
from red_core.data.datasets import CLASSES
from red_core.parse import parsed
from red_core.recording.slice_plane import has_latent
from red_core.run.settings import RunSettings, SettingsError

OTHER = ("preset", "generator", "seed")  # beside the solver's options: what may differ
START = "start_class"
_ONE_START = {
    **{"restarts": 1, "start_draws": 0, "encoder_start": False},
    **{"mean_start": False, "class_start": False},
}


@dataclass(frozen=True)
class PairRequest:
    """Two runs from the x' of the first.

    first: image, attack and solver of the first run, as the main page's request; other: the other
    run's settings, whose image, attack and device are always the first's; starts: the class in
    which each begins, None for the starts of its options.
    """

    first: Request = field(default_factory=Request)
    other: RunSettings = field(default_factory=RunSettings)
    starts: tuple[int | None, int | None] = (None, None)

    def __post_init__(self) -> None:
        other = of_the_same_image(self.first.settings, self.other)
        object.__setattr__(self, "other", other)

    @property
    def settings(self) -> tuple[RunSettings, RunSettings]:
        """Of the two runs, with one start where the start's class is given."""
        first, other = self.starts
        return with_start(self.first.settings, first), with_start(self.other, other)

    @property
    def origins(self) -> tuple[Origin, Origin]:
        """What the two runs begin from beside their settings: the other's x' is the first's."""
        first, other = self.starts
        seed = self.first.settings.seed
        return Origin(None, first), Origin(None if seed == self.other.seed else seed, other)


def of_the_same_image(first: RunSettings, other: RunSettings) -> RunSettings:
    """`first` with the preset, generator, seed and options of `other`.

    An image that G made is drawn from the seed by the generator, so there these two stay.
    """
    changes = {name: getattr(other, name) for name in (*OTHER, "solver")}
    if first.source == "realizable":
        changes |= {"seed": first.seed, "generator": first.generator}
    return canonical(replace(first, **changes))


def with_start(settings: RunSettings, start_class: int | None) -> RunSettings:
    """The settings with a single start, where its class is given."""
    if start_class is None:
        return settings
    chosen = {**dict(settings.solver), **_ONE_START}
    return canonical(replace(settings, solver=tuple(chosen.items())))


def as_query(request: PairRequest) -> dict[str, str]:
    """The short strings of a URL; `from_query` is its inverse."""
    query = undo_request.as_query(request.first)
    for name, text in request.other.as_query().items():
        if name in OTHER or name.startswith("solver."):
            query[f"other.{name}"] = text
    for name, label in zip((START, f"other.{START}"), request.starts, strict=True):
        if label is not None:
            query[name] = str(label)
    return query


def alone(request: PairRequest, number: int) -> dict[str, str]:
    """The link's strings of one of the two (0, 1), under which the list of runs keeps it.

    Those of the main page where they say it all; the comparison's where the run has the other's
    x' or a start of its own.
    """
    settings, origin = request.settings[number], request.origins[number]
    if origin != Origin():
        return as_query(request)
    return undo_request.as_query(Request(settings, request.first.own))


def from_query(query: Mapping[str, str]) -> tuple[PairRequest, list[str]]:
    """The request of a URL, and a sentence about every value that was dropped."""
    first, warnings = undo_request.from_query(query)
    prefix = "other."
    asked = {
        name.removeprefix(prefix): text for name, text in query.items() if name.startswith(prefix)
    }
    mine = {
        name: text for name, text in asked.items() if name in OTHER or name.startswith("solver.")
    }
    same = {"dataset": first.settings.dataset}
    other, refused = undo_request.settings_from({**same, **mine})
    warnings += [f"Of the other run: {sentence}" for sentence in refused]
    if first.settings.source == "realizable":
        moved = [name for name in ("seed", "generator") if name in asked]
        if any(getattr(other, name) != getattr(first.settings, name) for name in moved):
            warnings.append(
                "The other run keeps the first one's seed and generator: they made the image."
            )
    starts: list[int | None] = []
    for name, settings in ((START, first.settings), (f"other.{START}", other)):
        label, warning = _start_of(name, query.get(name), settings)
        starts.append(label)
        warnings += warning
    try:
        return PairRequest(first, other, (starts[0], starts[1])), warnings
    except SettingsError as error:
        warnings.append(f"The other run's settings are left out: {error}.")
        return PairRequest(first, first.settings, (starts[0], None)), warnings


def _start_of(name: str, text: str | None, settings: RunSettings) -> tuple[int | None, list[str]]:
    if text is None:
        return None, []
    most = len(CLASSES[settings.dataset]) - 1
    if not has_latent(settings):
        return None, [left_out(name, "a diffusion model has no z to begin from")]
    try:
        label = parsed(name, text, "int")
    except ValueError as error:
        return None, [left_out(name, error)]
    if not 0 <= label <= most:
        return None, [left_out(name, f"it must lie between 0 and {most}")]
    return label, []

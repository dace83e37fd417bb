"""What the page "Compare" is asked for: plain values, the same in the widgets and in the URL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from torch import Tensor

from pages.ui.link.codec import flags, raised
from pages.ui.undo import undo_request as state
from pages.ui.undo.undo_request import Request, canonical
from red_core.data.own_datasets import is_style
from red_core.methods import METHODS, methods_of
from red_core.run.settings import RunSettings

IMAGE = (
    "dataset", "source", "index", "attack", "eps", "step_size", "attack_steps", "target", "seed",
    "device",
)  # fmt: skip
"""The fields of RunSettings that decide x'; a comparison has no preset and no solver of its own."""
_STORY = ("cnn", "m-inf", "defense-gan", "sbsc", "bsd-gan-paper", "bsd-gan-best")
# In W+ the paper's preset takes minutes: it is there to choose.
_STORY_IN_COLOUR = ("cnn", "sbsc", "bsd-gan-best", "dp", "bsd-dp")
NONE = "none"  # what a link says where no method is chosen
STORY: tuple[str, ...] = ("story",)  # in the place of methods: those of `first_choice`


def first_choice(dataset: str = "mnist") -> tuple[str, ...]:
    """The methods that tell a data set's story: no defence, training, G alone, D_a alone, both."""
    story = _STORY_IN_COLOUR if is_style(dataset) else _STORY
    return in_order(key for key in story if key in methods_of(dataset))


def in_order(keys: Iterable[str]) -> tuple[str, ...]:
    """Methods in the tables' order, each once; ValueError for an unknown one."""
    wanted = set(keys)
    unknown = sorted(wanted - set(METHODS))
    if unknown:
        raise ValueError(f"unknown method {unknown[0]!r}: choose {', '.join(METHODS)}")
    return tuple(key for key in METHODS if key in wanted)


def image_of(settings: RunSettings) -> RunSettings:
    """What of a run's settings decides x', the rest as it is by default."""
    return canonical(RunSettings(**{name: getattr(settings, name) for name in IMAGE}))


@dataclass(frozen=True)
class CompareRequest:
    """One comparison.

    settings: the image and its attack (IMAGE; everything else is the default); own: the user's
    image [1, 28, 28] for source "own"; methods: keys of `methods_of` the data
    set, in their order (default: STORY, the data set's first choice); run, sweep: whether
    to run the methods, or the sweep over eps, at once; teach: whether to hide the controls.
    """

    settings: RunSettings = field(default_factory=RunSettings)
    own: Tensor | None = None
    methods: tuple[str, ...] = STORY
    run: bool = False
    sweep: bool = False
    teach: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", image_of(self.settings))
        dataset = self.settings.dataset
        chosen = first_choice(dataset) if self.methods == STORY else in_order(self.methods)
        known = tuple(key for key in chosen if key in methods_of(dataset))
        object.__setattr__(self, "methods", known)


def as_query(request: CompareRequest) -> dict[str, str]:
    """The short strings of a URL; `from_query` is its inverse."""
    query = state.as_query(Request(request.settings, request.own))
    if request.methods != first_choice(request.settings.dataset):
        query["methods"] = ",".join(request.methods) or NONE
    return {**query, **raised(request, "run", "sweep", "teach")}


def from_query(query: Mapping[str, str]) -> tuple[CompareRequest, list[str]]:
    """The request of a URL, and a sentence about every value that was dropped."""
    known = {name: text for name, text in query.items() if name in (*IMAGE, "image")}
    image, warnings = state.from_query(known)
    there, methods = methods_of(image.settings.dataset), STORY
    if "methods" in query:
        named = [key.strip() for key in query["methods"].split(",") if key.strip()]
        methods = in_order(key for key in named if key in there)
        unknown = [key for key in named if key not in there and named != [NONE]]
        for key in unknown:
            warnings.append(f"The link's method {key[:40]!r} is left out: there is none such.")
        if unknown and not methods:
            methods = STORY
    set_flags = flags(query, "run", "sweep", "teach")
    return CompareRequest(image.settings, image.own, methods, **set_flags), warnings


def main_page(request: CompareRequest, there: Request | None) -> dict[str, str]:
    """The query that shows this image on the main page; there: what that page holds already.

    Its preset and its solver stay.
    """
    settings = request.settings
    if there is not None and there.settings.dataset == settings.dataset:
        settings = replace(there.settings, **{name: getattr(settings, name) for name in IMAGE})
    query = state.as_query(Request(canonical(settings), request.own))
    return query or {"dataset": settings.dataset}  # an empty one would mean: as it was

"""What the page "Landscape" is asked for: plain values, the same in the widgets and in the URL."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from pages.ui.link.codec import accepted, changed, flags, one_of, raised, values
from red_core.attacks.pgd import ATTACKS
from red_core.measure import studies
from red_core.run.settings import RunSettings, SettingsError
from red_core.synthetic import FAMILIES, InstanceError, InstanceSettings

SHOWS = ("synthetic", "image", "run")
KINDS = (*ATTACKS, "none")
PLANES = ("pca", "hessian", "difference", "random")
PLANE_FAMILIES = tuple(
    name for name, family in FAMILIES.items() if family.latent in (None, 2) and name != "own"
)
MAX_STARTS = 24
MAX_RATE = 10.0
MAX_M, MAX_LAYERS = 1000, 3
FIGURE_2 = studies.FIGURE_2.settings

Start = tuple[float, float]


@dataclass(frozen=True)
class LandscapeRequest:
    """One landscape.

    show: "synthetic" (d = 2, all of it), "run" (a slice through the main page's run) or "image" (a
    slice through a run of its own, of `dataset`'s bundled image `index` under attack `kind`);
    settings: of the synthetic instance, d = 2; rate: the step size over the safe one; log: whether
    heights are logarithms; basins: whether basins are coloured; starts: where paths begin; plane:
    how the latent space is cut; teach: whether to hide the controls; wdc: the constant in [0, 1]
    for which Corollary 4's balls are drawn, 0 for none. Raises ValueError.
    """

    show: str = "synthetic"
    settings: InstanceSettings = field(default_factory=lambda: FIGURE_2)
    rate: float = 1.0
    log: bool = False
    basins: bool = True
    starts: tuple[Start, ...] = ()
    index: int = 7
    kind: str = "linf"
    plane: str = "pca"
    teach: bool = False
    dataset: str = "mnist"
    wdc: float = 0.0

    def __post_init__(self) -> None:
        one_of("show", self.show, SHOWS)
        one_of("kind", self.kind, KINDS)
        one_of("plane", self.plane, PLANES)
        settings = self.settings
        one_of("family", settings.family, PLANE_FAMILIES)
        if settings.d != 2:
            raise ValueError(f"d must be 2 on this page, not {settings.d}")
        for name, most in (("m", MAX_M), ("layers", MAX_LAYERS)):
            if getattr(settings, name) > most:
                raise ValueError(f"{name} must be at most {most} on this page")
        object.__setattr__(self, "settings", replace(settings, examples=1, attack=False))
        if not 0.05 <= self.rate <= MAX_RATE:
            raise ValueError(f"rate must lie between 0.05 and {MAX_RATE:g}, not {self.rate:g}")
        if not 0 <= self.wdc <= 1:
            raise ValueError(f"wdc must lie between 0 and 1, not {self.wdc:g}")
        if len(self.starts) > MAX_STARTS:
            raise ValueError(f"there can be {MAX_STARTS} starts, not {len(self.starts)}")
        if not all(math.isfinite(value) for start in self.starts for value in start):
            raise ValueError("starts must be finite numbers")
        rounded = tuple((round(x, 3), round(y, 3)) for x, y in self.starts)
        object.__setattr__(self, "starts", rounded)
        self.run_settings()

    def run_settings(self) -> RunSettings:
        """The run of "image"; ValueError where there is none such."""
        try:
            return RunSettings(self.dataset, index=self.index, attack=self.kind)
        except SettingsError as error:
            raise ValueError(str(error)) from error


def as_query(request: LandscapeRequest) -> dict[str, str]:
    """The short strings of a URL; `from_query` is its inverse."""
    settings = request.settings
    query = {
        **changed(request, _DEFAULT, ("show",)),
        **changed(settings, FIGURE_2, ("family", "activation")),
        **changed(settings, base_settings(settings), _SETTINGS),
        **changed(request, _DEFAULT, _PLAIN),
    }
    if request.starts:
        query["starts"] = written_starts(request.starts)
    return {**query, **raised(request, "teach")}


def from_query(query: Mapping[str, str]) -> tuple[LandscapeRequest, list[str]]:
    """The request of a URL, and a sentence about every value that was dropped."""
    if query.get("show") == "digit":  # as links had it before there was a second data set
        query = {**query, "show": "image"}
    request, warnings = accepted(query, ("show", *_SETTINGS, *_PLAIN, "starts"), _made)
    return replace(request, **flags(query, "teach")), warnings


def base_settings(settings: InstanceSettings) -> InstanceSettings:
    """What a link need not say of such settings: the family's and the activation's defaults."""
    return InstanceSettings(family=settings.family, d=2, examples=1, activation=settings.activation)


def read_starts(text: str) -> tuple[Start, ...]:
    """Starts written as "0.5, -1; 2, 0"; ValueError, one sentence, where they are not.

    Between two numbers a comma or a space, between two starts a semicolon or a new line.
    """
    found = []
    for part in text.replace("\n", ";").split(";"):
        numbers = part.replace(",", " ").split()
        if not numbers:
            continue
        try:
            first, second = map(float, numbers)
        except ValueError as error:
            raise ValueError(
                f"a start is two numbers such as 0.5, -1, not {part.strip()!r}"
            ) from error
        found.append((first, second))
    return tuple(found)


def written_starts(starts: tuple[Start, ...]) -> str:
    """Starts as `read_starts` reads them, to a thousandth."""
    return ";".join(f"{x:.3f},{y:.3f}" for x, y in starts)


def _made(texts: Mapping[str, str]) -> LandscapeRequest:
    """A request of a URL's strings; ValueError where one is not acceptable."""
    settings, plain = values(texts, _SETTINGS), values(texts, _PLAIN)
    family = settings.pop("family", FIGURE_2.family)
    one_of("family", family, PLANE_FAMILIES)
    try:
        made = InstanceSettings(family=family, d=2, examples=1, **settings)
    except InstanceError as error:
        raise ValueError(str(error)) from error
    show = texts.get("show", "synthetic")
    return LandscapeRequest(show, made, starts=read_starts(texts.get("starts", "")), **plain)


_ASKED = ("family", "m", "layers", "activation", "parameter", "scale", "noise", "seed")
_SETTINGS = {f.name: str(f.type) for f in fields(InstanceSettings) if f.name in _ASKED}
_PLAIN = {
    f.name: str(f.type)
    for f in fields(LandscapeRequest)
    if f.name in ("rate", "log", "basins", "dataset", "index", "kind", "plane", "wdc")
}
_DEFAULT = LandscapeRequest()

"""What the page "Error bound" is asked for: plain values, the same in URL and command line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from torch import Tensor

from pages.ui.error_bound.matrix import pack_matrix, unpack_matrix
from pages.ui.link.codec import accepted, changed, flags, one_of, raised, values
from red_core.measure.studies import EXAMPLES, FIGURE_1, FIGURE_3
from red_core.parse import written
from red_core.synthetic import InstanceSettings
from red_core.theory.descent import METHODS, DescentOptions

SHOWS = ("descent", "figure1", "figure3", "examples")
STEPS = ("safe", "local", "theorem")  # step sizes with a name
MAX_STEPS = 50_000
SHARED = ("activation", "parameter", "seed")  # what all examples take from the request
OWN_FILE = "W.npy"  # the user's matrix as the command wants it

# A shared machine, and a chart that a browser can draw: what one session may ask for.
LIMITS: dict[str, int] = {"m": 1000, "d": 50, "layers": 4, "training": 100, "examples": 100}


@dataclass(frozen=True)
class ErrorBoundRequest:
    """One thing to be shown.

    show: one descent, or a study of SHOWS; settings: of the instances; method, steps,
    lambda_fraction: of `DescentOptions`; eta: a name of STEPS, or a number; own: W [m, d] for the
    family "own"; run: whether to begin at once; teach: whether to hide the controls. Normalised:
    without an attack there is nothing but GAN inversion. Raises ValueError with one sentence.
    """

    show: str = "descent"
    settings: InstanceSettings = field(default_factory=InstanceSettings)
    method: str = "inversion"
    steps: int = 2000
    eta: str | float = "safe"
    lambda_fraction: float = 0.1
    own: Tensor | None = field(default=None, compare=False)
    run: bool = False
    teach: bool = False

    def __post_init__(self) -> None:
        one_of("show", self.show, SHOWS)
        one_of("the method", self.method, METHODS)
        for name, most in LIMITS.items():
            value = getattr(self.settings, name)
            if value > most:
                raise ValueError(f"{name} must be at most {most} on this page, not {value}")
        if not 1 <= self.steps <= MAX_STEPS:
            raise ValueError(f"steps must lie between 1 and {MAX_STEPS:,}, not {self.steps:,}")
        if isinstance(self.eta, str):
            one_of("eta", self.eta, (*STEPS, "a number"))
        if not self.settings.attack:
            object.__setattr__(self, "method", "inversion")
        if self.show == "examples":
            object.__setattr__(self, "steps", ErrorBoundRequest.steps)  # each has its own
        if self.method == "proximal" and self.eta == "theorem":
            object.__setattr__(self, "eta", "safe")  # Theorem 8's step is 1 / rho
        if self.settings.family != "own":
            object.__setattr__(self, "own", None)
        elif self.own is not None:
            m, d = self.own.shape
            object.__setattr__(self, "settings", replace(self.settings, m=m, d=d))
        self.options()

    def options(self) -> DescentOptions:
        """The numbers of the descent; eta is None where it has a name. Raises ValueError."""
        return DescentOptions(
            method=self.method,
            steps=self.steps,
            eta=None if isinstance(self.eta, str) else self.eta,
            lambda_fraction=self.lambda_fraction,
        )

    @property
    def key(self) -> tuple[object, ...]:
        """What decides the numbers: two requests with equal keys give the same ones."""
        own = () if self.own is None else (tuple(self.own.shape), self.own.numpy().tobytes())
        return (
            self.show,
            self.settings,
            self.method,
            self.steps,
            self.eta,
            self.lambda_fraction,
            own,
        )


def base_settings(family: str, activation: str) -> InstanceSettings:
    """The settings that a link need not name."""
    return InstanceSettings(family=family, activation=activation)


def as_query(request: ErrorBoundRequest) -> dict[str, str]:
    """The short strings of a URL; `from_query` is its inverse.

    A matrix that is too long for a URL is left out: the link then asks for it.
    """
    settings = request.settings
    base = base_settings(settings.family, settings.activation)
    query = {
        **changed(request, _DEFAULT, ("show",)),
        **changed(settings, InstanceSettings(), ("family", "activation")),
        **changed(settings, base, _SETTINGS),
        **changed(request, _DEFAULT, _OPTIONS),
    }
    if request.own is not None:
        query.pop("m", None)
        query.pop("d", None)
        packed = pack_matrix(request.own)
        if packed is not None:
            query["W"] = packed
    return {**query, **raised(request, "run", "teach")}


def from_query(query: Mapping[str, str]) -> tuple[ErrorBoundRequest, list[str]]:
    """The request of a URL, and a sentence about every value that was dropped."""
    warnings: list[str] = []
    own = _own(query, warnings)
    if query.get("family") == "own" and own is None:
        query = {name: text for name, text in query.items() if name != "family"}
    names = ("show", *_SETTINGS, *_OPTIONS)
    request, refused = accepted(query, names, lambda texts: _made(texts, own))
    return replace(request, **flags(query, "run", "teach")), [*warnings, *refused]


def _own(query: Mapping[str, str], warnings: list[str]) -> Tensor | None:
    if query.get("family") != "own":
        return None
    try:
        return unpack_matrix(query["W"])
    except KeyError:
        warnings.append(
            "The link asks for a matrix of your own but holds none: it was too large for a link."
        )
    except ValueError as error:
        warnings.append(str(error))
    return None


def _made(texts: Mapping[str, str], own: Tensor | None) -> ErrorBoundRequest:
    """A request of validated strings; ValueError, one sentence, where one is not acceptable."""
    settings = values(texts, _SETTINGS)
    eta = "str" if texts.get("eta", "").isalpha() else "float"
    options = values(texts, {**_OPTIONS, "eta": eta})
    show = texts.get("show", "descent")
    if own is None and settings.get("family") == "own":
        raise ValueError("the family own needs a matrix W")
    return ErrorBoundRequest(show=show, settings=InstanceSettings(**settings), own=own, **options)


_DEFAULT = ErrorBoundRequest()
_STUDIED = {
    "figure1": FIGURE_1.settings,
    "figure3": FIGURE_3.settings,
    "examples": EXAMPLES["example_15"].settings,
}
_SETTINGS = {field.name: str(field.type) for field in fields(InstanceSettings)}
_OPTIONS = {"method": "str", "steps": "int", "eta": "", "lambda_fraction": "float"}


def command(request: ErrorBoundRequest) -> str:
    """The `python -m red_core theory ...` command that gives the numbers of this request."""
    words = ["python", "-m", "red_core", "theory"]
    settings = request.settings
    if request.show != "descent":
        words.append(request.show)
        base, always = _STUDIED[request.show], set[str]()
        if request.show == "examples":  # each has its own family, and so on
            shared = {name: getattr(settings, name) for name in SHARED}
            settings = replace(base, **shared)
    else:
        words += ["verify", "--family", settings.family]
        base, always = InstanceSettings(settings.family), {"m", "d", "activation", "start"}
    own = {"m", "d"} if request.own is not None else set[str]()
    for name in _SETTINGS:
        value = getattr(settings, name)
        usual = value == _usual(name, settings, base) and name not in always
        if name == "family" or name in own or usual:
            continue
        flag = f"--{name}"
        words += [flag if value else f"--no-{name}"] if name == "attack" else [flag, written(value)]
    if request.own is not None:
        words = [word for word in words if word not in ("--family", "own")]
        words += ["--matrix", OWN_FILE]
    if request.show == "descent":
        words += ["--method", request.method, "--eta", written(request.eta)]
        if request.method == "proximal" and request.lambda_fraction != _DEFAULT.lambda_fraction:
            words += ["--lambda-fraction", written(request.lambda_fraction)]
    elif request.eta != "local":
        words += ["--eta", written(request.eta)]
    if request.show != "examples":
        words += ["--steps", str(request.steps)]
    return shlex.join([*words, "--json", "theory.json"])


def _usual(name: str, settings: InstanceSettings, base: InstanceSettings) -> object:
    """What the command takes where a setting is not given."""
    if name == "parameter" and settings.activation != base.activation:
        return base_settings(settings.family, settings.activation).parameter
    return getattr(base, name)

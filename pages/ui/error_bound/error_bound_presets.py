"""The paper's experiments at one press, and the studies behind the charts over m."""

from __future__ import annotations

from dataclasses import dataclass, replace

from pages.ui.error_bound.error_bound_request import SHARED, ErrorBoundRequest
from pages.ui.error_bound.study import Part, parts_of_axis
from red_core.measure.studies import EXAMPLES, FIGURE_1, FIGURE_3, Study
from red_core.synthetic import InstanceSettings

STUDIES = {"figure1": FIGURE_1, "figure3": FIGURE_3}
STUDY_STEPS = ("safe", "local")  # step sizes with a name that a study takes

# name of the study -> how it is called here
EXAMPLE_TITLES = {
    "section_5_1": "Section 5.1",
    "example_15": "Example 15",
    "example_16": "Example 16",
    "example_16_noisy": "Example 16, noisy",
    "example_17": "Example 17",
}


@dataclass(frozen=True)
class Preset:
    """A name, a sentence about what it shows, and the request, ready to run."""

    name: str
    about: str
    request: ErrorBoundRequest


def _of_study(study: Study, show: str = "descent") -> ErrorBoundRequest:
    return ErrorBoundRequest(
        show=show,
        settings=study.settings,
        method=study.options.method,
        steps=study.options.steps,
        eta=study.step,
        run=True,
    )


def _all_examples() -> ErrorBoundRequest:
    """What all examples share: activation and slope, step size, steps, seed."""
    first = EXAMPLES["example_15"]
    settings = InstanceSettings(**{name: getattr(first.settings, name) for name in SHARED})
    return ErrorBoundRequest(
        "examples", settings, eta=first.step, run=True
    )  # fmt: skip


PRESETS = (
    Preset(
        "Figure 1",
        "μ against the output dimension m for a random GAN with d = 10, over 10 test examples.",
        _of_study(FIGURE_1, "figure1"),
    ),
    Preset(
        "Figure 3",
        "The same for three expansive layers (B.3), over 50 test examples.",
        _of_study(FIGURE_3, "figure3"),
    ),
    *(
        Preset(
            EXAMPLE_TITLES[name],
            f"The paper states a mean μ of {study.paper_mu:g}.",
            _of_study(study),
        )
        for name, study in EXAMPLES.items()
    ),
    Preset(
        "All examples",
        "Section 5.1 and Examples 15 to 17 in one chart, beside the values the paper states.",
        _all_examples(),
    ),
)


def _attacked(name: str) -> Preset:
    """An example of B.5 with the attack dictionary of B.1: z and c_a move in turn."""
    plain = _of_study(EXAMPLES[name])
    settings = replace(plain.settings, attack=True, training=6, examples=10)
    request = replace(plain, settings=settings, method="alternating", steps=40_000)
    return Preset(
        f"{EXAMPLE_TITLES[name]}, attacked",
        "The same W with an attack, D_a of 6 columns. How many arrive within 40,000 steps?",
        request,
    )


# B.5 says that its examples work with the attack dictionary of B.1 as well; 5.1 has it already.
ATTACKED = tuple(_attacked(name) for name in EXAMPLES if not EXAMPLES[name].settings.attack)

# Beyond the paper's own experiments: where its theorems can be seen to hold, and to stop.
_GELU = InstanceSettings(d=5, activation="gelu", scale="1/d", start="near", radius=0.1)
LESSONS = (
    Preset(
        "Theorem 3 applies",
        "A smooth σ, a start near z*, and the theorem's own step size: promise beside observation.",
        ErrorBoundRequest(settings=_GELU, steps=500, eta="theorem", run=True),
    ),
    Preset(
        "The same from afar",
        "From a random start most paths meet negative curvature, and for those no step size is "
        "admissible. Descent arrives all the same.",
        ErrorBoundRequest(
            settings=replace(_GELU, start="random"), steps=500, eta="theorem", run=True
        ),
    ),
    Preset(
        "A kink",
        "A leaky ReLU: no theorem of the paper speaks, but one layer has a floor under μ and a "
        "bound of its own.",
        ErrorBoundRequest(
            settings=replace(_GELU, activation="leaky_relu", start="random"), run=True
        ),
    ),
    Preset(
        "Theorem 8 applies",
        "An attack and λ > 0 (Section 4.3): L − L* falls at least as fast as promised.",
        ErrorBoundRequest(
            settings=InstanceSettings(activation="softplus", attack=True, start="near"),
            method="proximal",
            run=True,
        ),
    ),
    Preset(
        "Ranks in the way",
        "rank(D_a) + d exceeds n: z and c_a make up for one another, and μ goes to 0.",
        ErrorBoundRequest(
            settings=InstanceSettings(m=40, d=10, activation="softplus", attack=True, training=60),
            method="alternating",
            run=True,
        ),
    ),
)
ALL_PRESETS = (*PRESETS, *ATTACKED, *LESSONS)
OPENING = LESSONS[0].request  # what a visit without a link sees: a case that a theorem covers


def preset_of(request: ErrorBoundRequest) -> int | None:
    """The place in ALL_PRESETS of the one that asks for the same numbers, if any."""
    same = (place for place, one in enumerate(ALL_PRESETS) if one.request.key == request.key)
    return next(same, None)


def paper_mu(request: ErrorBoundRequest) -> tuple[str, float] | None:
    """The example of the request's family, and the mean mu that the paper states for it.

    None where it has an attack and the paper's example has none, or the other way round.
    """
    for name, study in EXAMPLES.items():
        same = (study.settings.family, study.settings.attack) == (
            request.settings.family,
            request.settings.attack,
        )
        if same and study.paper_mu is not None:
            return EXAMPLE_TITLES[name], study.paper_mu
    return None


def models_of(request: ErrorBoundRequest) -> list[Part]:
    """The parts of the study that a request asks for; ValueError where it asks for one descent."""
    if request.show == "examples":
        return [
            Part(EXAMPLE_TITLES[name], _example(study, request)) for name, study in EXAMPLES.items()
        ]
    if request.show not in STUDIES:
        raise ValueError(f"{request.show} is not a study")
    base = STUDIES[request.show]
    study = replace(base, settings=request.settings, options=request.options(), step=_step(request))
    return parts_of_axis(study)


def _example(study: Study, request: ErrorBoundRequest) -> Study:
    """One example with what the paper leaves open taken from the request."""
    settings = replace(study.settings, **{name: getattr(request.settings, name) for name in SHARED})
    options = replace(study.options, eta=request.options().eta)
    return replace(study, settings=settings, options=options, step=_step(request))


def _step(request: ErrorBoundRequest) -> str:
    """The name of the step size; any name where it is a number."""
    return request.eta if request.eta in STUDY_STEPS else "local"

"""Named settings: the paper's experiments, and cases worth seeing, each as one `RunSettings`."""

from __future__ import annotations

from dataclasses import dataclass, replace

from red_core.algorithm.presets import presets_of
from red_core.data.datasets import NOUNS, TITLES
from red_core.data.own_datasets import base_of
from red_core.run.settings import RunSettings


@dataclass(frozen=True)
class Named:
    """A name, a sentence about what it shows, and the settings."""

    name: str
    about: str
    settings: RunSettings


# Image, and seed of the last, that show each case well: see `named`.
_SHOWN = {
    "mnist": {"figure": 7, "l2": 23, "l1": 41, "clean": 7, "made": 10},
    "fashion": {"figure": 9, "l2": 18, "l1": 45, "clean": 9, "made": 10},
    "cifar10": {"figure": 0, "l2": 1, "l1": 2, "clean": 0, "made": 10},
}
_FIRST = {"figure": 0, "l2": 1, "l1": 2, "clean": 0, "made": 10}


def named(dataset: str) -> tuple[Named, ...]:
    """The named settings of a data set."""
    base = base_of(dataset)
    shown, one = _SHOWN.get(base or dataset, _FIRST), NOUNS[dataset].one
    return (
        Named(
            f"Figure 4: ℓ∞ on {TITLES[dataset]}",
            "The paper's Algorithm 1 on an ℓ∞ attack, watched through 25 frames of G(z^k).",
            RunSettings(dataset, index=shown["figure"], attack="linf", preset="paper"),
        ),
        Named(
            "ℓ2, the hardest to name",
            "Block residuals hardly separate ℓ2 from ℓ1; compare the two rules in the verdict.",
            RunSettings(dataset, index=shown["l2"], attack="l2"),
        ),
        Named(
            "ℓ1, few pixels",
            "A sparse attack: some pixels change much, most not at all.",
            RunSettings(dataset, index=shown["l1"], attack="l1"),
        ),
        Named(
            "No attack",
            f"A clean image: the solver should name no attack and leave the {one} alone.",
            RunSettings(dataset, index=shown["clean"], attack="none"),
        ),
        Named(
            "z frozen, as published",
            "z stays where the Defense-GAN start put it; only c_a moves.",
            RunSettings(dataset, index=shown["figure"], attack="linf", preset="paper-frozen"),
        ),
        Named(
            "μ exact (B.1)",
            "An image the generator made plus D_a c_a*: z* and c_a* are known, and μ is live.",
            RunSettings(dataset, source="realizable", attack="l2", seed=shown["made"]),
        ),
        *(_diffusion(dataset, shown["figure"]) if "bsd-dp" in presets_of(dataset) else ()),
    )


def _diffusion(dataset: str, index: int) -> tuple[Named, ...]:
    """The methods of B.8, for a data set that has a diffusion model."""
    run = RunSettings(dataset, index=index, attack="linf", preset="bsd-dp")
    return (
        Named(
            "B.8: diffusion in the place of G",
            "Every round purifies what the attack's code leaves of x'.",
            run,
        ),
        Named(
            "B.8 as printed",
            "Every round purifies x' itself with fresh noise; the first is DiffPure.",
            replace(run, preset="bsd-dp-paper"),
        ),
    )

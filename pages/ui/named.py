"""Named settings: the paper's experiments, and cases worth seeing, each as one `RunSettings`."""

from __future__ import annotations

from dataclasses import dataclass

from red_core.settings import RunSettings


@dataclass(frozen=True)
class Named:
    """A name, a sentence about what it shows, and the settings."""

    name: str
    about: str
    settings: RunSettings


NAMED = (
    Named(
        "Figure 4: ℓ∞ on MNIST",
        "The paper's Algorithm 1 on an ℓ∞ attack, watched through 25 frames of G(z^k).",
        RunSettings(index=7, attack="linf", preset="paper"),
    ),
    Named(
        "ℓ2, the hardest to name",
        "Block residuals confuse ℓ2 with ℓ1; compare the two rules in the verdict.",
        RunSettings(index=23, attack="l2"),
    ),
    Named(
        "ℓ1, few pixels",
        "A sparse attack: some pixels change much, most not at all.",
        RunSettings(index=41, attack="l1"),
    ),
    Named(
        "No attack",
        "A clean image: the solver should name no attack and leave the digit alone.",
        RunSettings(index=7, attack="none"),
    ),
    Named(
        "z frozen, as published",
        "z stays where the Defense-GAN start put it; only c_a moves.",
        RunSettings(index=7, attack="linf", preset="paper-frozen"),
    ),
    Named(
        "μ exact (B.1)",
        "An image the generator made plus D_a c_a*: z* and c_a* are known, and μ is live.",
        RunSettings(source="realizable", attack="l2", seed=10),
    ),
)

"""A realizable instance as plain values: the same object behind URL, command line and JSON."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from typing import Any

from red_core.parse import checked, quoted
from red_core.synthetic.activations import ACTIVATIONS, activation
from red_core.synthetic.families import FAMILIES

SCALES = ("1/m", "1/d", "1")
STARTS = ("random", "near")
MAX_SEED = 2**31 - 1


class InstanceError(ValueError):
    """Settings of which no instance can be made; the message is one sentence for the user."""


@dataclass(frozen=True)
class InstanceSettings:
    """A family of realizable instances x' = G(z*) + D_a c_a* (Section 5.1, B.1, B.3, B.5).

    family: key of FAMILIES; m, d: output and latent dimension; layers: L of eq. 4 (family
    "gaussian"); activation, parameter: of ACTIVATIONS, None for its default; scale: W is the
    family's matrix, whose entries (Gaussian, Hadamard) have variance 1 or whose rows have length
    1, times the root of "1/m" (fan out), "1/d" (fan in) or "1"; None for the family's own; noise:
    variance of eps_i, added to the rows in Examples 15 and 16; attack: whether D_a c_a* is added;
    training: columns of D_a, single-step gradient attacks on as many training signals; hidden:
    neurons of psi (eq. 87); examples: test signals a network; start: "random" (z^0 ~ N(0, I),
    c_a^0 = 0) or "near" (radius away from (z*, c_a*) in a random direction); seed. Normalised:
    what the family fixes has the family's value. Raises InstanceError.
    """

    family: str = "gaussian"
    m: int = 100
    d: int = 10
    layers: int = 1
    activation: str = "leaky_relu"
    parameter: float | None = None
    scale: str | None = None
    noise: float = 0.2
    attack: bool = False
    training: int = 20
    hidden: int = 200
    examples: int = 10
    start: str = "random"
    radius: float = 0.1
    seed: int = 0

    def __post_init__(self) -> None:
        try:
            for name, kind in _TYPES.items():
                self._set(name, checked(name, getattr(self, name), kind))
        except ValueError as error:
            raise InstanceError(str(error)) from error
        for name, value, known in (
            ("family", self.family, tuple(FAMILIES)),
            ("start", self.start, STARTS),
            ("activation", self.activation, tuple(ACTIVATIONS)),
            ("scale", self.scale or SCALES[0], SCALES),
        ):
            if value not in known:
                raise InstanceError(
                    f"the {name} must be one of {', '.join(known)}, not {quoted(value)}"
                )
        family = FAMILIES[self.family]
        self._set("d", family.latent or self.d)
        self._set("layers", family.layers or self.layers)
        self._set("scale", self.scale or family.scale)
        for name, (low, high) in _RANGES.items():
            if not low <= getattr(self, name) <= high:
                raise InstanceError(
                    f"{name} must lie between {low:g} and {high:g}, not {getattr(self, name):g}"
                )
        if self.m < max(self.d, family.least_m):
            raise InstanceError(
                f"m must be at least {max(self.d, family.least_m)} here: G expands, d <= m"
            )
        if self.attack and self.training % 2:
            raise InstanceError("training must be even: half of the columns of D_a a class")
        try:
            chosen = activation(self.activation, self.parameter)
        except ValueError as error:
            raise InstanceError(str(error)) from error
        self._set("parameter", chosen.parameter)

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def as_dict(self) -> dict[str, Any]:
        """All fields, for JSON."""
        return asdict(self)


_TYPES = {field.name: str(field.type) for field in fields(InstanceSettings)}
_RANGES: dict[str, tuple[float, float]] = {
    "m": (2, 2000),
    "d": (1, 100),
    "layers": (1, 6),
    "noise": (0, 10),
    "training": (2, 1000),
    "hidden": (1, 2000),
    "examples": (1, 1000),
    "radius": (1e-6, 100),
    "seed": (0, MAX_SEED),
}

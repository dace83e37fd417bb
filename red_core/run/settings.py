"""The settings of one run: the same object behind the URL, the command line and the JSON.

Everything that decides the iterates is here, so two runs with equal settings (and the same image,
where it is the user's own) give the same iterates.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from red_core.algorithm.options import DIFFUSION, PERCEPTUAL, SolverOptions
from red_core.algorithm.presets import DEFAULT_PRESET, GENERATORS, OWN, presets_of, presets_with
from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS, AttackSettings
from red_core.data.datasets import (
    CLASSES,
    DENOISED,
    FEATURED,
    PHOTOGRAPHED,
    TITLES,
    check_dataset,
)
from red_core.data.own_datasets import base_of, dataset_words, is_style
from red_core.parse import checked, parsed, quoted, written

SOURCES = ("example", "photograph", "realizable", "own")
MAX_SEED = 2**31 - 1


class SettingsError(ValueError):
    """A setting that is not acceptable; the message is one sentence for the user."""


@dataclass(frozen=True)
class RunSettings:
    """One run.

    dataset: key of CLASSES; source: "example" (held-out image `index`), "photograph" (bundled
    photograph `index`, of a data set of PHOTOGRAPHED), "realizable" (x' = G(z*) + D_a c_a*, drawn
    from `seed`) or "own" (the user's image); label: the class of an own image, None where it is
    not known; attack: linf, l2, l1 or none; eps, step_size, attack_steps: None for the
    paper's; target: class the attack aims at, or None; preset: key of `presets_of`; generator: key
    of GENERATORS, "own" or "dcgan" (the paper's, with a preset of `presets_with`); solver: fields
    of SolverOptions that differ from the preset's; seed: of the attack's and the solver's random
    starts; device: cpu, cuda, mps or auto. Normalised: `index` is 0 and `label` None where the
    source has none, `solver` is sorted by name, values have their declared types. Raises
    SettingsError.
    """

    dataset: str = "mnist"
    source: str = "example"
    index: int = 0
    label: int | None = None
    attack: str = "linf"
    eps: float | None = None
    step_size: float | None = None
    attack_steps: int | None = None
    target: int | None = None
    preset: str = DEFAULT_PRESET
    generator: str = OWN
    solver: tuple[tuple[str, float | int | str | bool], ...] = ()
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        try:
            for name, kind in _TYPES.items():
                object.__setattr__(self, name, checked(name, getattr(self, name), kind))
            check_dataset(self.dataset)
        except ValueError as error:
            raise SettingsError(str(error)) from error
        chosen = {name: _solver_option(checked, name, value) for name, value in self.solver}
        object.__setattr__(self, "solver", tuple(sorted(chosen.items())))
        # The seed depends on the index, which other sources have not.
        if self.source not in ("example", "photograph"):
            object.__setattr__(self, "index", 0)
        if self.source != "own":  # the others know their classes
            object.__setattr__(self, "label", None)
        _one_of("image source", self.source, SOURCES)
        if self.source == "photograph" and self.dataset not in PHOTOGRAPHED:
            raise SettingsError(f"{TITLES[self.dataset]} has no photographs beside its examples")
        _one_of("attack", self.attack, (*ATTACKS, "none"))
        _one_of("preset", self.preset, tuple(presets_of(self.dataset)))
        _one_of("generator", self.generator, tuple(GENERATORS))
        _one_of("device", self.device, ("auto", "cpu", "cuda", "mps"))
        if self.index < 0:
            raise SettingsError(f"the image index must not be negative, but is {self.index}")
        if not 0 <= self.seed <= MAX_SEED:
            raise SettingsError(f"the seed must lie between 0 and {MAX_SEED}, not {self.seed}")
        classes = len(CLASSES[self.dataset])
        for what, label in (("target class", self.target), ("class of the image", self.label)):
            if label is not None and not 0 <= label < classes:
                raise SettingsError(f"the {what} must lie between 0 and {classes - 1}")
        try:
            self.attack_settings()
            self._check_generator()
            self._check_options()
        except ValueError as error:
            raise SettingsError(str(error)) from error

    def attack_settings(self) -> AttackSettings | None:
        """The PGD attack, the paper's where nothing else is set; None for attack "none"."""
        if self.attack == "none":
            return None
        base = PAPER_ATTACKS[self.dataset][self.attack]
        return AttackSettings(
            self.attack,
            base.eps if self.eps is None else self.eps,
            base.step_size if self.step_size is None else self.step_size,
            base.steps if self.attack_steps is None else self.attack_steps,
        )

    def solver_options(self) -> SolverOptions:
        """The preset's numbers with this run's own in their place."""
        preset = presets_of(self.dataset)[self.preset]
        return replace(preset, **dict(self.solver))  # type: ignore[arg-type]

    def _check_generator(self) -> None:
        """ValueError where the data set or the preset has no use for the generator."""
        allowed = presets_with(self.dataset, self.generator)
        if not allowed:
            raise ValueError(
                f"{TITLES[self.dataset]} has no generator {self.generator}: choose own"
            )
        if self.preset not in allowed:
            raise ValueError(
                f"preset {self.preset} uses networks that were trained on our own generator: with "
                f"generator {self.generator} choose {' or '.join(allowed)}"
            )

    def _check_options(self) -> None:
        """ValueError for options that make no sense on this data set."""
        options = self.solver_options()
        title = TITLES[self.dataset]
        if options.signal_step == DIFFUSION and base_of(self.dataset) not in DENOISED:
            raise ValueError(f"{title} has no diffusion model: choose another step on z")
        if options.encoder_start and self.generator != OWN:
            raise ValueError(
                f"generator {self.generator} has no encoder: encoder_start must be off"
            )
        if options.feature_weight and self.dataset not in FEATURED:
            raise ValueError(f"{title}'s classifier offers no features: feature_weight must be 0")
        if options.start_loss == PERCEPTUAL and self.dataset not in FEATURED:
            raise ValueError(f"{title}'s classifier offers no features: start_loss must be squared")
        for name in ("class_start", "one_w"):
            if getattr(options, name) and not is_style(self.dataset):
                raise ValueError(f"{title}'s generator has no W+: {name} must be off")

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; `from_dict` is its inverse."""
        return {**asdict(self), "solver": dict(self.solver)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> RunSettings:
        """Settings from plain values; unknown names are refused."""
        values = dict(values)
        unknown = set(values) - {field.name for field in fields(cls)}
        if unknown:
            raise SettingsError(f"unknown setting {sorted(unknown)[0]!r}")
        chosen = values.pop("solver", {})
        if not isinstance(chosen, Mapping):
            raise SettingsError("solver must map the names of options to values")
        return cls(**values, solver=tuple(chosen.items()))

    def as_query(self) -> dict[str, str]:
        """Short strings for a URL: only what differs from the defaults."""
        query: dict[str, str] = {}
        default = RunSettings()
        for field in fields(self):
            value = getattr(self, field.name)
            if value == getattr(default, field.name) or field.name == "solver":
                continue
            query[field.name] = written(value)
        if self.dataset in PHOTOGRAPHED and self.source == "example":
            query["index"] = written(self.index)  # without it a photograph is meant: `from_query`
        query.update({f"solver.{name}": written(value) for name, value in self.solver})
        return query

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> RunSettings:
        """Settings from a URL's strings, validated.

        Names it does not know are ignored, except solver options: without one of those the link
        would silently mean another run. Where there are photographs, one that names neither a
        source nor an index means the first of them.
        """
        values: dict[str, Any] = {}
        solver: dict[str, Any] = {}
        for name, text in query.items():
            if name.startswith("solver."):
                option = name.removeprefix("solver.")
                solver[option] = _solver_option(parsed, option, text)
            elif name in _TYPES:
                try:
                    values[name] = parsed(name, text, _TYPES[name])
                except ValueError as error:
                    raise SettingsError(str(error)) from error
        if values.get("dataset") in PHOTOGRAPHED and not values.keys() & {"source", "index"}:
            values["source"] = "photograph"
        return cls.from_dict({**values, "solver": solver})

    def as_command(self, image: str | None = None) -> str:
        """The `python -m red_core run ...` command that repeats this run."""
        words = ["python", "-m", "red_core", "run", *dataset_words(self.dataset)]
        words += ["--attack", self.attack]
        if self.source == "own":
            words += ["--image", image or "IMAGE.png"]
        elif self.source == "realizable":
            words += ["--realizable"]
        elif self.source == "photograph":
            words += ["--photograph", str(self.index)]
        else:
            words += ["--index", str(self.index)]
        for flag, value in (
            ("--label", self.label),
            ("--eps", self.eps),
            ("--step-size", self.step_size),
            ("--steps", self.attack_steps),
            ("--target", self.target),
        ):
            if value is not None:
                words += [flag, written(value)]
        words += ["--preset", self.preset]
        if self.generator != OWN:
            words += ["--generator", self.generator]
        for name, chosen in self.solver:
            words += ["--set", f"{name}={written(chosen)}"]
        words += ["--seed", str(self.seed), "--device", self.device, "--json", "run.json"]
        return shlex.join(words)


def item_seed(seed: int, index: int) -> int:
    """The seed of one item of a batch: its attack and its starts depend on it alone."""
    return (seed * 1_000_003 + index) % (2**31 - 1)


def _one_of(what: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise SettingsError(f"unknown {what} {quoted(value)}: choose {', '.join(known)}")


_TYPES = {field.name: str(field.type) for field in fields(RunSettings) if field.name != "solver"}
_SOLVER_TYPES = {field.name: str(field.type) for field in fields(SolverOptions)}


def parse_solver_option(assignment: str) -> tuple[str, Any]:
    """`name=value` of the command line's --set, with the value in the option's own type."""
    name, _, text = assignment.partition("=")
    return name, _solver_option(parsed, name, text)


def _solver_option(read: Callable[[str, Any, str], Any], name: str, value: Any) -> Any:
    if name not in _SOLVER_TYPES:
        raise SettingsError(
            f"unknown solver option {quoted(name)}: choose {', '.join(_SOLVER_TYPES)}"
        )
    try:
        return read(name, value, _SOLVER_TYPES[name])
    except ValueError as error:
        raise SettingsError(str(error)) from error

"""What to measure of a table."""

from __future__ import annotations

from dataclasses import dataclass, field

from red_core.measure.accuracy import MAX_BATCH
from red_core.measure.tables.spec import TABLES, TableSpec
from red_core.run.settings import MAX_SEED, SettingsError

OFFICIAL, BUNDLED = "official", "bundled"
SOURCES = (OFFICIAL, BUNDLED)


@dataclass(frozen=True)
class Request:
    """A table, or a part of one.

    number: key of TABLES; examples: the first N images of `source`, the official test set or the
    bundled examples; methods, attacks, blocks: some of the table's own, empty for all of them;
    batch: images of one unit of work. Raises SettingsError.
    """

    number: str
    examples: int = 100
    methods: tuple[str, ...] = ()
    attacks: tuple[str, ...] = ()
    blocks: tuple[str, ...] = ()
    source: str = OFFICIAL
    seed: int = 0
    batch: int = 50
    named: bool = field(default=False, init=False)  # whether `methods` was given

    def __post_init__(self) -> None:
        spec = spec_of(self.number)
        object.__setattr__(self, "named", bool(self.methods))
        for what, known in (
            ("methods", spec.methods),
            ("attacks", spec.attacks),
            ("blocks", spec.blocks),
        ):
            object.__setattr__(self, what, _chosen(what, getattr(self, what), known, spec))
        if self.source not in SOURCES:
            raise SettingsError(f"unknown source {self.source!r}: choose {', '.join(SOURCES)}")
        if self.examples < 1:
            raise SettingsError(f"examples must be at least 1, not {self.examples}")
        if not 1 <= self.batch <= MAX_BATCH:
            raise SettingsError(f"batch must lie between 1 and {MAX_BATCH}, not {self.batch}")
        if not 0 <= self.seed <= MAX_SEED:
            raise SettingsError(f"the seed must lie between 0 and {MAX_SEED}, not {self.seed}")

    @property
    def spec(self) -> TableSpec:
        """The table that it is a part of."""
        return TABLES[self.number]

    def as_command(self) -> str:
        """The command that measures it."""
        words = [f"python -m red_core evaluate --table {self.number} --examples {self.examples}"]
        if self.named:
            words.append(f"--methods {','.join(self.methods)}")
        if self.attacks != self.spec.attacks:
            words.append(f"--attacks {','.join(self.attacks)}")
        if self.blocks != self.spec.blocks:
            words.append(f"--blocks {','.join(self.blocks)}")
        if self.source != OFFICIAL:
            words.append(f"--source {self.source}")
        return " ".join((*words, f"--seed {self.seed}"))


def spec_of(number: str) -> TableSpec:
    """The table of that number; SettingsError where there is none."""
    if number not in TABLES:
        raise SettingsError(f"unknown table {number!r}: choose {', '.join(TABLES)}")
    return TABLES[number]


def _chosen(
    what: str, chosen: tuple[str, ...], known: tuple[str, ...], spec: TableSpec
) -> tuple[str, ...]:
    """The chosen ones in the table's order; all of them where none were chosen."""
    unknown = sorted(set(chosen) - set(known))
    if unknown:
        raise SettingsError(
            f"Table {spec.number} has no {unknown[0]!r} among its {what}: choose {', '.join(known)}"
        )
    return tuple(name for name in known if not chosen or name in chosen)

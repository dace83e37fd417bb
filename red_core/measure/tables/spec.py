"""Which tables there are: their data set, methods, blocks and attacks."""

from __future__ import annotations

from dataclasses import dataclass

from red_core.algorithm.verdict import NO_ATTACK
from red_core.attacks.pgd import ATTACKS
from red_core.methods import METHODS, Method

PSI, WHITE_BOX = "psi", "white-box"
BLOCKS = {
    PSI: "Attacks on ψ, the undefended classifier: the same images for every method",
    WHITE_BOX: "White-box: each classifier attacked through its own weights",
}
MEAN = "mean"  # of the three attacks
OVERALL = "overall"  # of the three attacks and of clean images: attack types alone
COLUMNS = (*ATTACKS, MEAN, NO_ATTACK, OVERALL)
# Defense-GAN is a reading of bsd-gan-frozen, whose start it is.
_COMPARED = (
    *("cnn", "m-inf", "m-2", "m-1", "msd", "sbsc"),
    *(
        "bsd-gan-dcgan",
        "bsd-gan-published",
        "bsd-gan-paper",
        "bsd-gan-frozen",
        "bsd-gan-best",
        "type-cnn",
        "norm-ratio",
    ),
)


@dataclass(frozen=True)
class TableSpec:
    """One of the paper's tables.

    number: the paper's; methods: keys of `METHODS`, in the order of the rows; blocks: keys of
    BLOCKS; attacks: kinds, with "none" for clean images; pairs: what a table of differences
    subtracts, as (entry, entry, title).
    """

    number: str
    dataset: str
    title: str
    methods: tuple[str, ...]
    blocks: tuple[str, ...]
    attacks: tuple[str, ...] = (*ATTACKS, NO_ATTACK)
    pairs: tuple[tuple[str, str, str], ...] = ()


TABLES: dict[str, TableSpec] = {
    "1": TableSpec(
        "1", "mnist", "Signal and attack on MNIST, method by method", _COMPARED, (PSI, WHITE_BOX)
    ),
    "2": TableSpec(
        "2",
        "cifar10",
        "Signal and attack on CIFAR-10, method by method",
        ("cnn", "m-inf", "sbsc", "bsd-gan-paper", "bsd-gan-frozen", "bsd-gan-best", "type-cnn"),
        (PSI, WHITE_BOX),
    ),
    "4": TableSpec(
        "4",
        "mnist",
        "A smooth generator instead of one with kinks, on MNIST",
        ("bsd-gan-paper", "bsd-gan-paper-smooth", "bsd-gan-best", "bsd-gan-best-smooth"),
        (PSI,),
        pairs=(
            ("bsd-gan-paper", "bsd-gan-paper-smooth", "BSD-GAN paper"),
            ("bsd-gan-best", "bsd-gan-best-smooth", "BSD-GAN best"),
            (
                "bsd-gan-best/rules",
                "bsd-gan-best-smooth/rules",
                "BSD-GAN best, read by ψ and by blocks alone",
            ),
        ),
    ),
    "5": TableSpec(
        "5",
        "fashion",
        "Signal and attack on Fashion-MNIST, method by method",
        _COMPARED,
        (PSI, WHITE_BOX),
    ),
    "6": TableSpec(
        "6",
        "cifar10",
        "A diffusion model instead of a generator, on CIFAR-10",
        (
            *("cnn", "bsd-gan-paper", "bsd-gan-best"),
            *("dp", "dp-fixed", "dp-one", "dp-vote", "bsd-dp-paper", "bsd-dp"),
        ),
        (PSI,),
    ),
}


def method_of(entry: str) -> type[Method] | None:
    """The method behind an entry's key, "bsd-gan-best" or "bsd-gan-best/rules"; None: unknown."""
    return METHODS.get(entry.partition("/")[0])


def entries(key: str) -> tuple[str, ...]:
    """A method's own entry and those of its readings; () for one that is not registered."""
    method = METHODS.get(key)
    return () if method is None else (key, *(f"{key}/{name}" for name in method.readings))


def title_of(entry: str) -> str:
    """What a table calls an entry; its key where the method is not registered."""
    method, reading = method_of(entry), entry.partition("/")[2]
    if method is None:
        return entry
    if reading:
        return method.readings.get(reading, entry)
    return f"{method.title}, read by {method.read_by}" if method.read_by else method.title


def paper_columns(entry: str) -> tuple[str | None, str | None]:
    """The paper's columns for signal and attack that an entry is compared with.

    Every variant of BSD-GAN is compared with the paper's BSD-GAN and BSD-GAN-AD; the paper has no
    column for Defense-GAN alone, which is a reading of one.
    """
    if entry.startswith("bsd-gan") and not entry.endswith("/defense-gan"):
        return "BSD-GAN", "BSD-GAN-AD"
    method = method_of(entry)
    return (None, None) if method is None else method.paper


def has_own_network(key: str) -> bool:
    """Whether a white-box attack on the method differs from the attack on ψ.

    It does where the method is a network of its own; ψ's own attack is white-box for ψ already.
    """
    method = METHODS.get(key)
    if method is None or not method.answers_signal:
        return False
    overridden = method.network is not Method.network
    return overridden and method.files != ("classifier.safetensors",)

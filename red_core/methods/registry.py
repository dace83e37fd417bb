"""All methods by key, in the order of the tables' columns."""

from __future__ import annotations

from red_core.data.datasets import DATASETS
from red_core.data.own_datasets import base_of, own_dataset
from red_core.methods.bsd_dp import (
    BsdDp,
    BsdDpPaper,
    DiffPure,
    DiffPureFixed,
    DiffPureOne,
    DiffPureVote,
)
from red_core.methods.bsd_gan import (
    BsdGanBest,
    BsdGanBestSmooth,
    BsdGanDcgan,
    BsdGanFrozen,
    BsdGanPaper,
    BsdGanPaperSmooth,
    BsdGanPublished,
    DefenseGan,
)
from red_core.methods.competitors import NormRatio, TypeClassifier
from red_core.methods.method import Method
from red_core.methods.networks import Msd, RobustInf, RobustOne, RobustTwo, Undefended
from red_core.methods.sbsc_method import Sbsc
from red_core.run.bundle import Bundle

_ALL: tuple[type[Method], ...] = (
    Undefended,
    RobustInf,
    RobustTwo,
    RobustOne,
    Msd,
    Sbsc,
    DefenseGan,
    BsdGanPaper,
    BsdGanPaperSmooth,
    BsdGanFrozen,
    BsdGanDcgan,
    BsdGanPublished,
    BsdGanBest,
    BsdGanBestSmooth,
    DiffPure,
    DiffPureFixed,
    DiffPureOne,
    DiffPureVote,
    BsdDpPaper,
    BsdDp,
    TypeClassifier,
    NormRatio,
)
METHODS: dict[str, type[Method]] = {method.key: method for method in _ALL}


def methods_of(dataset: str) -> tuple[str, ...]:
    """The keys of the methods that make sense on a data set, in the tables' order."""
    if own_dataset(dataset) is None:
        return tuple(key for key, method in METHODS.items() if dataset in method.datasets)
    base = base_of(dataset)
    return tuple(
        key
        for key, method in METHODS.items()
        if method.projects and (base in method.datasets or method.datasets == DATASETS)
    )


def fit(key: str, bundle: Bundle) -> Method:
    """The method of that key on a data set's assets.

    Raises ValueError for an unknown key and AssetError where a file it needs is not there.
    """
    if key not in METHODS:
        raise ValueError(f"unknown method {key!r}: choose {', '.join(METHODS)}")
    return METHODS[key].fit(bundle)

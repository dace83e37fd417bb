"""Methods that are one network: no defence, and adversarial training (M_inf, M_2, M_1, MSD)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from torch import Tensor, nn

from red_core.data.datasets import DATASETS
from red_core.methods.method import GREY, Answers, Method, Watch, label
from red_core.models.classifiers import Table3CNN
from red_core.run.bundle import Bundle, load_network
from red_core.run.cifar10_parts import load_wide_resnet


class Undefended(Method):
    """psi itself reads x': what the attacks were made for."""

    key, title, paper = "cnn", "CNN", ("CNN", None)
    projects = True

    def __init__(self, network: nn.Module) -> None:
        self._network = network

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """psi of the bundle."""
        return cls(bundle.psi)

    def classify(
        self, attacked: Tensor, seeds: Sequence[int], watch: Watch | None = None
    ) -> Answers:
        """Its class of x'."""
        return Answers(signal=label(self._network, attacked))

    @property
    def network(self) -> nn.Module:
        """The network itself."""
        return self._network


class Robust(Undefended):
    """A network of psi's architecture, trained on attacks on itself (recipes/robust.py)."""

    datasets: ClassVar[tuple[str, ...]] = GREY
    projects = False

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The network of `files`."""
        return cls(load_network(Table3CNN(), bundle.dataset, cls.files[0], bundle.device))


class RobustInf(Robust):
    """M_inf: trained on l-inf attacks (Madry et al. 2018; on CIFAR-10 of one step)."""

    key, title, paper = "m-inf", "M∞", ("M_inf", None)
    files = ("robust-linf.safetensors",)
    datasets = DATASETS

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """The network of `files`, of psi's architecture."""
        if bundle.dataset == "cifar10":
            return cls(load_wide_resnet(cls.files[0], bundle.device))
        return super().fit(bundle)


class RobustTwo(Robust):
    """M_2: trained on l2 attacks."""

    key, title, paper = "m-2", "M2", ("M_2", None)
    files = ("robust-l2.safetensors",)


class RobustOne(Robust):
    """M_1: trained on sparse l1 attacks."""

    key, title, paper = "m-1", "M1", ("M_1", None)
    files = ("robust-l1.safetensors",)


class Msd(Robust):
    """MSD: trained on the steepest descent of the three balls together (Maini et al. 2020)."""

    key, title, paper = "msd", "MSD", ("MSD", None)
    files = ("robust-msd.safetensors",)

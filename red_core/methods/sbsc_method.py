"""SBSC and SBSAD (Thaker et al. 2022): clean images and attacks each in a union of subspaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

import torch
from torch import Tensor

from red_core.data.assets import AssetError, read_manifest, read_tensors
from red_core.data.datasets import TITLES, DataDamaged, DataMissing, load_official
from red_core.methods.method import ANSWERS, Answers, Method, Watch
from red_core.run.bundle import Bundle
from red_core.sbsc import BlockDictionary, Decomposition, decide, follow

NOT_BUNDLED = ("cifar10",)  # data sets whose licence nobody has stated: D_s is read where they are
CHUNK = 100  # images solved together: beyond, memory grows and time does not fall


class Sbsc(Method):
    """SBSC and SBSAD: x' ~ D_s c_s + D_a c_a with few active blocks (red_core/sbsc).

    The reading is the same run after all four rounds, whether or not they ended before.
    Neither answers "none". The reconstruction is D_s c_s, the perturbation D_a c_a.
    """

    key, title, paper = "sbsc", "SBSC / SBSAD", ("SBSC", "SBSAD")
    answers_attack = True
    iterative = True
    files = ("signal_dictionary.safetensors", "dictionary.safetensors")
    readings: ClassVar[dict[str, str]] = {"all-rounds": "SBSC / SBSAD, always four rounds"}

    def __init__(self, blocks: BlockDictionary) -> None:
        self.blocks = blocks
        self._answers = torch.tensor([ANSWERS.index(name) for name in blocks.attacks])

    @classmethod
    def files_on(cls, dataset: str) -> tuple[str, ...]:
        """D_a alone, where the images of D_s are not bundled."""
        return cls.files[1:] if dataset in NOT_BUNDLED else cls.files

    @classmethod
    def fit(cls, bundle: Bundle) -> Self:
        """D_s of `files` beside the bundle's D_a, in float64; on the CPU where it is Apple's GPU.

        Where no image may be bundled (CIFAR-10), D_s holds the official training images that D_a
        attacks, as in Thaker et al. Raises AssetError where the file is missing or changed, or
        the official images are not there.
        """
        device = "cpu" if bundle.device.type == "mps" else bundle.device
        images = _clean_images(bundle.dataset, cls.files[0]).flatten(2).to(device)
        return cls(BlockDictionary.of(images, bundle.dictionary.to(device)))

    @torch.no_grad()
    def classify(
        self, attacked: Tensor, seeds: Sequence[int], watch: Watch | None = None
    ) -> Answers:
        """Its class and attack; nothing in it is random. `watch` is called every round.

        A batch that is solved in chunks is watched chunk by chunk.
        """
        parts = [self._chunk(images, watch) for images in attacked.split(CHUNK)]
        every = _join([last for _, last in parts], {})
        return _join([ended for ended, _ in parts], {"all-rounds": every})

    def _chunk(self, images: Tensor, watch: Watch | None) -> tuple[list[Tensor], list[Tensor]]:
        """What is read where the rounds end, and after all four."""
        target = images.flatten(1).to(self.blocks.bases[0])
        for number, found in enumerate(follow(self.blocks, target), start=1):
            if watch is not None:
                watch(number, found[0].clean.to(images).view_as(images))
        ended, last = found
        return self._read(images, target, ended), self._read(images, target, last)

    def _read(self, images: Tensor, target: Tensor, found: Decomposition) -> list[Tensor]:
        signal, attack = decide(target, found)
        return [
            signal.to(images.device),
            self._answers[attack.cpu()].to(images.device),
            found.clean.to(images).view_as(images),
            found.perturbation.to(images).view_as(images),
        ]


def _clean_images(dataset: str, name: str) -> Tensor:
    """D_s as images [classes, m, C, H, W], of the bundled file or of the official training set."""
    if dataset not in NOT_BUNDLED or name in read_manifest(dataset):
        return read_tensors(dataset, name)["images"]
    indices = read_tensors(dataset, "dictionary.safetensors")["indices"].long()
    try:
        return load_official(dataset, "train").images[indices]
    except (DataMissing, DataDamaged) as error:
        raise AssetError(
            f"SBSC needs {TITLES[dataset]}'s own images, which are not bundled: {error}"
        ) from error


def _join(chunks: list[list[Tensor]], readings: dict[str, Answers]) -> Answers:
    signal, attack, clean, perturbation = (torch.cat(c) for c in zip(*chunks, strict=True))
    return Answers(signal, attack, clean, perturbation, readings)

"""Attacked images on disk: crafted once, so that every method is measured on the same x'."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from tqdm import tqdm

from red_core.attacks.pgd import AttackCheck, AttackSettings, check_attacks, craft
from red_core.data.atomic import write_atomically
from red_core.run.bundle import Bundle
from red_core.run.code_digest import code_digest, digest_of, tensor_digest
from red_core.run.provenance import asset_checksums
from red_core.run.settings import item_seed

CHUNK = 50  # images crafted together and kept in one file
# What makes an attacked image, beside values: AdverTorch's attacks and the networks attacked.
CRAFTING = ("red_core.attacks.pgd", "red_core.models.classifiers", "red_core.models.wide_resnet")


@dataclass(frozen=True)
class Target:
    """A network that is attacked through its own weights; files: the bundled ones that hold it."""

    network: nn.Module
    files: tuple[str, ...]


class AttackCache:
    """The attack on the bundle's first `count` examples, each image from its own seed.

    attack: None leaves them clean; folder: where chunks are kept, under names made of the
    attacked network's checksum, the attack, the seed, the device and the code, and of the chunk's
    images and labels; target: that network, ψ where it is None (B.2).
    """

    def __init__(
        self,
        bundle: Bundle,
        attack: AttackSettings | None,
        seed: int,
        count: int,
        folder: Path,
        target: Target | None = None,
    ) -> None:
        if target is not None:  # an attack looks at nothing of a bundle but its ψ
            readers = replace(bundle.readers, psi=target.network)
            bundle = replace(bundle, readers=readers)
        self.bundle, self.attack, self.seed, self.count = bundle, attack, seed, count
        files = asset_checksums(bundle.dataset)
        attacked = ("classifier.safetensors",) if target is None else target.files
        key = {
            "files": [files[name] for name in attacked],
            "attack": None if attack is None else asdict(attack),
            "seed": seed,
            "device": bundle.device.type,
            "code": [code_digest(module) for module in CRAFTING],
        }
        self.folder = folder / digest_of(key)

    def fill(self) -> None:
        """Craft what is missing, with a progress bar."""
        if self.attack is None:
            return
        chunks = self._chunks(range(self.count))
        missing = [items for items in chunks if self._kept(items) is None]
        for items in tqdm(missing, desc=f"crafting {self.attack.kind}", disable=not missing):
            self._chunk(items)

    def read(self, items: range) -> Tensor:
        """x' of the images `items`, [B, C, H, W] on the bundle's device."""
        if self.attack is None:
            return self.bundle.examples.images[items.start : items.stop].to(self.bundle.device)
        chunks = self._chunks(items)
        whole = torch.cat([self._chunk(chunk) for chunk in chunks])
        first = items.start - chunks[0].start
        return whole[first : first + len(items)].to(self.bundle.device)

    def check(self) -> AttackCheck | None:
        """Did the attacks on all images attack? None without one."""
        if self.attack is None:
            return None
        checks = []
        for items in self._chunks(range(self.count)):
            images, labels, seeds = self._given(items)
            attacked = self._chunk(items).to(images.device)
            checks.append(
                check_attacks(self.bundle.psi, images, attacked, labels, self.attack, seeds)
            )
        return AttackCheck(
            torch.cat([check.fooled for check in checks]),
            torch.cat([check.still for check in checks]),
            torch.cat([check.share_of_eps for check in checks]),
        )

    def _given(self, items: range) -> tuple[Tensor, Tensor, list[int]]:
        """Images, labels and seeds of a chunk."""
        examples, device, part = (
            self.bundle.examples,
            self.bundle.device,
            slice(items.start, items.stop),
        )
        seeds = [item_seed(self.seed, index) for index in items]
        return examples.images[part].to(device), examples.labels[part].to(device), seeds

    def _chunks(self, items: range) -> list[range]:
        """The chunks that hold `items`; the last of all is cut at `count`."""
        first = items.start // CHUNK * CHUNK
        return [range(s, min(s + CHUNK, self.count)) for s in range(first, items.stop, CHUNK)]

    def _path(self, items: range) -> Path:
        examples, part = self.bundle.examples, slice(items.start, items.stop)
        content = tensor_digest(examples.images[part], examples.labels[part])
        return self.folder / f"{items.start:05d}-{items.stop:05d}-{content}.safetensors"

    def _kept(self, items: range) -> Tensor | None:
        try:
            return load(self._path(items).read_bytes())["attacked"]
        except (OSError, KeyError, SafetensorError):
            return None

    def _chunk(self, items: range) -> Tensor:
        kept = self._kept(items)
        if kept is None:
            assert self.attack is not None  # clean images are read from the examples
            images, labels, seeds = self._given(items)
            kept = craft(self.bundle.psi, images, labels, self.attack, seeds).cpu()
            write_atomically(self._path(items), save({"attacked": kept}))
        return kept

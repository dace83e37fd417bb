"""Attacked images on disk: crafted once, so that every method is measured on the same x'."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn
from tqdm import tqdm

from red_core.attacks.pgd import AttackSettings
from red_core.run.bundle import Bundle
from red_core.run.experiment import attack_images
from red_core.run.provenance import asset_checksums
from red_core.run.settings import item_seed

CHUNK = 50  # images crafted together and kept in one file


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step, so that a kill leaves all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    os.replace(part, path)


@dataclass(frozen=True)
class Target:
    """A network that is attacked through its own weights; files: the bundled ones that hold it."""

    network: nn.Module
    files: tuple[str, ...]


class Crafted:
    """The attack on the bundle's first `count` examples, each image from its own seed.

    attack: None leaves them clean; folder: where chunks are kept, under a name made of the
    attacked network's checksum, the images, the attack and the seed; target: that network, ψ
    where it is None (B.2).
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
            "files": [files[name] for name in (*attacked, "examples.safetensors")],
            "attack": None if attack is None else asdict(attack),
            "seed": seed,
            "source": bundle.examples.source,
        }
        digest = hashlib.sha256(json.dumps(key, sort_keys=True).encode()).hexdigest()[:20]
        self.folder = folder / digest

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

    def _chunks(self, items: range) -> list[range]:
        """The chunks that hold `items`; the last of all is cut at `count`."""
        first = items.start // CHUNK * CHUNK
        return [range(s, min(s + CHUNK, self.count)) for s in range(first, items.stop, CHUNK)]

    def _path(self, items: range) -> Path:
        return self.folder / f"{items.start:05d}-{items.stop:05d}.safetensors"

    def _kept(self, items: range) -> Tensor | None:
        try:
            return load(self._path(items).read_bytes())["attacked"]
        except (OSError, KeyError, SafetensorError):
            return None

    def _chunk(self, items: range) -> Tensor:
        kept = self._kept(items)
        if kept is None:
            examples = self.bundle.examples
            seeds = [item_seed(self.seed, index) for index in items]
            chosen = slice(items.start, items.stop)
            made = attack_images(
                self.bundle, examples.images[chosen], examples.labels[chosen], self.attack, seeds
            )
            kept = made.attacked.cpu()
            write_whole(self._path(items), save({"attacked": kept}))
        return kept

"""A tiny archive in CIFAR-10's form, and torchvision's own table changed to list it."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Callable

import numpy as np

from red_core.compat import ensure_torchvision

CONTENT = {
    name: np.random.default_rng(number).bytes(60_000)
    for number, name in enumerate(["data_batch_1", "test_batch", "batches.meta"])
}
FOLDER = "cifar-10-batches-py"
PIECE = 1 << 12  # bytes that a slow server sends at once


def md5(data: bytes) -> str:
    return hashlib.md5(data).hexdigest()


def packed(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(stream.getvalue(), mtime=0)


ARCHIVE = packed({f"{FOLDER}/{name}": content for name, content in CONTENT.items()})


def accept(address: str, replace: Callable[[type, str, object], None]) -> None:
    """Let torchvision's CIFAR-10 be this archive at an address; `replace` sets its attributes."""
    ensure_torchvision()
    from torchvision.datasets import CIFAR10

    replace(CIFAR10, "url", address)
    replace(CIFAR10, "tgz_md5", md5(ARCHIVE))
    replace(CIFAR10, "train_list", [["data_batch_1", md5(CONTENT["data_batch_1"])]])
    replace(CIFAR10, "test_list", [["test_batch", md5(CONTENT["test_batch"])]])
    meta = {"filename": "batches.meta", "key": "x", "md5": md5(CONTENT["batches.meta"])}
    replace(CIFAR10, "meta", meta)

"""G as a file for the browser: what `browser/generator.js` computes pictures from.

The uint32 length of a JSON header (a multiple of four with its padding of spaces), the header, then
the weights in float16, all little-endian: project [2w * 49, d] and its bias, up1 [2w, w, 4, 4] and
its bias, up2 [w, 1, 4, 4] and its bias (1), with the normalisations folded in.
"""

from __future__ import annotations

import json
import struct
from functools import lru_cache

import torch
from torch import Tensor, nn

from red_core.algorithm.presets import GENERATORS, OWN
from red_core.data.assets import AssetError, read_manifest
from red_core.models.dcgan import DCGANGenerator
from red_core.run.bundle import load_network

NAME = GENERATORS[OWN]


def generator_file(dataset: str) -> bytes:
    """The bytes for the browser; AssetError where G is missing or has layers it cannot compute."""
    return _packed(dataset, generator_digest(dataset))


def generator_digest(dataset: str) -> str:
    """A short name of the trained G, empty where there is none."""
    return str(read_manifest(dataset).get(NAME, {}).get("sha256", ""))[:12]


@lru_cache(maxsize=2)
def _packed(dataset: str, digest: str) -> bytes:
    generator = load_network(DCGANGenerator(), dataset, NAME, torch.device("cpu"))
    assert isinstance(generator, DCGANGenerator)
    return pack(generator)


def pack(generator: DCGANGenerator) -> bytes:
    """The file of a trained G in eval mode, whose normalisations are folded in place."""
    if type(generator.activation) is not nn.ReLU:
        raise AssetError("the browser computes generators with ReLU layers only")
    generator.fold_norms()
    parts: list[Tensor] = []
    for layer in (generator.project, generator.up1, generator.up2):
        assert layer.bias is not None  # folded norms have one
        parts += [layer.weight, layer.bias]
    header = json.dumps(
        {
            "latent": generator.latent,
            "width": generator.width,
            "sizes": [part.numel() for part in parts],
        }
    ).encode()
    header += b" " * (-len(header) % 4)
    weights = torch.cat([part.detach().flatten() for part in parts]).half().numpy()
    return struct.pack("<I", len(header)) + header + weights.astype("<f2").tobytes()

"""The trained parts of CIFAR-10, each read from its checked file, frozen, on one device."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

import torch
from torch import Tensor, nn

from red_core.algorithm.problem import AttackDictionary
from red_core.algorithm.verdict import SOURCES, Readers
from red_core.data.assets import AssetError, assets_root, read_manifest, read_tensors
from red_core.data.attack_file import unpacked
from red_core.data.datasets import CLASSES
from red_core.models.airbench import AirbenchNet
from red_core.models.channels_last import to_channels_last
from red_core.models.denoiser import Denoiser
from red_core.models.purifier import Purifier
from red_core.models.style import StyleGenerator
from red_core.models.style_partners import StyleEncoder
from red_core.models.wide_resnet import WideResNet

M = TypeVar("M", bound=nn.Module)

_Device = str | torch.device
_PIXELS = 3 * 32 * 32
READER = "reader.safetensors"
# The purifications that the second classifier reads, chosen on held-out images with the rest of
# the verdict.
READ_SIGMA, READ_DRAWS = 0.1, 4


def load_psi(device: _Device = "cpu") -> WideResNet:
    """The Wide ResNet that is attacked, its norms folded; AssetError where it cannot be read."""
    return load_wide_resnet("classifier.safetensors", device)


def load_generator(device: _Device = "cpu") -> StyleGenerator:
    """The style generator; AssetError where it cannot be read."""
    return _network("generator.safetensors", StyleGenerator.from_tensors, device)


def load_encoder(device: _Device = "cpu") -> StyleEncoder:
    """The encoder into W+; AssetError where it cannot be read."""
    return _network("encoder.safetensors", StyleEncoder.from_tensors, device)


def load_reader(device: _Device = "cpu") -> tuple[AirbenchNet, float]:
    """The second classifier, and what divides its logits on G(w); or AssetError."""
    temperature = float(read_tensors("cifar10", READER).get("temperature", 1.0))
    return _network(READER, _airbench, device), temperature


def with_reader(readers: Readers, denoiser: Denoiser, device: _Device = "cpu") -> Readers:
    """`readers` with the second classifier, what it reads of x', and how much each counts."""
    weights = read_tensors("cifar10", READER).get("weights")
    if weights is None or weights.shape != (len(SOURCES),):
        raise _foreign(READER)
    reader, temperature = load_reader(device)
    return replace(
        readers,
        reader=reader,
        reader_temperature=temperature,
        purify=purify_with(denoiser),
        source_weights=weights.float().to(device),
    )


def purify_with(denoiser: Denoiser) -> Callable[[Tensor], Tensor]:
    """x' [B, 3, 32, 32] -> READ_DRAWS purifications of each, [B, READ_DRAWS, 3, 32, 32].

    D's first guesses behind noise of READ_SIGMA; the noise is the same for every image, so that an
    image is always read alike.
    """
    purifier = Purifier(denoiser, READ_SIGMA, steps=1, draws=READ_DRAWS)
    return lambda observed: purifier.each(observed, [0] * len(observed))


def load_types(device: _Device = "cpu") -> WideResNet:
    """The network that reads the attack off x' alone; AssetError where it cannot be read."""
    return load_wide_resnet("type-classifier.safetensors", device)


def load_denoiser(device: _Device = "cpu") -> Denoiser:
    """The denoiser that purifies; AssetError where it cannot be read."""
    return _network("diffusion.safetensors", Denoiser.from_tensors, device)


def load_cifar10_dictionary(device: _Device = "cpu") -> AttackDictionary:
    """D_a in float32; AssetError where it cannot be read.

    Its operator norm is the one that was measured when it was made: computing it takes seconds.
    """
    name = "dictionary.safetensors"
    stored = read_tensors("cifar10", name)
    entry = read_manifest("cifar10")[name]
    attacks = tuple(entry.get("attacks", ()))
    try:
        deltas = unpacked(stored, attacks)
    except AssetError as error:
        raise _foreign(name) from error
    if len(deltas) != len(CLASSES["cifar10"]) or deltas.shape[-1] != _PIXELS:
        raise _foreign(name)
    dictionary = AttackDictionary.from_attacks(deltas.float(), attacks)
    known = entry.get("measured", {}).get("operator_norm_squared")
    if known is not None:
        dictionary = dictionary.with_operator_norm_squared(float(known))
    _ = dictionary.operator_norm_squared
    return dictionary.to(device)


def load_wide_resnet(name: str, device: _Device = "cpu") -> WideResNet:
    """A Wide ResNet of one file, its norms folded; AssetError where it cannot be read."""
    network = _network(name, _wide_resnet, "cpu").fold_norms()
    return to_channels_last(network, device).requires_grad_(False)  # folding made new parameters


def _airbench(stored: Mapping[str, Tensor]) -> AirbenchNet:
    others = ("temperature", "weights")
    return AirbenchNet.from_tensors({k: t for k, t in stored.items() if k not in others})


def _wide_resnet(stored: Mapping[str, Tensor]) -> WideResNet:
    return WideResNet.from_tensors(stored)


def _network(name: str, build: Callable[[Mapping[str, Tensor]], M], device: _Device) -> M:
    """A network of one file's tensors; AssetError where they are not that network's."""
    stored = read_tensors("cifar10", name)
    try:
        network = build(stored)
    except (KeyError, IndexError, ValueError, RuntimeError) as error:
        raise _foreign(name) from error
    return to_channels_last(network, device).eval().requires_grad_(False)


def _foreign(name: str) -> AssetError:
    command = read_manifest("cifar10")[name]["command"]
    return AssetError(
        f"{assets_root() / 'cifar10' / name} does not hold what its name says: restore it with "
        f"git, or rebuild it with `{command}`"
    )

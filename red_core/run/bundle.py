"""The trained parts of one data set, loaded together from checked assets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import torch
from torch import Tensor, nn

from red_core.algorithm.presets import DCGAN, GENERATORS, OWN
from red_core.algorithm.problem import AttackDictionary, Features
from red_core.algorithm.verdict import Readers
from red_core.data.assets import AssetError, read_manifest, read_tensors
from red_core.data.datasets import (
    CLASSES,
    TITLES,
    TWO_GENERATORS,
    DataMissing,
    ImageSet,
    load_official,
)
from red_core.data.own_datasets import base_of
from red_core.models.channels_last import to_channels_last
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator, Encoder
from red_core.models.denoiser import Denoiser
from red_core.models.evidence_model import EvidenceModel
from red_core.models.style import StyleGenerator
from red_core.models.wide_resnet import WideResNet
from red_core.run import cifar10_parts
from red_core.run.prior import GaussianPrior, Prior, StylePrior

# How the parts of an opened project are loaded, by its key: `open_project` fills it.
OPENED: dict[str, Callable[[torch.device], Bundle]] = {}


@dataclass(frozen=True)
class Bundle:
    """psi, G, E, D_a, the readers and the example images of one data set, frozen, on one device.

    class_names: for display. generator: G, z -> image; for CIFAR-10 that is the synthesis network,
    whose z is a point of W+. encoder, readers.reader and readers.evidence belong to the preset
    `best` and may be None, as they are beside the paper's own G, which they were not trained on;
    denoiser belongs to the methods of B.8; generator_name: key of GENERATORS; fooled: on which of
    the bundled examples each attack of the paper's strength fools psi, bool [N, attacks] in the
    order of ATTACKS, by the seeds of seed 0, or None where that was not measured for them.
    """

    dataset: str
    class_names: tuple[str, ...]
    generator: DCGANGenerator | StyleGenerator
    encoder: nn.Module | None
    readers: Readers
    dictionary: AttackDictionary
    examples: ImageSet
    device: torch.device
    denoiser: Denoiser | None = None
    generator_name: str = OWN
    fooled: Tensor | None = None

    @property
    def psi(self) -> nn.Module:
        """The classifier that the attacks were made for."""
        return self.readers.psi

    @cached_property
    def prior(self) -> Prior:
        """Where z is likely."""
        if isinstance(self.generator, StyleGenerator):
            return StylePrior(self.generator, self.encoder, self.device)
        return GaussianPrior(self.generator.latent, self.encoder, self.device)

    @property
    def latent(self) -> int:
        """The dimension d of z: in W+, layers times the width of w."""
        return prod(self.prior.shape)

    @property
    def features(self) -> Features | None:
        """psi's first feature maps, which an attack moves least; None for a psi without them."""
        psi = self.psi
        return psi.first_features if isinstance(psi, WideResNet) else None

    def paper_readers(self) -> Readers:
        """The paper's rules alone: psi reads G(z), block residuals name the attack."""
        return Readers(self.psi)


def _load(module: nn.Module, tensors: dict[str, Tensor], device: torch.device) -> nn.Module:
    module.load_state_dict(
        {name: t.float() if t.is_floating_point() else t for name, t in tensors.items()}
    )
    return to_channels_last(module, device).eval().requires_grad_(False)


def load_network(module: nn.Module, dataset: str, name: str, device: torch.device) -> nn.Module:
    """A network with one bundled file's weights, frozen; AssetError where it cannot be read."""
    return _load(module, read_tensors(dataset, name), device)


def choose_device(name: str = "auto") -> torch.device:
    """cuda, then mps, then cpu for "auto"; ValueError where the named one is not there."""
    if name == "auto":
        if torch.cuda.is_available():
            return torch.device("cuda")
        return torch.device("mps" if torch.backends.mps.is_available() else "cpu")
    available = {
        "cpu": True,
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    if not available.get(name, False):
        raise ValueError(f"device {name!r} is not available on this machine")
    return torch.device(name)


def load_dictionary(dataset: str, device: torch.device) -> AttackDictionary:
    """D_a of one data set in float32, with its operator norm computed once."""
    stored = read_tensors(dataset, "dictionary.safetensors")
    listed = read_manifest(dataset)["dictionary.safetensors"].get("attacks")
    attacks = tuple(listed) if isinstance(listed, list) else ()
    if "deltas" not in stored or stored["deltas"].shape[1:2] != (len(attacks),):
        raise AssetError(
            f"the dictionary of {dataset} does not hold what its name says: restore it with git"
        )
    dictionary = AttackDictionary.from_attacks(stored["deltas"].float().flatten(3), attacks)
    _ = dictionary.operator_norm_squared
    return dictionary.to(device)


def load_bundle(dataset: str, device: str | torch.device = "cpu", generator: str = OWN) -> Bundle:
    """Every trained part of `dataset`, with a generator, key of GENERATORS.

    An opened project's key loads the project (`load_project`), which runs the code that it holds.
    With "dcgan", the paper's own G (MNIST and Fashion-MNIST; z ~ N(0, I)), there is no encoder and
    psi is the only reader: the others were trained on our own G. Raises AssetError where a file is
    missing or changed, ValueError for a generator that the data set has not.
    """
    target = torch.device(device)
    if generator != OWN:
        _check_generator(dataset, generator)
    if dataset in OPENED:
        return OPENED[dataset](target)
    return _load_cifar10(target) if dataset == "cifar10" else _load_grey(dataset, target, generator)


def has_generator(dataset: str, generator: str) -> bool:
    """Whether a generator, key of GENERATORS, has been made for a data set."""
    known = generator == OWN or dataset in TWO_GENERATORS
    return known and GENERATORS[generator] in read_manifest(dataset)


def _check_generator(dataset: str, generator: str) -> None:
    if generator != DCGAN or dataset not in TWO_GENERATORS:
        raise ValueError(f"{TITLES[dataset]} has no generator {generator!r}")
    if not has_generator(dataset, generator):
        raise AssetError(
            f"the paper's own generator of {TITLES[dataset]} has not been made: make it with "
            f"`python -m red_core recipe {dataset} --only paper_generator`"
        )


def load_dcgan(dataset: str, device: torch.device, generator: str = OWN) -> DCGANGenerator:
    """G of MNIST or Fashion-MNIST, a key of GENERATORS, frozen; errors as of `load_bundle`."""
    if generator != OWN:
        _check_generator(dataset, generator)
    loaded = _load(DCGANGenerator(), read_tensors(dataset, GENERATORS[generator]), device)
    assert isinstance(loaded, DCGANGenerator)
    return to_channels_last(loaded.fold_norms(), device)


def _load_grey(dataset: str, target: torch.device, name: str) -> Bundle:
    """MNIST or Fashion-MNIST: a DCGAN, and networks of Table 3."""
    psi = _load(Table3CNN(), read_tensors(dataset, "classifier.safetensors"), target)
    encoder, readers = None, Readers(psi)
    if name == OWN:
        if "encoder.safetensors" in read_manifest(dataset):
            encoder = _load(Encoder(), read_tensors(dataset, "encoder.safetensors"), target)
        readers = _load_readers(dataset, psi, target)
    return Bundle(
        dataset,
        CLASSES[dataset],
        load_dcgan(dataset, target, name),
        encoder,
        readers,
        load_dictionary(dataset, target),
        load_examples(dataset),
        target,
        generator_name=name,
        fooled=_fooled(dataset),
    )


def _load_readers(dataset: str, psi: nn.Module, target: torch.device) -> Readers:
    """psi, and what was trained to read our own G's reconstructions, where it has been made."""
    manifest = read_manifest(dataset)
    reader = evidence = types = None
    temperature = 1.0
    if "reader.safetensors" in manifest:
        stored = read_tensors(dataset, "reader.safetensors")
        temperature = float(stored.pop("temperature"))
        reader = _load(Table3CNN(), stored, target)
    if "type-classifier.safetensors" in manifest:
        stored = read_tensors(dataset, "type-classifier.safetensors")
        types = _load(Table3CNN(len(stored["head.5.bias"])), stored, target)
    if "evidence.safetensors" in manifest:
        evidence = _load_evidence(dataset, target)
    return Readers(psi, reader, temperature, evidence=evidence, types=types)


def _load_cifar10(target: torch.device) -> Bundle:
    """CIFAR-10: a Wide ResNet, a style generator inverted in W+, and a denoiser."""
    manifest = read_manifest("cifar10")
    generator = cifar10_parts.load_generator(target)
    encoder = evidence = types = None
    denoiser = cifar10_parts.load_denoiser(target)
    readers = Readers(cifar10_parts.load_psi(target))
    if "encoder.safetensors" in manifest:
        encoder = cifar10_parts.load_encoder(target)
    if "reader.safetensors" in manifest:
        readers = cifar10_parts.with_reader(readers, denoiser, target)
    if "type-classifier.safetensors" in manifest:
        types = cifar10_parts.load_types(target)
    if "evidence.safetensors" in manifest:
        evidence = _load_evidence("cifar10", target)
    return Bundle(
        "cifar10",
        CLASSES["cifar10"],
        generator,
        encoder,
        replace(readers, evidence=evidence, types=types),
        cifar10_parts.load_cifar10_dictionary(target),
        load_examples("cifar10"),
        target,
        denoiser,
    )


def _load_evidence(dataset: str, target: torch.device) -> EvidenceModel:
    evidence = EvidenceModel.from_tensors(read_tensors(dataset, "evidence.safetensors"))
    return to_channels_last(evidence, target).eval().requires_grad_(False)


def load_examples(dataset: str) -> ImageSet:
    """The bundled images of a data set; AssetError where the file is missing or changed."""
    stored = read_tensors(dataset, "examples.safetensors")
    labels = stored["labels"].long()
    return ImageSet(stored["images"].float() / 255, labels, f"{len(labels)} {_what(dataset)}")


def _fooled(dataset: str) -> Tensor | None:
    """`Bundle.fooled`; None where it was measured for another psi or other images."""
    name, manifest = "example-attacks.safetensors", read_manifest(dataset)
    made_with = manifest.get(name, {}).get("parts")
    if not isinstance(made_with, dict) or not made_with:
        return None
    if any(manifest.get(part, {}).get("sha256") != sha for part, sha in made_with.items()):
        return None
    return read_tensors(dataset, name)["fooled"].bool()


def _what(dataset: str) -> str:
    """What the bundled images are: CIFAR-10's own may not be bundled."""
    drawn = dataset == "cifar10"
    return "pictures drawn by the generator" if drawn else "bundled held-out examples"


def with_official_test(bundle: Bundle) -> Bundle:
    """The bundle with the official test set for its examples, where the data root holds it.

    A project has the test set of its base; pictures of its own have none but the examples.
    """
    base = base_of(bundle.dataset)
    if base is None:
        return bundle
    try:
        return replace(bundle, examples=load_official(base, "test"), fooled=None)
    except DataMissing:
        return bundle

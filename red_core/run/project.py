"""A project: somebody's own classifier, and perhaps generator, with what was made for it.

The folder holds `project.json` and one assets folder, `<dataset>/`, of the form of the bundled
ones: `manifest.json` with a SHA-256 for every file, `classifier.safetensors`,
`generator.safetensors`, `dictionary.safetensors`, `examples.safetensors`. Beside them lies the code
that builds a foreign network. That code runs when a project is loaded, so a project is loaded only
where its folder is named: open those of people you trust.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from math import prod
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

from red_core.algorithm.verdict import Readers
from red_core.attacks.pgd import MAX_EPS, PAPER_ATTACKS, AttackSettings
from red_core.data import own_datasets
from red_core.data.assets import AssetError, assets_at, checked_bytes, read_manifest
from red_core.data.datasets import CLASSES, DATASETS, NOUNS, SHAPES, ImageSet, Noun
from red_core.data.own_datasets import PICTURES, OwnDataset
from red_core.models.channels_last import to_channels_last
from red_core.models.dcgan import DCGANGenerator, Encoder
from red_core.models.model_file import ModelFileError, build_function, read_network
from red_core.models.own_generator import load_own_generator
from red_core.models.style import StyleGenerator
from red_core.run import cifar10_parts
from red_core.run.bundle import OPENED, Bundle, load_dictionary, load_examples, load_network
from red_core.run.prior import GaussianPrior, Prior, StylePrior

FORMAT = 1
FILE = "project.json"


class ProjectError(ValueError):
    """A project that cannot be made or loaded; the message is one sentence for the user."""


@dataclass(frozen=True)
class Project:
    """What `project.json` says: the folder, the data set's key, and what the parts are from.

    dataset: key of DATASETS, or PICTURES for a folder of pictures; origin: one line for a reader:
    which classifier and generator, and how accurate; classes, shape: of the data set's images.
    """

    folder: Path
    name: str
    dataset: str
    origin: str
    classes: tuple[str, ...] = ()
    shape: tuple[int, int, int] = (1, 28, 28)

    def label(self) -> str:
        """The line that goes with every answer of the project."""
        return f"{self.name}: {self.origin}"


@dataclass(frozen=True)
class ProjectBundle(Bundle):
    """The parts of a project, as `Bundle` has them; the readers are the paper's rules.

    psi is an `OwnClassifier`. G is the data set's bundled generator, a `LatentGenerator`, or any
    `StyleLike` network.
    """

    project: Project = field(kw_only=True)

    @cached_property
    def prior(self) -> Prior:
        """See `prior_of`."""
        return prior_of(self.generator, self.encoder, self.device)


def prior_of(generator: nn.Module, encoder: nn.Module | None, device: torch.device) -> Prior:
    """N(0, I) of a generator z -> image, W+ of one with a mapping network."""
    if hasattr(generator, "mapping"):
        return StylePrior(cast(StyleGenerator, generator), encoder, device)
    return GaussianPrior(cast(int, generator.latent), encoder, device)


class OwnClassifier(nn.Module):
    """psi of a foreign network: images [B, C, H, W] in [0, 1] -> logits [B, classes].

    It gets (x - mean) / std, per channel.
    """

    def __init__(
        self,
        network: nn.Module,
        mean: tuple[float, ...] = (0.0,),
        std: tuple[float, ...] = (1.0,),
    ) -> None:
        super().__init__()
        self.network = network
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(mean)[:, None, None], persistent=False)
        self.register_buffer("std", torch.tensor(std)[:, None, None], persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Logits [B, classes]; images in any memory order, which foreign code may not expect."""
        logits = self.network(((images - self.mean) / self.std).contiguous())
        if not isinstance(logits, Tensor):
            raise TypeError(f"it returns {type(logits).__name__}, and a tensor is needed")
        return logits


def read_project(folder: str | Path) -> Project:
    """The project of a folder; ProjectError where there is none, or one of a later version."""
    folder = Path(folder)
    path = folder / FILE
    if not path.is_file():
        raise ProjectError(f"{folder} is no finished project: it has no {FILE}")
    try:
        said: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        form, dataset = said["format"], said["dataset"]
        project = Project(folder, str(said["name"]), str(dataset), str(said["origin"]))
        if dataset == PICTURES:
            channels, height, width = map(int, said["shape"])
            classes = tuple(map(str, said["classes"]))
            project = replace(project, classes=classes, shape=(channels, height, width))
    except (ValueError, LookupError, TypeError) as error:
        raise ProjectError(f"{path} is damaged: make the project again") from error
    if form != FORMAT or dataset not in (*DATASETS, PICTURES):
        raise ProjectError(f"{path} is of another version: make the project again")
    if dataset == PICTURES:
        return project
    return replace(project, classes=CLASSES[project.dataset], shape=SHAPES[project.dataset])


def attacks_on(shape: tuple[int, int, int]) -> dict[str, AttackSettings]:
    """B.2's attacks for images of any shape: MNIST's for grey ones, CIFAR-10's for colour.

    eps and step of l2 go with the square root of the number of values, those of l1 with the number
    itself, so that each value may move as far as there on average.
    """
    base = "mnist" if shape[0] == 1 else "cifar10"
    ratio = prod(shape) / prod(SHAPES[base])
    factors = {"linf": 1.0, "l2": ratio**0.5, "l1": ratio}
    return {
        kind: replace(
            one,
            eps=min(one.eps * factors[kind], MAX_EPS[kind]),
            step_size=one.step_size * factors[kind],
        )
        for kind, one in PAPER_ATTACKS[base].items()
    }


def open_project(folder: str | Path) -> OwnDataset:
    """Give the project of a folder a key in the tables of the data sets; runs none of its code.

    The same folder keeps its key; a name that is taken gets a number. Raises ProjectError as
    `read_project`, and AssetError for a manifest that cannot be read.
    """
    project = read_project(folder)
    place = project.folder.resolve()
    base = None if project.dataset == PICTURES else project.dataset
    with assets_at(place):
        manifest = read_manifest(project.dataset)
    made = manifest.get("generator.safetensors", {})
    style = made.get("latent_shape") is None if "own" in made else base == "cifar10"
    key, title = own_datasets.free_key(project.name, place)
    noun = Noun("picture", "pictures", "picture", "held-out pictures")
    own = OwnDataset(
        key,
        title,
        project.origin,
        place,
        project.dataset,
        base,
        project.classes,
        project.shape,
        noun if base is None else NOUNS[base],
        style,
        "encoder.safetensors" in manifest,
    )
    own_datasets.add(own)
    PAPER_ATTACKS[key] = attacks_on(own.shape) if base is None else PAPER_ATTACKS[base]
    OPENED[key] = partial(load_project, place)
    return own


def close_project(own: OwnDataset) -> None:
    """Take an opened project's key out of the tables again."""
    own_datasets.remove([own.key])
    PAPER_ATTACKS.pop(own.key, None)
    OPENED.pop(own.key, None)


def load_project(folder: str | Path, device: str | torch.device = "cpu") -> ProjectBundle:
    """The parts of a project, each file checked; opens it, and runs the code that it holds.

    Raises ProjectError for a folder that is no project or whose network cannot be built, and
    AssetError for a file that is missing or changed.
    """
    own, project, target = open_project(folder), read_project(folder), torch.device(device)
    with assets_at(project.folder):
        try:
            return replace(_load(project, target), dataset=own.key)
        except ModelFileError as error:
            raise ProjectError(f"project {project.name}: {error}") from error


def _load(project: Project, target: torch.device) -> ProjectBundle:
    dataset = project.dataset
    manifest = read_manifest(dataset)
    cifar10 = dataset == "cifar10"
    encoder: nn.Module | None = None
    if "encoder.safetensors" in manifest:
        encoder = (
            cifar10_parts.load_encoder(target)
            if cifar10
            else load_network(Encoder(), dataset, "encoder.safetensors", target)
        )
    return ProjectBundle(
        dataset,
        project.classes,
        # Bundle names its own two kinds of G; nothing but `latent` and a call is used of them.
        cast(DCGANGenerator, load_generator(project, target)),
        encoder,
        Readers(load_classifier(project).to(target)),
        cifar10_parts.load_cifar10_dictionary(target)
        if cifar10
        else load_dictionary(dataset, target),
        _examples(project),
        target,
        cifar10_parts.load_denoiser(target) if cifar10 else None,
        project=project,
    )


def _examples(project: Project) -> ImageSet:
    """The project's images: the bundled ones, or held-out pictures of its own."""
    found = load_examples(project.dataset)
    if project.dataset != PICTURES:
        return found
    said = _entry(project, "examples.safetensors").get("said", "held-out pictures")
    return replace(found, source=f"{len(found)} {said}")


def load_classifier(project: Project) -> OwnClassifier:
    """psi of a project on the CPU, from its checked files; the assets are the project's."""
    entry = _entry(project, "classifier.safetensors")
    network = read_network(
        _checked(project, entry.get("network", "classifier.safetensors")),
        _checked(project, entry["module"]) if "module" in entry else None,
        trusted=True,  # the operator trusted it when the project was made, and named the folder now
    )
    checked_bytes(project.dataset, "classifier.safetensors")
    if float(entry.get("temperature", 1.0)) != 1.0:  # of versions before attacks climbed log-odds
        raise ProjectError(
            f"{project.folder} divides its classifier's logits by a temperature, which is not done "
            "any more: make the project anew with `python -m red_core project new`"
        )
    return OwnClassifier(network, tuple(entry["mean"]), tuple(entry["std"]))


def load_generator(project: Project, target: torch.device) -> nn.Module:
    """G of a project: the data set's bundled one, or the operator's own."""
    entry = _entry(project, "generator.safetensors")
    if "own" in entry:
        made = load_own_generator(
            _checked(project, "generator.safetensors"),
            build_function(_checked(project, entry["module"])) if "module" in entry else None,
            target,
            image_shape=project.shape,
            latent_shape=tuple(entry["latent_shape"]) if entry["latent_shape"] else None,
            prior=entry["prior"],
        )
        assert isinstance(made, nn.Module)
        return made
    if project.dataset == "cifar10":
        return cifar10_parts.load_generator(target)
    plain = load_network(DCGANGenerator(), project.dataset, "generator.safetensors", target)
    assert isinstance(plain, DCGANGenerator)
    return to_channels_last(plain.fold_norms(), target)


def _entry(project: Project, name: str) -> Mapping[str, Any]:
    entry = read_manifest(project.dataset).get(name)
    if entry is None:
        raise AssetError(f"{project.folder / project.dataset / name} is not in the manifest")
    return cast(Mapping[str, Any], entry)


def _checked(project: Project, name: str) -> Path:
    """The path of a project's file, whose SHA-256 has just been checked."""
    checked_bytes(project.dataset, name)
    return project.folder / project.dataset / name

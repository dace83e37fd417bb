"""Make a project: check somebody's classifier, craft its dictionary, write the folder.

What is made: psi's accuracy; D_a, attacks of every type on training images of every class (Section
5.2, B.2); a generator, the data set's bundled one or the operator's own, measured by inversion;
example images. There are no readers, so the paper's rules judge (BSD-GAN, BSD-GAN-AD).
"""

from __future__ import annotations

import hashlib
import json
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from math import prod
from pathlib import Path
from typing import Any, TypeAlias

import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from red_core.algorithm.problem import AttackDictionary
from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS
from red_core.data import own_datasets
from red_core.data.assets import (
    assets_at,
    checked_bytes,
    read_manifest,
    record,
    required_files,
    write_tensors,
)
from red_core.data.atomic import replacing, write_atomically
from red_core.data.attack_file import packed
from red_core.data.datasets import CLASSES, SHAPES, ImageSet, Noun, load_official
from red_core.data.image_folder import FolderError, read_folder
from red_core.data.own_datasets import PICTURES, OwnDataset
from red_core.models.generator_interface import GeneratorError
from red_core.models.model_file import (
    ModelFileError,
    build_function,
    read_network,
    read_weights,
)
from red_core.models.own_generator import load_own_generator
from red_core.recipes.common import accuracy
from red_core.recipes.dictionary import (
    StillAttacksError,
    attack_blocks,
    first_of_each_class,
    mean_norms,
)
from red_core.recipes.own_parts import (
    check_attackable,
    check_classifier,
    check_range,
    measure_generator,
)
from red_core.run.code_digest import digest_of
from red_core.run.project import (
    FILE,
    FORMAT,
    OwnClassifier,
    Project,
    ProjectError,
    attacks_on,
    load_project,
    read_project,
)

PER_CLASS = {"mnist": 200, "fashion": 200, "cifar10": 50}
TRIED = 5  # images of each class on which it is tried whether attacks move
HELD_OUT = 500  # images by which the input range is checked
INVERTED = 50  # held-out images by which an own generator is measured
EXAMPLES = 400  # pictures of a folder that a project keeps
DICTIONARY_BYTES = 2_000_000_000  # of D_a in memory, at most
SMALL_BYTES = 300_000_000  # of D_a of a folder of pictures, unless more is asked for

_FLAGS = {
    "--size": "size",
    "--classifier": "classifier",
    "--module": "module",
    "--trusted": "trusted",
    "--mean": "mean",
    "--std": "std",
    "--per-class": "per_class",
    "--generator-file": "generator",
    "--generator-module": "generator_module",
    "--latent": "latent_shape",
    "--prior": "prior",
    "--accept-generator": "accept_generator",
}
_Weights: TypeAlias = tuple[Mapping[str, Tensor], Mapping[str, str]]  # tensors, a header's metadata


@dataclass(frozen=True)
class ProjectRequest:
    """What `project new` is given.

    folder: to be made; name: shown beside every answer; dataset: key of DATASETS, or PICTURES with
    the folder of `pictures`, and size, the side to scale them to (None: as they are); classifier,
    module: the file of the network and, for safetensors, the Python file that builds it; trusted:
    whether files that can run code when read are taken; mean, std: what the network's input is
    normalised by; per_class: images under every attack of each class in D_a (0: PER_CLASS);
    generator, generator_module: an own G, or None for the bundled one; latent_shape: of its z, None
    for a network of StyleGAN's shape; prior: of its z; accept_generator: whether to take a G that
    is not good enough.
    """

    folder: Path
    name: str
    dataset: str
    classifier: Path
    pictures: Path | None = None
    size: int | None = None
    module: Path | None = None
    trusted: bool = False
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    per_class: int = 0
    generator: Path | None = None
    generator_module: Path | None = None
    latent_shape: tuple[int, ...] | None = None
    prior: str = "normal"
    accept_generator: bool = False
    seed: int = 0
    device: str = "cpu"

    def command(self) -> str:
        """The command that makes it again, beside the files that it names."""
        words = ["python", "-m", "red_core", "project", "new", self.name]
        dataset = self.dataset if self.pictures is None else self.pictures.name
        words += ["--dataset", dataset, "--seed", str(self.seed)]
        default = {each.name: each.default for each in fields(self)}
        for flag, name in _FLAGS.items():
            value = getattr(self, name)
            if value == default[name]:
                continue
            if isinstance(value, Path):
                value = value.name
            elif isinstance(value, tuple):
                value = ",".join(map(str, value))
            words += [flag] if value is True else [flag, str(value)]
        return shlex.join(words)


def make_project(request: ProjectRequest, say: Callable[[str], object] = print) -> Project:
    """Check, measure, craft, write; a stopped run goes on where it was. say: each finding.

    The dictionary's images are official training images (RED_DATA), the ones that no training here
    and no example uses. Raises ProjectError, one sentence, for what cannot be used, and DataMissing
    where the official data set is not there.
    """
    if (request.folder / FILE).exists():
        raise ProjectError(f"{request.folder} holds a project already: choose another name")
    try:
        with _known(request):
            return _checked_and_made(request, say)
    except FolderError as error:
        raise ProjectError(str(error)) from error


@contextmanager
def _known(request: ProjectRequest) -> Iterator[None]:
    """Put a folder of pictures into the tables of the data sets, as PICTURES, in the body."""
    if request.pictures is None:
        yield
        return
    found = read_folder(request.pictures, request.size)
    noun = Noun("picture", "pictures", "picture", "held-out pictures")
    own_datasets.add(
        OwnDataset(
            PICTURES, PICTURES, "", request.folder.resolve(), PICTURES, None,
            found.classes, found.shape, noun, style=False, encoded=False,
        )
    )  # fmt: skip
    PAPER_ATTACKS[PICTURES] = attacks_on(found.shape)
    try:
        yield
    finally:
        own_datasets.remove([PICTURES])
        del PAPER_ATTACKS[PICTURES]


def _images(request: ProjectRequest, split: str) -> ImageSet:
    """A split of the official data set, or of the folder of pictures."""
    if request.pictures is None:
        return load_official(request.dataset, split)
    return read_folder(request.pictures, request.size).parts[split]


def _checked_and_made(request: ProjectRequest, say: Callable[[str], object]) -> Project:
    train = _images(request, "train")
    if request.pictures is not None:
        found = read_folder(request.pictures, request.size)
        shape = " x ".join(map(str, found.shape))
        say(f"pictures    {len(found.classes)} classes, {shape}; {found.split}")
        if request.generator is None:
            raise ProjectError(
                "a folder of pictures needs a generator of its own: --generator-file (the bundled "
                "ones draw digits, clothes and CIFAR-10's pictures)"
            )
    least, wanted = int(train.labels.bincount().min()), max(_per_class(request), TRIED)
    size = 4 * wanted * len(ATTACKS) * train.images[0].numel() * len(CLASSES[request.dataset])
    if size > DICTIONARY_BYTES:
        raise ProjectError(
            f"a dictionary of {wanted} images a class and attack takes {size / 1e9:.1f} GB, and "
            f"the most is {DICTIONARY_BYTES / 1e9:.0f}: ask for fewer (--per-class)"
        )
    if wanted > least:
        raise ProjectError(f"a class has only {least} training images, and {wanted} are asked for")
    try:
        return _make(request, train, say)
    except (ModelFileError, StillAttacksError) as error:
        raise ProjectError(str(error)) from error


def _make(request: ProjectRequest, train: ImageSet, say: Callable[[str], object]) -> Project:
    dataset, device = request.dataset, torch.device(request.device)
    # Not the bundled examples: a generator drew CIFAR-10's.
    kept = _images(request, "held_out")
    held_out = ImageSet(kept.images[:HELD_OUT], kept.labels[:HELD_OUT], kept.source)
    network = read_network(request.classifier, request.module, request.trusted).to(device)
    few = held_out.images[:8].to(device)
    psi = check_classifier(network, few, len(CLASSES[dataset]), request.mean, request.std)
    check_range(psi, held_out)
    test = _images(request, "test")
    tested = accuracy(psi, test.images, test.labels, device.type)
    source = f"{len(test)} images of {test.source}"
    say(f"classifier  right on {tested:.1%} of {source}")
    attacks = {kind: PAPER_ATTACKS[dataset][kind] for kind in ATTACKS}
    tried = first_of_each_class(train.labels, TRIED).flatten()
    trial = ImageSet(train.images[tried].to(device), train.labels[tried].to(device), train.source)
    check_attackable(psi, trial, attacks, request.seed)
    (request.folder / dataset).mkdir(parents=True, exist_ok=True)
    generator = _place_generator(request, psi, held_out, device, say)
    with assets_at(request.folder):
        _place_classifier(request, psi, {"accuracy": round(tested, 4), "on": source})
        fooled = _write_dictionary(request, psi, train)
    for kind, share in fooled.items():
        say(f"dictionary  {share:.0%} of its {kind} attacks change the classifier's answer")
    origin = (
        f"classifier {request.classifier.name} (right on {tested:.1%} of {source}), "
        f"generator {generator}, the paper's rules"
    )
    return _finish(request, origin, psi, few)


def _finish(request: ProjectRequest, origin: str, psi: OwnClassifier, few: Tensor) -> Project:
    """Write `project.json` last, and keep it only where the copies alone make the same psi."""
    path = request.folder / FILE
    said = {"format": FORMAT, "name": request.name, "dataset": request.dataset, "origin": origin}
    if request.pictures is not None:
        found = read_folder(request.pictures, request.size)
        said |= {"classes": list(found.classes), "shape": list(found.shape)}
    write_atomically(path, (json.dumps(said, indent=1) + "\n").encode())
    try:
        made = load_project(request.folder, few.device).psi
        with torch.no_grad():
            same = torch.allclose(made(few), psi(few), rtol=1e-3, atol=1e-3)
        if not same:
            raise ProjectError("the classifier answers otherwise when it is loaded again")
    except Exception:
        path.unlink()
        raise
    shutil.rmtree(_work(request), ignore_errors=True)
    return read_project(request.folder)


def _per_class(request: ProjectRequest) -> int:
    """Images a class and attack; of pictures as many as there are, and as keep D_a small."""
    if request.per_class or request.pictures is None:
        return request.per_class or PER_CLASS[request.dataset]
    found = read_folder(request.pictures, request.size)
    one = 4 * len(ATTACKS) * prod(found.shape) * len(found.classes)
    least = int(found.parts["train"].labels.bincount().min())
    return max(TRIED, min(SMALL_BYTES // one, least, PER_CLASS["mnist"]))


def _work(request: ProjectRequest) -> Path:
    return request.folder / ".work"


def _place(request: ProjectRequest, source: Path, name: str) -> str:
    """Copy a file of the operator's into the project, with its manifest entry; returns `name`."""
    write_atomically(request.folder / request.dataset / name, source.read_bytes())
    record(request.dataset, name, source=source.name, **_provenance(request))
    return name


def _place_weights(
    request: ProjectRequest, name: str, weights: _Weights, digest: str, **provenance: Any
) -> None:
    """Write tensors with their header and `digest`, so that what is kept by SHA-256 differs too."""
    tensors, metadata = weights
    with replacing(request.folder / request.dataset / name) as part:
        save_file(dict(tensors), part, {**metadata, "red.project": digest})
    record(request.dataset, name, **_provenance(request), **provenance)


def _provenance(request: ProjectRequest) -> dict[str, str]:
    return {"command": request.command(), "licence": "the owner's"}


def _digest(*parts: object) -> str:
    """One digest of files, by content, and of plain values."""
    return digest_of(
        [
            hashlib.sha256(part.read_bytes()).hexdigest() if isinstance(part, Path) else part
            for part in parts
        ]
    )


def _psi_digest(request: ProjectRequest) -> str:
    """What decides psi: the weights alone do not."""
    return _digest(request.classifier, request.module, request.mean, request.std)


def _place_classifier(
    request: ProjectRequest, psi: OwnClassifier, measured: dict[str, Any]
) -> None:
    """The network's tensors, and the file that builds it."""
    weights: _Weights
    if request.module is not None:
        code = {"module": _place(request, request.module, "classifier.py")}
        weights = read_weights(request.classifier)
    else:
        name = f"classifier{request.classifier.suffix}"
        code = {"network": _place(request, request.classifier, name)}
        state = psi.network.state_dict()
        weights = {key: value.cpu().contiguous().clone() for key, value in state.items()}, {}
    _place_weights(
        request,
        "classifier.safetensors",
        weights,
        _psi_digest(request),
        mean=list(request.mean),
        std=list(request.std),
        measured=measured,
        source=request.classifier.name,
        **code,
    )


def _place_generator(
    request: ProjectRequest,
    psi: OwnClassifier,
    held_out: ImageSet,
    device: torch.device,
    say: Callable[[str], object],
) -> str:
    """The bundled G with its encoder, or the own one, measured first; returns what to call it."""
    own = request.generator is not None
    bundled = required_files(request.dataset) - {"classifier.safetensors", "dictionary.safetensors"}
    partners = {"generator.safetensors", "encoder.safetensors"}
    if not own:  # the encoder gives `best` a start, where there is one
        bundled |= partners & set(read_manifest(request.dataset))
    if request.pictures is not None:
        _write_examples(request)
        bundled = set()
    for name in sorted(bundled - partners if own else bundled):
        _copy_bundled(request, name)
    if request.generator is None:
        return "the bundled one"
    module, shape = request.generator_module, SHAPES[request.dataset]
    try:
        generator = load_own_generator(
            request.generator,
            None if module is None else build_function(module),
            device,
            image_shape=shape,
            latent_shape=request.latent_shape,
            prior=request.prior,
        )
    except GeneratorError as error:
        raise ProjectError(str(error)) from error
    assert isinstance(generator, nn.Module)
    data = ImageSet(held_out.images[:INVERTED], held_out.labels[:INVERTED], held_out.source)
    fidelity = measure_generator(generator, psi, data, request.seed, device)
    say(f"generator   {fidelity.words()}")
    if not (fidelity.usable or request.accept_generator):
        raise ProjectError(f"the generator is {fidelity.words()} (--accept-generator takes it)")
    with assets_at(request.folder):
        code = {} if module is None else {"module": _place(request, module, "generator.py")}
        _place_weights(
            request,
            "generator.safetensors",
            read_weights(request.generator),
            _digest(request.generator, module, request.latent_shape, request.prior),
            own=True,
            latent_shape=None if request.latent_shape is None else list(request.latent_shape),
            prior=request.prior,
            measured=fidelity.as_dict(),
            source=request.generator.name,
            **code,
        )
    return f"{request.generator.name} ({fidelity.right:.0%} of its inversions read right)"


def _write_examples(request: ProjectRequest) -> None:
    """The first pictures for tests, of every class in turn, as the project's examples."""
    assert request.pictures is not None
    found = read_folder(request.pictures, request.size)
    test = found.parts["test"]
    with assets_at(request.folder):
        write_tensors(
            request.dataset,
            "examples.safetensors",
            {
                "images": (test.images[:EXAMPLES] * 255).round().byte(),
                "labels": test.labels[:EXAMPLES].byte(),
            },
            said=f"pictures for tests of {request.pictures.name}",
            split=found.split,
            **_provenance(request),
        )


def _copy_bundled(request: ProjectRequest, name: str) -> None:
    """One bundled file of the data set, with what its manifest says."""
    blob = checked_bytes(request.dataset, name)
    entry = dict(read_manifest(request.dataset)[name])
    write_atomically(request.folder / request.dataset / name, blob)
    with assets_at(request.folder):
        record(request.dataset, name, **entry)


def _write_dictionary(
    request: ProjectRequest, psi: OwnClassifier, train: ImageSet
) -> dict[str, float]:
    """Craft D_a and write it; the share of each attack's perturbations that change psi's answer."""
    dataset, per_class = request.dataset, _per_class(request)
    chosen = first_of_each_class(train.labels, per_class)
    attacks = {kind: PAPER_ATTACKS[dataset][kind] for kind in ATTACKS}
    deltas, checks = attack_blocks(
        psi,
        train,
        chosen,
        attacks,
        request.seed,
        _work(request) / "dictionary.pt",
        made_of=_digest(_psi_digest(request), per_class, request.seed),
    )
    fooled = _fooled(psi, train, chosen, deltas)
    measured: dict[str, Any] = {
        "mean_l2_norm": mean_norms(deltas, ATTACKS),
        "success_rate": {kind: round(share, 4) for kind, share in fooled.items()},
        "attacks": checks,
        "images_per_class": per_class,
    }
    if dataset == "cifar10":  # as its loader wants it: sparse, and with a norm that takes seconds
        dictionary = AttackDictionary.from_attacks(deltas.float(), ATTACKS)
        measured["operator_norm_squared"] = dictionary.operator_norm_squared
    write_tensors(
        dataset,
        "dictionary.safetensors",
        {
            **(packed(deltas, ATTACKS) if dataset == "cifar10" else {"deltas": deltas}),
            "indices": chosen.int(),
        },
        command=request.command(),
        seed=request.seed,
        attacks=list(ATTACKS),
        measured=measured,
        licence="the owner's",
    )
    return fooled


@torch.no_grad()
def _fooled(
    psi: OwnClassifier, train: ImageSet, chosen: Tensor, deltas: Tensor
) -> dict[str, float]:
    """Of the images that psi reads right, the share that it misreads under each attack."""
    device = psi.mean.device
    shares = {}
    for a, kind in enumerate(ATTACKS):
        right = wrong = 0
        for c, indices in enumerate(chosen):
            images, label = train.images[indices].to(device), train.labels[indices].to(device)
            attacked = images + deltas[c, a].float().to(device).view_as(images)
            before = psi(images).argmax(1) == label
            right += int(before.sum())
            wrong += int((before & (psi(attacked).argmax(1) != label)).sum())
        shares[kind] = wrong / max(right, 1)
    return shares

"""`project`: a folder for a classifier, and perhaps a generator, of your own."""

from __future__ import annotations

import argparse
from pathlib import Path

from red_core.cli.common import (
    Subparsers,
    UsageError,
    add_threads,
    count,
    make_folder,
    pick_device,
)
from red_core.data.assets import AssetError, assets_at, read_manifest
from red_core.data.datasets import DATASETS
from red_core.data.image_folder import MAX_CLASSES, MAX_SIDE
from red_core.data.own_datasets import PICTURES
from red_core.models.own_generator import PRIORS
from red_core.recipes.project import PER_CLASS, ProjectRequest, make_project
from red_core.run.doctor import check_folder
from red_core.run.project import read_project

_FOLDER = Path("projects")


def add(subparsers: Subparsers) -> None:
    """The arguments of `project new` and `project show`."""
    parser = subparsers.add_parser("project", help="your own classifier: make a project, show one")
    actions = parser.add_subparsers(title="actions", metavar="ACTION", required=True)
    new = actions.add_parser("new", help="check a classifier, craft its attack dictionary")
    new.add_argument("name", help=f"of the project; its folder is {_FOLDER}/NAME")
    new.add_argument("--folder", type=Path, help=f"the folder itself (default: {_FOLDER}/NAME)")
    new.add_argument(
        "--dataset",
        default="mnist",
        metavar="NAME|FOLDER",
        help=f"{', '.join(DATASETS)} (default: mnist), or a folder of pictures with one sub-folder "
        f"a class: squares up to {MAX_SIDE} x {MAX_SIDE}, at most {MAX_CLASSES} classes",
    )
    new.add_argument(
        "--size",
        type=count,
        metavar="N",
        help="cut out the middle square of every picture of FOLDER and scale it to N x N",
    )
    new.add_argument(
        "--classifier",
        type=Path,
        required=True,
        metavar="FILE",
        help="safetensors with --module; .pt2 with --trusted; .onnx where onnx2torch is installed",
    )
    new.add_argument(
        "--module",
        type=Path,
        metavar="FILE.py",
        help="a Python file whose build() makes it",
    )
    new.add_argument(
        "--trusted",
        action="store_true",
        help="read a .pt2 file, which can run code",
    )
    new.add_argument("--mean", type=_numbers, default=(0.0,), help="of its input (default: 0)")
    new.add_argument("--std", type=_numbers, default=(1.0,), help="of its input (default: 1)")
    new.add_argument(
        "--per-class",
        type=count,
        default=0,
        metavar="N",
        help="images of a class under every attack in the dictionary (default: "
        + ", ".join(f"{number} for {name}" for name, number in PER_CLASS.items())
        + ")",
    )
    new.add_argument("--generator-file", type=Path, metavar="FILE", help="your own G (safetensors)")
    new.add_argument(
        "--generator-module", type=Path, metavar="FILE.py", help="its build(), z -> image"
    )
    new.add_argument(
        "--latent",
        type=_sizes,
        metavar="D[,...]",
        help="the shape of its z, such as 100 or 100,1,1 (without: a network of StyleGAN's shape)",
    )
    new.add_argument("--prior", default="normal", choices=PRIORS, help="of its z (default: normal)")
    new.add_argument(
        "--accept-generator", action="store_true", help="take it even if it inverts badly"
    )
    new.add_argument("--seed", type=int, default=0, help="of attacks and starts (default: 0)")
    new.add_argument("--device", default="auto", help="cpu, cuda, mps or auto (default)")
    add_threads(new)
    new.set_defaults(execute=execute_new)
    show = actions.add_parser("show", help="what a project holds, and whether its files are sound")
    show.add_argument("folder", type=Path)
    show.set_defaults(execute=execute_show)


def _numbers(text: str) -> tuple[float, ...]:
    """Numbers with commas between them."""
    try:
        return tuple(float(part) for part in text.split(","))
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"must be numbers such as 0.5, not {text!r}") from error


def _sizes(text: str) -> tuple[int, ...]:
    """Whole numbers from 1 with commas between them."""
    return tuple(count(part) for part in text.split(","))


def execute_new(arguments: argparse.Namespace) -> int:
    """Make the project."""
    pictures = None
    if arguments.dataset not in DATASETS and Path(arguments.dataset).is_dir():
        pictures = Path(arguments.dataset)
    elif arguments.dataset not in DATASETS:
        raise UsageError(
            f"unknown data set {arguments.dataset!r}: choose {', '.join(DATASETS)}, or name a "
            "folder of pictures"
        )
    if arguments.size is not None and pictures is None:
        raise UsageError("--size goes with a folder of pictures")
    if arguments.generator_file is None and (
        arguments.generator_module or arguments.latent or arguments.accept_generator
    ):
        raise UsageError(
            "--generator-module, --latent and --accept-generator go with --generator-file"
        )
    if arguments.folder is None and Path(arguments.name).name != arguments.name:
        raise UsageError(f"the name {arguments.name!r} is no name of a folder: see --folder")
    folder = arguments.folder or _FOLDER / arguments.name
    device = pick_device(arguments.device)
    project = make_project(
        ProjectRequest(
            folder=make_folder(folder),
            name=arguments.name,
            dataset=arguments.dataset if pictures is None else PICTURES,
            pictures=pictures,
            size=arguments.size,
            classifier=arguments.classifier,
            module=arguments.module,
            trusted=arguments.trusted,
            mean=arguments.mean,
            std=arguments.std,
            per_class=arguments.per_class,
            generator=arguments.generator_file,
            generator_module=arguments.generator_module,
            latent_shape=arguments.latent,
            prior=arguments.prior,
            accept_generator=arguments.accept_generator,
            seed=arguments.seed,
            device=device.type,
        )
    )
    print(f"project     {project.label()}")
    print(f"written     {folder}; use it with: python -m red_core run --project {folder}")
    return 0


def execute_show(arguments: argparse.Namespace) -> int:
    """Print what a project is made of; 1 where a file is bad."""
    project = read_project(arguments.folder)
    print(f"project     {project.label()}")
    sound = True
    with assets_at(project.folder):
        manifest = read_manifest(project.dataset)
        for check in check_folder(project.dataset):
            measured = manifest.get(check.name, {}).get("measured", {})
            print(f"file        {check.name}: {check.fault or 'sound'} {measured or ''}".rstrip())
            sound = sound and check.fault is None
    if not sound:
        raise AssetError(f"{project.folder} has files that are bad: make the project again")
    return 0

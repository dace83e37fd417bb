"""`run`: craft one attack, or take an image as it is, and undo it."""

from __future__ import annotations

import argparse
import io
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from red_core.algorithm.verdict import NO_ATTACK, UNKNOWN
from red_core.api import undo
from red_core.cli.common import (
    DEFAULT_DATASET,
    Subparsers,
    UsageError,
    add_common,
    add_generator,
    add_project,
    add_solver,
    as_json,
    check_writable,
    count,
    finish,
    labelled,
    load_parts,
    pick_device,
    positive,
    solver_overrides,
)
from red_core.data.arrays import read_any
from red_core.data.datasets import a
from red_core.data.intake import MAX_BYTES, Intake
from red_core.run.bundle import Bundle, with_official_test
from red_core.run.experiment import craft_example, start_seeds
from red_core.run.photographs import with_photographs
from red_core.run.report import run_arrays, run_report
from red_core.run.settings import RunSettings
from red_core.threads import threads_for


def add(subparsers: Subparsers) -> None:
    """The arguments of `run`."""
    parser = subparsers.add_parser("run", help="attack one image and undo it")
    add_common(parser)
    add_project(parser)
    image = parser.add_mutually_exclusive_group()
    image.add_argument("--index", type=int, default=0, help="which held-out image (default: 0)")
    image.add_argument(
        "--photograph",
        type=int,
        metavar="N",
        help="which of the bundled photographs (cifar10)",
    )
    image.add_argument(
        "--image", type=Path, metavar="FILE", help="your own: PNG, JPEG, WebP, NPZ or NPY"
    )
    image.add_argument(
        "--realizable",
        action="store_true",
        help="x' = G(z*) + D_a c_a*, drawn from the seed: z* and c_a* are known",
    )
    parser.add_argument(
        "--as-is", action="store_true", help="take the pixels of --image as the file stores them"
    )
    parser.add_argument("--label", type=int, help="the class of --image, where it is known")
    parser.add_argument(
        "--attack",
        help="linf (default), l2, l1 or none (default where the file of --image says that its "
        "image is attacked)",
    )
    parser.add_argument("--eps", type=positive, help="radius (default: the paper's)")
    parser.add_argument("--steps", type=count, help="PGD steps (default: the paper's)")
    parser.add_argument("--step-size", type=positive, help="of PGD (default: the paper's)")
    parser.add_argument("--target", type=int, help="class the attack aims at (default: any)")
    add_solver(parser)
    add_generator(parser)
    parser.add_argument("--npz", type=Path, metavar="OUT", help="file for the run's arrays")
    parser.set_defaults(execute=execute, threads=threads_for(1))


def execute(arguments: argparse.Namespace) -> int:
    """Attack, solve, judge, report."""
    settings = _settings(arguments)
    check_writable(arguments.json)
    check_writable(arguments.npz)
    device = pick_device(arguments.device)
    own = _own_image(arguments.image, settings.dataset, arguments.as_is)
    if own is not None and own.attacked and arguments.attack is None:
        settings = replace(settings, attack="none")
        own = replace(own, steps=(*own.steps, "already attacked: not attacked again"))
    bundle = load_parts(arguments, settings, device)
    if settings.source == "example":
        bundle = with_official_test(bundle)
    elif settings.source == "photograph":
        bundle = with_photographs(bundle)
    example = craft_example(bundle, settings, None if own is None else own.image)
    began = time.perf_counter()
    total = settings.solver_options().total
    with tqdm(total=total, desc="solve", unit="step", mininterval=0.5) as bar:
        found = undo(
            bundle,
            example.attacked,
            settings.preset,
            seeds=start_seeds(settings),
            watch=bar.update,
            **dict(settings.solver),
        )
    verdict, iterate = found.verdict, found.iterate
    seconds = time.perf_counter() - began
    source = _source(bundle, settings, arguments.image)
    file = None if arguments.image is None else str(arguments.image)
    report = run_report(bundle, settings, example, verdict, iterate, seconds, source, file)
    if own is not None:
        report["taken"] = list(own.steps)
        report["command"] += " --as-is" if arguments.as_is else ""
    named = labelled(bundle, report)

    def arrays() -> bytes:
        stream = io.BytesIO()
        np.savez_compressed(stream, **run_arrays(example, iterate))  # type: ignore[arg-type]
        return stream.getvalue()

    files = (arguments.npz, arrays), (arguments.json, as_json(report))
    finish((*named, *summary(report, bundle.class_names)), *files)
    return 0


def _settings(arguments: argparse.Namespace) -> RunSettings:
    if arguments.label is not None and arguments.image is None:
        raise UsageError("--label goes with --image: the other images' classes are known")
    if arguments.as_is and arguments.image is None:
        raise UsageError("--as-is goes with --image")
    source = "own" if arguments.image else "realizable" if arguments.realizable else "example"
    index = arguments.index
    if arguments.photograph is not None:
        source, index = "photograph", arguments.photograph
    return RunSettings(
        dataset=arguments.dataset or DEFAULT_DATASET,
        source=source,
        index=index,
        label=arguments.label,
        attack=arguments.attack or "linf",
        eps=arguments.eps,
        step_size=arguments.step_size,
        attack_steps=arguments.steps,
        target=arguments.target,
        preset=arguments.preset,
        generator=arguments.generator,
        solver=solver_overrides(arguments),
        seed=arguments.seed,
        device=arguments.device,
    )


def _own_image(path: Path | None, dataset: str, as_is: bool) -> Intake | None:
    """The user's file as one image of the data set."""
    if path is None:
        return None
    if not path.is_file():
        raise UsageError(f"there is no file {path}")
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    taken = read_any(data, filename=path.name, dataset=dataset, as_is=as_is)
    if len(taken) > 1:
        raise UsageError(f"{path.name} holds {len(taken)} images: `undo` takes them all")
    return taken[0]


def _source(bundle: Bundle, settings: RunSettings, image: Path | None) -> str:
    if image is not None:
        return f"own image {image.name}"
    if settings.source == "realizable":
        return f"realizable instance of seed {settings.seed}"
    return bundle.examples.source


def summary(report: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    """The verdict in a few lines for a person."""
    chance = report["probabilities"]
    margins = report["margins"]
    seen, signal = report["adversarial_label"], report["signal_label"]
    true = report["true_label"]
    attack = report["resolved"]["attack"]
    crafted = "left as it is" if attack is None else f"attacked with {attack['kind']}"
    if attack is not None and report["settings"]["source"] != "realizable":
        crafted += f" (eps {attack['eps']:g}, {attack['steps']} steps)"
    known = "unknown class" if true is None else a(names[true])
    taken = report.get("taken", [])
    return [
        f"image     {known}, {crafted}; {report['source']}",
        *([f"taken     {'; '.join(taken)}"] if taken else []),
        f"attacked  the classifier reads x' as {names[seen]} ({chance['adversarial'][seen]:.0%})",
        f"signal    {names[signal]} ({chance['signal'][signal]:.0%}, "
        f"margin {margins['signal']:.2f}); the attacked classifier reads G(z) as "
        f"{names[report['psi_signal_label']]}",
        f"attack    {_attack(report)}; the block residuals say {report['block_attack_label']}",
        f"solver    preset {report['settings']['preset']}, {report['steps']} steps in "
        f"{report['seconds']:.1f} s; duality gap {report['gap']:.2g}",
    ]


def _attack(report: dict[str, Any]) -> str:
    """The attack's type and how sure that is, or that it is none of the known ones."""
    answer, chances = report["attack_label"], report["probabilities"]["attack"]
    if answer == UNKNOWN:
        return (
            f"none of the known attacks (p = {report['unknown']['p_value']:.2g}, "
            f"nearest {max(chances, key=chances.get)})"
        )
    said = "no attack found" if answer == NO_ATTACK else answer
    return f"{said} ({chances[answer]:.0%}, margin {report['margins']['attack']:.2f})"

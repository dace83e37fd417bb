"""How well G of CIFAR-10 inverts: the figure by which it is judged.

Clean test images are inverted in W+ by plain optimisation, and psi reads what comes out. Its
accuracy there is the ceiling of every method that classifies G(w^).
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from statistics import median
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.data.assets import read_manifest
from red_core.data.datasets import ImageSet, load_official
from red_core.measure.intervals import share
from red_core.models.style import StyleGenerator
from red_core.recipes.cifar10.adam_inversion import InversionOptions, invert
from red_core.recipes.cifar10.measured import add_measured
from red_core.recipes.cifar10.training import chunks
from red_core.recipes.common import RecipeContext, accuracy, load_checkpoint, save_checkpoint
from red_core.run.cifar10_parts import load_generator, load_psi

NAME = "generator.safetensors"
RATES = (0.02, 0.05, 0.1, 0.2)


@dataclass(frozen=True)
class Size:
    """One scale of the measurement.

    images: how many of the test set, from its first; steps: lengths of runs, each annealed by
    itself, the last the one that is judged; chosen_on, chosen_by: held-out images and steps on
    which the rate is chosen; batch: images at a time.
    """

    images: int
    steps: tuple[int, ...]
    chosen_on: int
    chosen_by: int
    batch: int


SIZES = {
    "tiny": Size(8, (2, 4), chosen_on=2, chosen_by=2, batch=4),
    "cpu": Size(500, (50, 100, 200, 500, 1000), chosen_on=50, chosen_by=100, batch=50),
    "gpu": Size(500, (50, 100, 200, 500), chosen_on=250, chosen_by=100, batch=250),
}


def measure_inversion(context: RecipeContext) -> None:
    """Invert the first test images, and write the figures into the generator's manifest entry.

    Goes on after the last finished batch; another generator or psi starts anew.
    """
    size = SIZES[context.scale]
    generator, psi = load_generator(context.device), load_psi(context.device)
    test = load_official("cifar10", "test")
    images, labels = test.images[: size.images], test.labels[: size.images]
    manifest = read_manifest("cifar10")
    of = [manifest[name]["sha256"] for name in (NAME, "classifier.safetensors")]
    path = context.checkpoint("inversion")
    state = load_checkpoint(path)
    if state is None or state["of"] != of:
        state = {"of": of, "rate": None, "runs": {}}
    if state["rate"] is None:
        held_out = load_official("cifar10", "held_out")
        state["rate"] = choose_rate(generator, held_out, size)
        save_checkpoint(path, **state)
    runs: dict[str, dict[str, Any]] = state["runs"]
    jobs = [(steps, part) for steps in size.steps for part in chunks(len(images), size.batch)]
    for steps, part in tqdm(jobs, desc="inversion"):
        key = f"{steps}/{part.start}"
        if key in runs:
            continue
        options = InversionOptions(steps=steps, rate=state["rate"], batch=size.batch)
        begun = time.perf_counter()
        found = invert(generator, images[part], options)
        distance = found.distance.cpu()  # waits for the device
        with torch.no_grad():
            read = psi(found.images).argmax(1).cpu()
        runs[key] = {
            "seconds": time.perf_counter() - begun,
            "distance": distance,
            "right": read == labels[part],
        }
        save_checkpoint(path, **state)
    clean = round(accuracy(psi, images, labels, context.device) * len(images))
    by_steps = {
        str(steps): _figures([run for key, run in runs.items() if key.startswith(f"{steps}/")])
        for steps in size.steps
    }
    found_at_last = by_steps[str(size.steps[-1])]
    add_measured(
        NAME,
        "inversion",
        {
            "test_images": len(images),
            "steps": size.steps[-1],
            "rate": state["rate"],
            "rate_chosen_on": f"{size.chosen_on} held-out images in {size.chosen_by} steps",
            **found_at_last,
            "psi_accuracy_on_clean": share(clean, len(images)),
            "by_steps": by_steps,
            "batch": size.batch,
            "threads": torch.get_num_threads(),
            "scale": context.scale,
            "device": context.device,
            "command": context.command("inversion"),
        },
    )


def choose_rate(generator: StyleGenerator, held_out: ImageSet, size: Size) -> float:
    """The rate of RATES with the smallest mean distance on the first held-out images."""
    images = held_out.images[: size.chosen_on]
    options = InversionOptions(steps=size.chosen_by, batch=size.batch)
    distances = {
        rate: float(invert(generator, images, replace(options, rate=rate)).distance.mean())
        for rate in tqdm(RATES, desc="rate")
    }
    return min(distances, key=lambda rate: distances[rate])


def _figures(runs: list[dict[str, Any]]) -> dict[str, object]:
    """Of the runs of one length over all batches; distances are ||x - G(w^)||, pixels in [0, 1]."""
    distance: Tensor = torch.cat([run["distance"] for run in runs])
    right: Tensor = torch.cat([run["right"] for run in runs])
    # The median: a batch that shared the machine with something else does not count.
    seconds = median(run["seconds"] / len(run["right"]) for run in runs)
    return {
        "mean_l2_distance": round(float(distance.mean()), 4),
        "median_l2_distance": round(float(distance.median()), 4),
        "psi_accuracy_on_inverted": share(int(right.sum()), len(right)),
        "seconds_an_image": round(seconds, 4),
    }

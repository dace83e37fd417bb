"""Attacked images saved as 8-bit PNG and read back: is the verdict that of the array? `make png`.

    python -m tests.red_core.measure_png --examples 100 [--dataset mnist] [--attack l2] [--json OUT]

PGD with the paper's budgets attacks the first examples that are bundled. Each x' is undone as the
array that it is, and as the PNG that it becomes. Three counts: files whose pixels come back as they
were saved; guesses that the image is attacked already; verdicts (signal and attack) that are the
array's. Wanted: all of the first and the last. Ends with status 1 where one is missed.
"""

from __future__ import annotations

import argparse
import io
import json
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from red_core.attacks.pgd import PAPER_ATTACKS, craft
from red_core.data.intake import Intake, read_image
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.foreign import guess_attacked, undo_images
from red_core.run.settings import RunSettings, item_seed
from red_core.threads import computing_on

DATASETS, KINDS = ("mnist", "fashion"), ("linf", "l2", "l1")


def read_back(pixels: np.ndarray, dataset: str) -> Intake:
    """A grey PNG of uint8 [H, W], read as an upload is."""
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return read_image(stream.getvalue(), filename="x.png", dataset=dataset)


def measure(bundle: Bundle, kind: str, examples: int, preset: str = "best") -> dict[str, object]:
    """The three counts of one attack on the first `examples` images, and what differs."""
    images, labels = bundle.examples.images[:examples], bundle.examples.labels[:examples]
    seeds = [item_seed(0, index) for index in range(examples)]
    attacked = craft(bundle.psi, images, labels, PAPER_ATTACKS[bundle.dataset][kind], seeds)
    pixels = (attacked[:, 0] * 255).round().to(torch.uint8).numpy()
    files = [read_back(one, bundle.dataset) for one in pixels]
    exact = [
        bool((one.image[0] * 255 - torch.from_numpy(saved).float()).abs().max() < 1e-3)
        for one, saved in zip(files, pixels, strict=True)
    ]
    settings = RunSettings(bundle.dataset, source="own", attack="none", preset=preset)
    answers = [
        [
            (one.answers["signal_label"], one.answers["attack_label"])
            for batch in undo_images(bundle, taken, settings)
            for one in batch
        ]
        for taken in ([Intake(one, ()) for one in attacked], files)
    ]
    different = [
        {"example": place, "array": list(array), "png": list(png)}
        for place, (array, png) in enumerate(zip(*answers, strict=True))
        if array != png
    ]
    return {
        "dataset": bundle.dataset, "attack": kind, "examples": len(labels), "exact": sum(exact),
        "guessed": sum(guess_attacked(bundle, one)[0] for one in files),
        "same": len(labels) - len(different),
        "named": sum(attack == kind for _, attack in answers[1]),
        "different": different,
    }  # fmt: skip


def main() -> int:
    """Measure, print a line for each attack, and write them all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--examples", type=int, default=100)
    parser.add_argument("--dataset", choices=DATASETS, action="append")
    parser.add_argument("--attack", choices=KINDS, action="append")
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    found, right = [], True
    for dataset in arguments.dataset or DATASETS:
        bundle = load_bundle(dataset, "cpu")
        for kind in arguments.attack or KINDS:
            with computing_on(1):
                made = measure(bundle, kind, arguments.examples)
            found.append(made)
            print(json.dumps(made), flush=True)
            right &= made["exact"] == made["same"] == made["examples"]
            if arguments.json:
                arguments.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return 0 if right else 1


if __name__ == "__main__":
    raise SystemExit(main())

"""Speed as ratios within one run: a batch against a plain loop, and against the machine's peak.

The machine may be noisy, so what is compared is timed in turn, A B A B, and the median of the
ratios is reported. Each turn solves the whole batch once and, with the plain loop, an equal part
of its images; after all turns the loop has solved every image once.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from functools import partial
from statistics import median
from typing import Any, TypeVar

import torch
from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.algorithm1 import finished, step
from red_core.algorithm.batch import run_to_end
from red_core.algorithm.observe import Iterate, observe
from red_core.algorithm.options import DIFFUSION, PERCEPTUAL, SolverOptions
from red_core.algorithm.plain_loop import Objective, Solution, plain_solve
from red_core.algorithm.presets import BEST_FILES, presets_of
from red_core.algorithm.verdict import judge
from red_core.attacks.pgd import ATTACKS, PAPER_ATTACKS
from red_core.measure.flops import OperationCounter
from red_core.measure.result_store import Key, images_digest, result_key
from red_core.run.bundle import Bundle
from red_core.run.code_digest import changed_values, code_digest
from red_core.run.experiment import attack_images, begin_run, make_starts, readers_for
from red_core.run.provenance import asset_checksums, provenance
from red_core.run.settings import RunSettings, SettingsError, item_seed
from red_core.threads import BATCH, computing_on, threads_for

T = TypeVar("T")
TIMED = ("best", "paper")  # presets whose run of one image is timed
# Cheap steps on c_a at the end of the timed batch, so that its objective lies below the loop's by
# more than rounding.
POLISH = 20
PEAK_SIZE = 1536  # of the square matrices whose product measures the peak


@dataclass(frozen=True)
class BenchmarkSettings:
    """What to time.

    run: data set, preset and options of the throughput part, seed; batch: images solved
    together; turns: repetitions; singles: single images timed per preset. Raises SettingsError.
    """

    run: RunSettings = field(default_factory=RunSettings)
    batch: int = 32
    turns: int = 4
    singles: int = 5

    def __post_init__(self) -> None:
        if not 1 <= self.turns <= self.batch:
            raise SettingsError(f"turns must lie between 1 and the batch of {self.batch}")
        options = self.run.solver_options()
        features = options.feature_weight or options.start_loss == PERCEPTUAL
        if options.signal_step == DIFFUSION or features or options.one_w:
            raise SettingsError(
                "the plain loop knows neither diffusion nor features nor a single w: "
                f"{self.run.preset} has nothing to be compared with"
            )


def benchmark(bundle: Bundle, settings: BenchmarkSettings) -> dict[str, Any]:
    """The report of `python -m red_core benchmark`."""
    options = settings.run.solver_options()
    seeds = [item_seed(settings.run.seed, index) for index in range(settings.batch)]
    attacked = mixed_attacks(bundle, seeds)
    starts, anchors = make_starts(bundle, attacked, options, seeds)
    loop = [
        partial(plain_solve, *item, options, bundle.generator, bundle.dictionary)
        for item in zip(attacked, starts, anchors, strict=True)
    ]

    def together() -> Iterate:
        problem, state = begin_run(bundle, attacked, options, seeds)
        return run_to_end(problem, state, options, polish=POLISH)

    with tqdm(total=2 + settings.turns + settings.batch, desc="throughput", unit="solve") as bar:
        with OperationCounter() as counter:
            iterate = together()
        bar.update()
        loop[0]()  # both are warm from here on
        bar.update()
        batch_rate, loop_rate, peaks, solutions = [], [], [], []
        for turn in range(settings.turns):
            first, last = (settings.batch * t // settings.turns for t in (turn, turn + 1))
            before = matrix_peak(bundle.device)
            seconds, iterate = timed(together, bundle.device)
            peaks.append(max(before, matrix_peak(bundle.device)))
            batch_rate.append(settings.batch / seconds)
            bar.update()
            spent = 0.0
            for solve_one in loop[first:last]:
                own, solution = timed(solve_one, bundle.device)
                spent += own
                solutions.append(solution)
                bar.update()
            loop_rate.append((last - first) / spent)
    ours, theirs = objectives(attacked, iterate, solutions, bundle, options.latent_weight)
    per_image = counter.total / settings.batch
    shares = [rate * per_image / peak for rate, peak in zip(batch_rate, peaks, strict=True)]
    ratios = [ours_ / loop for ours_, loop in zip(batch_rate, loop_rate, strict=True)]
    return {
        "throughput_ratio": median(ratios),
        "objective_ratio": ours / theirs,
        "peak_share": median(shares),
        **{
            f"{preset}_seconds": single_seconds(bundle, preset, settings, attacked, seeds)
            for preset in TIMED
        },
        "observe_ratio": {
            preset: observe_ratio(bundle, preset, settings, attacked, seeds) for preset in TIMED
        },
        "busy_ratio": {
            str(threads): busy_ratio(bundle, threads, settings, attacked, seeds)
            for threads in sorted({threads_for(1), threads_for(BATCH)})
        },
        "device": bundle.device.type,
        "details": {
            "preset": settings.run.preset,
            "options": asdict(options),
            "timed": timed_options(settings.run.dataset),
            "batch": settings.batch,
            "turns": settings.turns,
            "throughput_ratios": ratios,
            "peak_shares": shares,
            "batch_images_per_second": median(batch_rate),
            "loop_images_per_second": median(loop_rate),
            "batch_objective": ours,
            "loop_objective": theirs,
            "polish": POLISH,
            "flops_per_image": per_image,
            "flops_counted": "matrix products and convolutions of one untimed solve of the batch",
            "peak_flops_per_second": median(peaks),
            "peak_measured": f"float32 product of two {PEAK_SIZE} x {PEAK_SIZE} matrices",
        },
        "files": benchmark_files(settings.run.dataset),
        "key": {
            **benchmark_key(
                settings.run.preset, options, settings.batch, settings.turns, bundle.device.type
            ),
            "images": images_digest(bundle.examples, settings.batch),
        },
        "provenance": provenance(bundle.device),
    }


def benchmark_key(preset: str, options: SolverOptions, batch: int, turns: int, device: str) -> Key:
    """The key of a report, but for the content of its images (None here)."""
    values = {
        **{"preset": preset, "options": changed_values(options)},
        **{"batch": batch, "turns": turns, "device": device},
    }
    return result_key([code_digest(__name__)], values, None)


def timed_options(dataset: str) -> dict[str, dict[str, Any]]:
    """The options of the presets whose runs of one image are timed, by name."""
    return {preset: asdict(presets_of(dataset)[preset]) for preset in TIMED}


def benchmark_files(dataset: str) -> dict[str, str]:
    """Checksums of the trained files that are timed."""
    return {name: sha for name, sha in asset_checksums(dataset).items() if name in BEST_FILES}


def mixed_attacks(bundle: Bundle, seeds: list[int]) -> Tensor:
    """x' of the first bundled images, under the paper's attacks in turn: [B, C, H, W]."""
    attacked = torch.empty(len(seeds), *bundle.examples.images.shape[1:], device=bundle.device)
    for number, kind in enumerate(ATTACKS):
        items = torch.arange(number, len(seeds), len(ATTACKS))
        if len(items):
            attacked[items.to(bundle.device)] = attack_images(
                bundle,
                bundle.examples.images[items],
                bundle.examples.labels[items],
                PAPER_ATTACKS[bundle.dataset][kind],
                [seeds[i] for i in items],
            ).attacked
    return attacked


def timed(work: Callable[[], T], device: torch.device) -> tuple[float, T]:
    """Wall-clock seconds of `work`, with the device's queue drained on both sides."""
    _drain(device)
    began = time.perf_counter()
    result = work()
    _drain(device)
    return time.perf_counter() - began, result


def _drain(device: torch.device) -> None:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def matrix_peak(device: torch.device, shots: int = 5) -> float:
    """Operations a second of the best of `shots` float32 matrix products."""
    a = torch.ones(PEAK_SIZE, PEAK_SIZE, device=device)
    best = min(timed(lambda: a @ a, device)[0] for _ in range(shots))
    return 2 * PEAK_SIZE**3 / best


def objectives(
    attacked: Tensor, iterate: Iterate, solutions: list[Solution], bundle: Bundle, weight: float
) -> tuple[float, float]:
    """Mean final objective of the batch and of the loop, both at the loop's lambda and anchor.

    weight: the options' latent_weight.
    """
    ours = theirs = 0.0
    for i, solution in enumerate(solutions):
        goal = Objective(
            attacked[i], bundle.generator, bundle.dictionary, solution.anchor[None], weight
        )
        ours += float(goal.value(iterate.z[i : i + 1], iterate.c_a[i : i + 1], solution.lam))
        theirs += float(goal.value(solution.z[None], solution.c_a[None], solution.lam))
    return ours / len(solutions), theirs / len(solutions)


def single_seconds(
    bundle: Bundle,
    preset: str,
    settings: BenchmarkSettings,
    attacked: Tensor,
    seeds: list[int],
) -> float:
    """Median seconds from x' to the verdict of one image, at the preset's own numbers."""
    options = _with_overrides(preset, settings.run)
    readers = readers_for(bundle, preset)

    def one(i: int) -> None:
        problem, state = begin_run(bundle, attacked[i : i + 1], options, seeds[i : i + 1])
        judge(problem, run_to_end(problem, state, options), readers)

    count = min(settings.singles, len(attacked))
    images = tqdm(range(count), desc=f"one image, {preset}", unit="image")
    with computing_on(threads_for(1)):
        return median(timed(partial(one, i), bundle.device)[0] for i in images)


def observe_ratio(
    bundle: Bundle, preset: str, settings: BenchmarkSettings, attacked: Tensor, seeds: list[int]
) -> float:
    """Seconds that observing every iterate of one image takes, over those of its steps."""
    options, spent = _with_overrides(preset, settings.run), {"step": 0.0, "observe": 0.0}

    def timed_as(name: str, work: Callable[[], T]) -> T:
        seconds, result = timed(work, bundle.device)
        spent[name] += seconds
        return result

    with computing_on(threads_for(1)):
        problem, state = begin_run(bundle, attacked[:1], options, seeds[:1])
        while not finished(state, options):
            state = timed_as("step", partial(step, problem, state, options))
            timed_as("observe", partial(observe, problem, state, options))
    return spent["observe"] / spent["step"]


def busy_ratio(
    bundle: Bundle, threads: int, settings: BenchmarkSettings, attacked: Tensor, seeds: list[int]
) -> float:
    """Median seconds of one image beside one busy process over those alone, preset `best`.

    threads: that torch computes on. Images alone and beside take turns.
    """
    options, readers = _with_overrides("best", settings.run), readers_for(bundle, "best")

    def one(i: int) -> None:
        problem, state = begin_run(bundle, attacked[i : i + 1], options, seeds[i : i + 1])
        judge(problem, run_to_end(problem, state, options), readers)

    alone, beside = [], []
    with computing_on(threads):
        one(0)
        for i in range(min(settings.singles, len(attacked))):
            alone.append(timed(partial(one, i), bundle.device)[0])
            with _busy_process():
                beside.append(timed(partial(one, i), bundle.device)[0])
    return median(beside) / median(alone)


@contextmanager
def _busy_process() -> Iterator[None]:
    """A process beside this one that keeps a core busy."""
    process = subprocess.Popen([sys.executable, "-c", "while True: pass"])
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _with_overrides(preset: str, run: RunSettings) -> SolverOptions:
    """The preset with the run's own options, which only a quick check of the command sets."""
    if not run.solver:
        return presets_of(run.dataset)[preset]
    return RunSettings(dataset=run.dataset, preset=preset, solver=run.solver).solver_options()

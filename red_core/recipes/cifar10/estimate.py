"""What `recipe cifar10` would cost at a scale: operations counted, time from a rate.

The rate is measured on the present device, by timing each kind of step. For `--scale gpu` where
there is no GPU it is a named assumption, and times are ranges.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from red_core.recipes.cifar10 import work, work_best
from red_core.recipes.cifar10.counting import counted
from red_core.recipes.cifar10.work import Job

PROBED = (8, 16)  # batches on which a step is counted
H100 = 300e12  # operations a second in bf16 that an H100 reaches in real work, in large products
SHARE = (0.1, 0.4)  # of it that networks as small as these may be expected to reach
MEASURED_FOR = 1.0  # seconds of steps, after one to warm up


JOBS = {**work.JOBS, **work_best.JOBS}
"""Of each part: its jobs at a scale and on a device, on untrained networks and no data."""


def estimate(scale: str, device: str, parts: Sequence[str]) -> dict[str, Any]:
    """Plain values: every job of every part, operations, seconds [from, to] and bytes of memory.

    Nothing is trained, and no data set is needed: the networks are new, the images made up.
    """
    measured = scale != "gpu" or device == "cuda"
    made = [_part(part, scale, device, measured) for part in parts]
    return {
        "dataset": "cifar10",
        "scale": scale,
        "device": _name(device) if measured else "one NVIDIA H100, assumed",
        "rate_measured": measured,
        "assumed_operations_per_second": None if measured else [share * H100 for share in SHARE],
        "parts": made,
        "operations": sum(part["operations"] for part in made),
        "seconds": [sum(part["seconds"][end] for part in made) for end in (0, 1)],
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The estimate for a terminal."""
    shown = [f"CIFAR-10 at scale {found['scale']}, on {found['device']}"]
    for part in found["parts"]:
        shown.append(
            f"{part['part']:13} {_operations(part['operations']):>12}  "
            f"{_span(part['seconds']):>22}  memory {max(part['memory_bytes'] / 1e9, 0.1):.1f} GB"
        )
        for job in part["jobs"]:
            rate = job["operations_per_second"][0] / 1e12
            shown.append(
                f"  {job['what']:24} {job['steps']:>7,} x {job['images']:>4} images, "
                f"{_operations(job['operations_per_step'])} a step"
                + (f", at {rate:.2g} TFLOP/s" if found["rate_measured"] else "")
            )
    shown.append(
        f"{'total':13} {_operations(found['operations']):>12}  {_span(found['seconds']):>22}"
    )
    shown.append(
        "Operations are counted on the real modules: convolutions and matrix products, forwards "
        "and backwards."
    )
    if found["rate_measured"]:
        shown.append("Rates are measured here and now, by timing each kind of step.")
    else:
        low, high = (format(100 * share, ".0f") for share in SHARE)
        shown.append(
            f"The rate is assumed, not measured: {low} to {high} percent of the {H100 / 1e12:.0f} "
            "TFLOP/s that an H100 reaches in bf16 in large products. Where there is a GPU, this "
            "command measures it."
        )
    shown.append(
        "Memory is the weights with gradients and moments, the images, and all that one step "
        "keeps for its backward passes: an upper estimate."
    )
    return shown


def _part(part: str, scale: str, device: str, measured: bool) -> dict[str, Any]:
    jobs = [_job(job, device, measured) for job in JOBS[part](scale, device)]
    return {
        "part": part,
        "jobs": jobs,
        "operations": sum(job["steps"] * job["operations_per_step"] for job in jobs),
        "seconds": [sum(job["seconds"][end] for job in jobs) for end in (0, 1)],
        "memory_bytes": max(job["memory_bytes"] for job in jobs),
    }


def _job(job: Job, device: str, measured: bool) -> dict[str, Any]:
    first, second = (counted(job.probe(batch)) for batch in PROBED)
    step = first.at(second, job.batch, PROBED)
    if measured:
        # A GPU is slower on small batches, a CPU is not.
        batch = job.batch if device == "cuda" else min(job.batch, PROBED[-1])
        rate = first.at(second, batch, PROBED).operations / _seconds(job.probe(batch), device)
        rates = [rate, rate]
    else:
        rates = [share * H100 for share in SHARE]
    return {
        "what": job.what,
        "steps": job.steps,
        "images": job.batch,
        "operations_per_step": step.operations,
        "operations_per_second": rates,
        "seconds": [job.steps * step.operations / rate for rate in reversed(rates)],
        "memory_bytes": job.held + step.kept,
    }


def _seconds(step: Callable[[], object], device: str) -> float:
    """Of one step, the mean over about MEASURED_FOR seconds of them."""

    def wait() -> None:
        if device == "cuda":
            torch.cuda.synchronize()

    step()
    wait()
    begun, steps = time.perf_counter(), 0
    while True:
        step()
        wait()
        steps, taken = steps + 1, time.perf_counter() - begun
        if taken >= MEASURED_FOR:
            return taken / steps


def _name(device: str) -> str:
    if device == "cuda":
        return torch.cuda.get_device_name()
    return f"{device}, {torch.get_num_threads()} threads"


def _operations(count: float) -> str:
    for factor, name in ((1e15, "PFLOP"), (1e12, "TFLOP")):
        if count >= factor:
            return f"{count / factor:,.2f} {name}"
    return f"{count / 1e9:,.2f} GFLOP"


def _span(seconds: Sequence[float]) -> str:
    low, high = (_clock(value) for value in seconds)
    return low if low == high else f"{low} to {high}"


def _clock(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 90 * 60 else f"{seconds / 3600:.1f} h"

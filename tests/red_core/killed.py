"""Kill a recipe, an evaluation or a download again and again, each time at a random moment.

    python -m tests.red_core.killed recipe|evaluation|download KILLS FOLDER

One process has imported everything; every attempt is a fork of it, which SIGKILL ends after a
random part of the time that an undisturbed run took. The next attempt goes on in the same folder.
After every kill the folder is looked at: `check_...` raise AssertionError at half a file. What was
killed often enough is then run to its end and compared with the undisturbed run, and that is done
with new folders until there were KILLS kills. Prints what it counted, as JSON. No test by itself:
tests/red_core/test_killed.py runs it.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

SEED = 18
MOST_IN_ONE = 5  # kills before a folder is finished
QUICK = "--set restarts=1 --set start_steps=2 --set steps=12"


@dataclass(frozen=True)
class Job:
    """run: the work in a folder, its begun units appended to the file named; check: raises where
    something in the folder is half written, and returns how many units are kept; result: what it
    has made, without what no two runs share; units: in all.
    """

    run: Callable[[Path, Path], None]
    check: Callable[[Path], int]
    result: Callable[[Path], object]
    units: int


def begun(log: Path, number: int) -> None:
    """Note that a unit of work begins."""
    with log.open("a") as stream:
        stream.write(f"{number}\n")


def safely_json(path: Path) -> object:
    """A JSON file, which is whole wherever it is."""
    return json.loads(path.read_text(encoding="utf-8"))


def no_stray(folder: Path) -> None:
    """What a killed writer left is named as a part, and nothing else is unfinished."""
    for path in folder.rglob("*.part"):
        assert path.name.count(".") >= 2, path


# --- a recipe: CIFAR-10's diffusion model, tiny, a checkpoint after every step -----------------


def recipe() -> Job:
    """Eight steps of a training."""
    from red_core.cli import main
    from red_core.data.assets import read_manifest
    from red_core.recipes.cifar10 import training
    from red_core.recipes.cifar10.diffusion import DiffusionTrainer
    from red_core.recipes.common import load_checkpoint
    from tests.red_core.recipes.cifar10 import toy_data

    toy_data.accept(Path(os.environ["RED_DATA"]))
    training.train.__defaults__ = (0.0,)
    step = DiffusionTrainer.step
    made = Path("tiny-assets") / "cifar10" / "diffusion.safetensors"

    def run(work: Path, log: Path) -> None:
        def noted(self: DiffusionTrainer, number: int) -> object:
            begun(log, number)
            return step(self, number)

        DiffusionTrainer.step = noted  # type: ignore[method-assign, assignment]
        words = ["recipe", "cifar10", "--scale", "tiny", "--device", "cpu"]
        words += ["--only", "classifier,dictionary,diffusion", "--work"]
        assert main([*words, str(work)]) == 0

    def check(work: Path) -> int:
        assets = work / "tiny-assets"
        with patch.dict(os.environ, RED_ASSETS=str(assets)):
            for name, entry in read_manifest("cifar10").items():
                content = (assets / "cifar10" / name).read_bytes()
                assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        kept = load_checkpoint(work / "cifar10" / "diffusion-tiny.pt")
        return 0 if kept is None else int(kept["step"])

    return Job(run, check, lambda work: (work / made).read_bytes().hex(), 8)


# --- an evaluation: two images at a time attacked, then judged; each pair is kept ---------------


def evaluation() -> Job:
    """Attacks and verdicts on twelve toy images."""
    from red_core.cli import main
    from red_core.measure import accuracy, attack_cache

    attack_cache.CHUNK = 2
    solve, chunk = accuracy._solve_batch, attack_cache.AttackCache._chunk

    def run(work: Path, log: Path) -> None:
        def attacked(self: attack_cache.AttackCache, items: range) -> object:
            if self._kept(items) is None:
                begun(log, items.start // 2)
            return chunk(self, items)

        def judged(*given: object) -> object:
            begun(log, 6 + given[3].start // 2)  # type: ignore[attr-defined]
            return solve(*given)  # type: ignore[arg-type]

        attack_cache.AttackCache._chunk = attacked  # type: ignore[method-assign, assignment]
        accuracy._solve_batch = judged  # type: ignore[assignment]
        words = f"evaluate --attack linf --examples 12 --batch 2 --device cpu {QUICK} --work"
        out = str(work / "report.json")
        assert main([*words.split(), str(work), "--json", out]) == 0

    def check(work: Path) -> int:
        from safetensors.torch import load

        chunks = list(work.rglob("*.safetensors"))
        for path in chunks:
            assert list(load(path.read_bytes())) == ["attacked"]
        for path in work.rglob("*.json"):
            kept = safely_json(path)
            assert isinstance(kept, dict)
            assert path.name == "report.json" or len(kept["true"]) == 2
        return len(chunks) + len(list((work / "evaluations").glob("*.json")))

    def result(work: Path) -> object:
        made = safely_json(work / "report.json")
        assert isinstance(made, dict)
        for timed in ("seconds", "provenance"):
            made.pop(timed)
        return made

    return Job(run, check, result, 12)


# --- a download, from a server of the test's that hands out few bytes at a time ----------------


def download() -> Job:
    """CIFAR-10's archive as the test's server has it: RED_TEST_ARCHIVE names its content."""
    from red_core.data import archive
    from red_core.data.download import download as fetch
    from tests.red_core.data import toy_archive

    toy_archive.accept(os.environ["RED_TEST_ADDRESS"], setattr)
    whole, unit = toy_archive.ARCHIVE, toy_archive.PIECE
    listed = archive.archive_of("cifar10")

    def run(work: Path, log: Path) -> None:
        os.environ["RED_DATA"] = str(work)

        def progress(done: int, total: int | None) -> None:
            begun(log, done // unit)

        assert fetch("cifar10", progress)

    def check(work: Path) -> int:
        place = work / listed.folder
        if place.is_dir():
            assert archive.is_sound(listed, work)
            return len(whole) // unit
        part = work / f"{listed.file}.part"
        if not part.exists():
            return 0
        assert whole.startswith(part.read_bytes())
        # What Python's own buffer has not written yet goes with the process.
        return (part.stat().st_size + io.DEFAULT_BUFFER_SIZE) // unit

    def result(work: Path) -> object:
        folder = work / listed.folder
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.iterdir()}

    return Job(run, check, result, len(whole) // unit)


JOBS = {"recipe": recipe, "evaluation": evaluation, "download": download}


def attempt(job: Job, work: Path, log: Path, seconds: float | None) -> tuple[bool, float]:
    """One attempt in a process of its own; whether it was killed, and how long it took."""
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        for stream in (1, 2):
            os.dup2(quiet, stream)
        status = 1
        try:
            job.run(work, log)
            status = 0
        finally:
            os._exit(status)
    if seconds is not None:
        time.sleep(seconds)
        os.kill(child, signal.SIGKILL)  # one that has ended is still there until it is waited for
    _, found = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(found)
    assert killed or os.WEXITSTATUS(found) == 0, f"it ended with {found} in {work}"
    return killed, time.monotonic() - began


def units_of(log: Path) -> list[int]:
    """The units that were begun, in their order."""
    return [int(line) for line in log.read_text().split()] if log.exists() else []


def main_loop(job: Job, kills: int, root: Path) -> dict[str, object]:
    """Kill `kills` times; what was counted. Raises AssertionError at the first fault."""
    draw = random.Random(SEED)
    whole = root / "whole"
    whole.mkdir(parents=True)
    _, seconds = attempt(job, whole, root / "whole.log", None)
    expected, kept_whole = job.result(whole), job.check(whole)
    assert kept_whole >= job.units
    done, folders, again, most_lost, moments = 0, 0, 0, 0, list[float]()
    while done < kills:
        work, log = root / f"work-{folders}", root / f"work-{folders}.log"
        work.mkdir()
        folders += 1
        here = 0
        while True:
            last = done == kills or here == MOST_IN_ONE
            moment = None if last else draw.uniform(0.0, seconds)
            before = units_of(log)
            killed, _ = attempt(job, work, log, moment)
            kept = job.check(work)
            no_stray(work)
            now = units_of(log)
            if before and len(now) > len(before):
                again += max(0, max(before) + 1 - now[len(before)])
            if now:
                lost = max(now) - kept  # units that were finished and are not kept
                assert lost <= 1, f"{lost} units lost in {work}"
                most_lost = max(most_lost, lost)
            if not killed:
                assert job.result(work) == expected, f"another result in {work}"
                break
            done, here = done + 1, here + 1
            moments.append(round((moment or 0.0) / seconds, 3))
    return {
        "kills": done, "folders": folders, "seconds": round(seconds, 3), "moments": moments,
        "begun again": again, "most lost": most_lost,
    }  # fmt: skip


if __name__ == "__main__":
    name, wanted, folder = sys.argv[1:]
    print(json.dumps(main_loop(JOBS[name](), int(wanted), Path(folder))))

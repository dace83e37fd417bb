"""How the app serves a class on this machine: `make load` prints the figures.

Clients that speak to the server's sockets as a browser does drive a local server of their own. Runs
are compared with the same runs solved and recorded one after another in this process, without an
app and on one thread: figures are ratios of the two where they can be.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import torch

from red_core.recording.record_file import read_run
from red_core.recording.run_recorder import record_run
from red_core.run.bundle import load_bundle
from red_core.run.settings import RunSettings
from red_core.theory.dictionary_parts import DictionaryParts
from red_core.threads import computing_on, threads_for
from tests.browser.conftest import Server, serving_app
from tests.browser.visitor import Files, Visitor, Watched, run_clients, watch

BESIDE = "dataset=cifar10&preset=paper&solver.steps=3000"
EARLY = 20  # visits after which memory is compared
IMAGES = 40  # that the visits go through
NOTED = 5.0  # seconds between two looks at the memory
Figures = dict[str, float | int | None]


async def runs(server: Server, asked: argparse.Namespace) -> Figures:
    """Runs of preset `best` on MNIST, begun within two seconds, against the same without an app."""
    indices = range(asked.runs)
    alone = alone_seconds([RunSettings(index=index) for index in indices])
    watched = await at_once(server.url, [f"index={index}" for index in indices], 2.0, asked.limit)
    begun = min(each.begun for each in watched)
    first = [each.first - each.begun for each in watched if each.first is not None]
    own = [each.ended - each.begun for each in watched if each.ended is not None]
    last = max((each.ended - begun for each in watched if each.ended is not None), default=None)
    median = statistics.median(own) if own else None
    return {
        "runs": len(watched),
        "first records that came": len(first),
        "verdicts that came": len(own),
        "s, longest to a first record": max(first, default=None),
        "s, all solved and recorded without an app": alone,
        "s, all verdicts": last,
        "all verdicts over without an app": last and last / alone,
        "median verdict over without an app": median and median / alone,
    }


async def beside(server: Server, asked: argparse.Namespace) -> Figures:
    """A link to a run of MNIST, opened alone and beside one run of CIFAR-10 with preset `paper`."""
    links = [f"index={index}&run=1" for index in range(1, asked.rounds + 1)]

    async def opened() -> list[float]:
        found = [await verdict_seconds(server.url, link, asked.limit) for link in links]
        return [seconds for seconds in found if seconds is not None]

    alone = await opened()
    async with Visitor(server.url) as other:
        key = (await other.open("red_stage", query=BESIDE))["run"]
        running = asyncio.create_task(watch(server.url, key, seconds=asked.limit))
        await asyncio.sleep(asked.ahead)
        shared = await opened()
        busy = not running.done()
        running.cancel()
    middle = [statistics.median(found) if found else None for found in (alone, shared)]
    return {
        "links": len(links),
        "verdicts that came alone": len(alone),
        "verdicts that came beside": len(shared),
        "CIFAR-10 still computing at the end": int(busy),
        "s, alone": middle[0],
        "s, beside": middle[1],
        "beside over alone": middle[1] / middle[0] if middle[0] and middle[1] else None,
    }


async def lesson(server: Server, asked: argparse.Namespace) -> Figures:
    """Visitors of a lesson who arrive one after another: page, session, modules, recorded run."""
    used, began = cpu_seconds(server.pid), time.perf_counter()

    async def visit(place: int) -> float:
        await asyncio.sleep(place * asked.within / asked.visitors)
        return await lesson_seconds(server.url, asked.limit)

    found = await asyncio.gather(*(visit(place) for place in range(asked.visitors)))
    seconds, now = time.perf_counter() - began, cpu_seconds(server.pid)
    return {
        "visitors": len(found),
        "s, in which they arrived": asked.within,
        "s, median to the first picture's data": statistics.median(found),
        "s, longest to the first picture's data": max(found),
        "cores, of the server meanwhile": None
        if now is None or used is None
        else (now - used) / seconds,
    }


async def visits(server: Server, asked: argparse.Namespace) -> Figures:
    """Visits one after another: open a link, see its run end, close the tab."""
    early, came, until = None, 0, time.perf_counter() + asked.limit
    after = min(EARLY, max(1, asked.visits // 2))
    for number in range(1, asked.visits + 1):
        left = until - time.perf_counter()
        if left <= 0:
            break
        link = f"index={number % IMAGES}&run=1"
        seconds = await verdict_seconds(server.url, link, left)
        came += seconds is not None
        if number == after:
            early = memory(server.pid)
    end = memory(server.pid)
    return {
        "visits": asked.visits,
        "verdicts that came": came,
        f"MB after {after} visits": early,
        "MB at the end": end,
        "end over early": end / early if end and early else None,
    }


async def steady(server: Server, asked: argparse.Namespace) -> Figures:
    """Visitors who open link after link for some minutes, each leaving when its run has ended."""
    began = time.perf_counter()
    until = began + 60 * asked.minutes
    held: list[tuple[float, float]] = []  # minutes, MB
    came = opened = 0

    async def visitor(number: int) -> None:
        nonlocal came, opened
        image = number
        while (left := until - time.perf_counter()) > 0:
            seconds = await verdict_seconds(server.url, f"index={image % IMAGES}&run=1", left)
            came += seconds is not None
            opened += 1
            image += asked.together

    async def note() -> None:
        while time.perf_counter() < until:
            await asyncio.sleep(min(NOTED, 60 * asked.minutes / 8))
            if (now := memory(server.pid)) is not None:
                held.append(((time.perf_counter() - began) / 60, now))

    await asyncio.gather(note(), *(visitor(number) for number in range(asked.together)))
    quarters: list[float | None] = []
    for quarter in range(4):
        begin = quarter * asked.minutes / 4
        of_it = [mb for at, mb in held if begin <= at < begin + asked.minutes / 4]
        quarters.append(statistics.median(of_it) if of_it else None)
    _, second, third, last = quarters
    return {
        "visitors at once": asked.together,
        "minutes": asked.minutes,
        "visits": opened,
        "verdicts that came": came,
        "MB, median of the second quarter": second,
        "MB, median of the third quarter": third,
        "MB, median of the last quarter": last,
        "last quarter over third": last / third if last and third else None,
    }


PARTS: dict[str, Callable[[Server, argparse.Namespace], Awaitable[Figures]]] = {
    "runs": runs,
    "beside": beside,
    "lesson": lesson,
    "visits": visits,
    "steady": steady,
}


async def at_once(url: str, queries: Sequence[str], within: float, limit: float) -> list[Watched]:
    """Prepare a run for each query, then begin all of them within some seconds; what came."""
    async with AsyncExitStack() as tabs:
        visitors = [await tabs.enter_async_context(Visitor(url)) for _ in queries]
        data = await asyncio.gather(
            *(
                visitor.open("red_stage", query=query)
                for visitor, query in zip(visitors, queries, strict=True)
            )
        )

        async def begin(place: int) -> Watched:
            await asyncio.sleep(place * within / len(queries))
            return await watch(url, data[place]["run"], seconds=limit)

        return list(await asyncio.gather(*(begin(place) for place in range(len(queries)))))


async def verdict_seconds(url: str, query: str, limit: float) -> float | None:
    """From opening a link to the verdict of its run; None where it did not come in time."""
    began = time.perf_counter()
    async with Visitor(url) as visitor:
        key = (await visitor.open("red_stage", query=query))["run"]
        watched = await watch(url, key, seconds=limit)
    return None if watched.ended is None else watched.ended - began


async def lesson_seconds(url: str, limit: float) -> float:
    """From opening a lesson to the bytes of its recorded run, with all that a browser loads."""
    began, loaded = time.perf_counter(), Files(url)
    try:
        async with asyncio.timeout(limit), Visitor(url) as visitor:
            await asyncio.to_thread(loaded.page, "/learn")
            data = await visitor.open("red_learn", page="learn", query="lesson=norms&step=1")
            for folder, name in ((data["stage"], "main.js"), (data["modules"], "lesson.js")):
                await asyncio.to_thread(loaded.modules, folder, name)
            shown = next(one for one in data["lessons"] if one["key"] == data["lesson"])
            record = await asyncio.to_thread(loaded.fetch, shown["steps"][data["step"] - 1]["run"])
            seconds = time.perf_counter() - began
            assert len(read_run(record).records)
            return seconds
    finally:
        loaded.close()


def alone_seconds(asked: Sequence[RunSettings]) -> float:
    """Seconds in which these runs are solved and recorded, one after another."""
    bundle = load_bundle("mnist", "cpu")
    parts = DictionaryParts(bundle.dictionary)  # computed once, as in the app
    with computing_on(threads_for(1)):
        record_run(bundle, asked[0], parts=parts)  # kernels are chosen, files are read
        began = time.perf_counter()
        for settings in asked:
            record_run(bundle, settings, parts=parts)
        return time.perf_counter() - began


def cpu_seconds(pid: int) -> float | None:
    """The processor time of a process so far; None where there is no /proc."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory(pid: int) -> float | None:
    """MB of memory that a process holds; None where there is no /proc."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return None
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def measure(parts: Sequence[str], asked: argparse.Namespace) -> dict[str, Figures]:
    """The figures of some parts, each on a server of its own that has computed once."""
    found: dict[str, Figures] = {}
    torch.set_num_threads(1)
    for part in parts:
        with tempfile.TemporaryDirectory() as folder, serving_app(Path(folder)) as server:
            run_clients(verdict_seconds(server.url, "index=0&run=1", asked.limit))
            found[part] = run_clients(PARTS[part](server, asked))
        print(table(part, found[part]), flush=True)
    return found


def table(part: str, figures: Figures) -> str:
    """The figures of a part for a terminal."""
    said = (PARTS[part].__doc__ or "").strip()
    wide = max(map(len, figures))
    lines = [f"{part}: {said}"]
    for name, value in figures.items():
        text = "unknown" if value is None else f"{value:.2f}" if isinstance(value, float) else value
        lines.append(f"  {name:{wide}}  {text:>8}")
    return "\n".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tests.browser.measure_load")
    parser.add_argument("--only", help=f"some of {','.join(PARTS)}, with commas between them")
    parser.add_argument("--runs", type=int, default=30, help="runs at once (default: 30)")
    parser.add_argument("--rounds", type=int, default=3, help="links opened (default: 3)")
    parser.add_argument(
        "--ahead", type=float, default=10, help="seconds that CIFAR-10 is ahead (default: 10)"
    )
    parser.add_argument("--visitors", type=int, default=100, help="of the lesson (default: 100)")
    parser.add_argument(
        "--within", type=float, default=60, help="seconds in which they arrive (default: 60)"
    )
    parser.add_argument("--visits", type=int, default=200, help="one by one (default: 200)")
    parser.add_argument("--minutes", type=float, default=20, help="of steady use (default: 20)")
    parser.add_argument("--together", type=int, default=5, help="steady visitors (default: 5)")
    parser.add_argument(
        "--limit", type=float, default=900, help="seconds of any wait, and of all visits"
    )
    parser.add_argument("--json", type=Path, help="a file for the figures")
    asked = parser.parse_args(words)
    parts = tuple(PARTS) if asked.only is None else tuple(asked.only.split(","))
    if unknown := [part for part in parts if part not in PARTS]:
        parser.error(f"no part {unknown[0]!r}: choose {', '.join(PARTS)}")
    if (
        min(asked.runs, asked.rounds, asked.visitors, asked.visits, asked.together) < 1
        or min(asked.limit, asked.minutes) <= 0
    ):
        parser.error("counts and seconds are above 0")
    found: dict[str, Any] = measure(parts, asked)
    if asked.json is not None:
        asked.json.write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Every kept result of the assets with its key: whether it is current, and keys made anew.

A result is current while its trained files, its code, its settings and its images are today's.
Where only code has changed and its answers were shown to be equal, `rekey` writes today's keys:
nothing is measured. Whatever else has changed has to be measured again.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

from red_core.algorithm.options import SolverOptions
from red_core.algorithm.presets import OWN, presets_of
from red_core.data.assets import AssetError, read_json, read_manifest
from red_core.data.datasets import DATASETS, DataMissing, ImageSet, load_official
from red_core.measure import assumption, speed, start_classes, theory_speed
from red_core.measure.accuracy import report_key
from red_core.measure.result_store import Key, images_digest, keep
from red_core.measure.strengths import (
    ABLATION,
    RESULTS,
    SPEED,
    ablation_rows,
    command_of,
    rows_of,
)
from red_core.measure.tables.measure_table import cell_key
from red_core.measure.tables.merge import cells
from red_core.measure.theory_keys import theory_key
from red_core.measure.unknown import unseen_attacks
from red_core.measure.unknown.measure_unknown import REPORTS, entry_key
from red_core.run.bundle import load_examples
from red_core.run.provenance import asset_checksums, commit

COMMAND = "python -m red_core rekey"
THEORY = "theory"
_OFFICIAL = " test"  # how the source of the official test sets ends


@dataclass(frozen=True)
class KeptResult:
    """One result with a key of its own, in a file of the assets.

    place: where in the file; entry: the part of the file's content that holds `key`; files: the
    trained files it names, with their SHA-256; key: today's, without images; count: how many
    images of `source` it was measured on, 0 for none; recorded: what it says of its settings
    beside the key and what they are today, pair by pair; command: measures it again.
    """

    dataset: str
    name: str
    place: str
    entry: dict[str, Any]
    files: dict[str, str | None]
    key: Key
    command: str
    count: int = 0
    source: str = ""
    recorded: tuple[tuple[Any, Any], ...] = ()

    @property
    def where(self) -> str:
        """The file and the place in it, in words."""
        return f"{self.dataset}/{self.name} {self.place}".rstrip()

    def images(self) -> str | None:
        """The content of its images, None where these are not on this machine."""
        if not self.count:
            return None
        examples = _examples(self.dataset, self.source)
        return None if examples is None else images_digest(examples, self.count)

    def differences(self) -> list[str]:
        """What is not as today: of "files", "code", "settings" and "images"; [] where current.

        Images that are not on this machine are not compared.
        """
        found = self._fixed()
        kept = self.entry.get("key") or {}
        found += [name for name in ("code", "settings") if kept.get(name) != self.key[name]]
        if self.count and (
            kept.get("images") is None or self.images() not in (None, kept["images"])
        ):
            found.append("images")
        return sorted(set(found))

    def obstacles(self) -> list[str]:
        """What forbids a new key: all but code that differs, where a key says so."""
        kept = self.entry.get("key")
        found = self._fixed()
        if kept is not None and kept["settings"] != self.key["settings"]:
            found.append("settings")
        images, before = self.images(), (kept or {}).get("images")
        if self.count and (images is None if before is None else images not in (None, before)):
            found.append("images")
        return sorted(set(found))

    def _fixed(self) -> list[str]:
        checksums = asset_checksums(self.dataset)
        found = []
        if any(checksums.get(name) != sha for name, sha in self.files.items()):
            found.append("files")
        if any(then != today for then, today in self.recorded):
            found.append("settings")
        return found


@cache
def _official(dataset: str) -> ImageSet | None:
    try:
        return load_official(dataset, "test")
    except DataMissing:
        return None


def _examples(dataset: str, source: str) -> ImageSet | None:
    return _official(dataset) if source.endswith(_OFFICIAL) else load_examples(dataset)


@dataclass(frozen=True)
class _KeptFile:
    """One file of the assets: its content, and the results in it (which share that content)."""

    dataset: str
    name: str
    content: dict[str, Any]
    results: tuple[KeptResult, ...]


def _kept_files() -> Iterator[_KeptFile]:
    for dataset, readers in (*((dataset, _READERS) for dataset in DATASETS), (THEORY, _THEORY)):
        for name in read_manifest(dataset):
            for belongs, read in readers:
                if belongs(name):
                    content = read_json(dataset, name)
                    yield _KeptFile(dataset, name, content, tuple(read(dataset, name, content)))


def kept_results() -> Iterator[KeptResult]:
    """Every kept result of the assets, file by file, as read from the disk."""
    for file in _kept_files():
        yield from file.results


def _rows(dataset: str, name: str, content: dict[str, Any]) -> Iterator[KeptResult]:
    all_rows = (ablation_rows if name == ABLATION else rows_of)(dataset)
    rows = {row.key: row for row in all_rows}
    for key, report in content.items():
        settings = rows[key].settings(
            dataset, report["n"], report["settings"]["batch"], report["settings"]["seed"]
        )
        attack = settings.attack_settings()
        yield KeptResult(
            *(dataset, name, key, report),
            {name: sha for name, sha in report["assets"].items() if name != "examples.safetensors"},
            report_key(settings, report["provenance"]["device"], None),
            f"{command_of(name)} --dataset {dataset} --examples {report['n']}",
            report["n"],
            report["source"],
            (
                (report["resolved"]["attack"], None if attack is None else vars(attack)),
                _options(report["resolved"]["solver"], settings.run.solver_options()),
            ),
        )


def _options(recorded: dict[str, Any], today: SolverOptions) -> tuple[Any, Any]:
    """Options as they were written and as they are; one that was added since had its default."""
    defaults, then, values = (
        json.loads(json.dumps(o)) for o in (asdict(SolverOptions()), recorded, asdict(today))
    )
    return {**defaults, **then}, values


def _attacks(dataset: str, name: str, content: dict[str, Any]) -> Iterator[KeptResult]:
    method = REPORTS[name]
    attacks = unseen_attacks(dataset, method)
    for key, entry in content["attacks"].items():
        device = entry["provenance"]["device"]
        yield KeptResult(
            *(dataset, name, key, entry, entry["files"]),
            entry_key(dataset, attacks[key], entry["n"], entry["seed"], device, method),
            f"{entry['command']} --keep",
            entry["n"],
            entry["source"],
            ((entry["settings"], attacks[key].settings),),
        )


def _cells(dataset: str, name: str, content: dict[str, Any]) -> Iterator[KeptResult]:
    for place, cell in cells(content):
        run = content["runs"][cell["run"]]
        device = run["provenance"]["device"]
        yield KeptResult(
            *(dataset, name, "/".join(place), cell, cell["files"]),
            cell_key(place, dataset, content["seed"], cell["n"], device),
            f"{run['command']} --keep",
            cell["n"],
            content["source"],
        )


def _assumption(dataset: str, name: str, content: dict[str, Any]) -> Iterator[KeptResult]:
    device = content["provenance"]["device"]
    yield KeptResult(
        *(dataset, name, "", content, content["files"]),
        assumption.report_key(dataset, content["seed"], device),
        f"{content['command']} --keep",
        content["n"],
        content["source"],
    )


def _starts(dataset: str, name: str, content: dict[str, Any]) -> Iterator[KeptResult]:
    device = content["provenance"]["device"]
    yield KeptResult(
        *(dataset, name, "", content, content["files"]),
        start_classes.report_key(
            *(dataset, content["attack"], content["seed"], device),
            content.get("generator", OWN),
        ),
        f"{content['command']} --keep",
        content["n"],
        content["source"],
        ((content["steps"], start_classes.steps_of(dataset)),),
    )


def _speed(dataset: str, name: str, content: dict[str, Any]) -> Iterator[KeptResult]:
    command = f"python -m red_core benchmark --dataset {dataset} --keep"
    if "details" in content:
        made = content["details"]
        options, today = presets_of(dataset)[made["preset"]], speed.timed_options(dataset)
        yield KeptResult(
            *(dataset, name, "solver", content, content.get("files", {})),
            speed.benchmark_key(
                *(made["preset"], options, made["batch"], made["turns"]),
                content["provenance"]["device"],
            ),
            command,
            made["batch"],
            "bundled",
            (
                _options(made["options"], options),
                *(
                    _options(made.get("timed", today)[preset], presets_of(dataset)[preset])
                    for preset in today
                ),
            ),
        )
    if "theory" in content:
        theory = content["theory"]
        yield KeptResult(
            *(dataset, name, "theory", theory, {}), theory_speed.theory_speed_key(), command
        )


def _theory(dataset: str, name: str, content: dict[str, Any]) -> Iterator[KeptResult]:
    command = content["command"]
    key = theory_key(name.removesuffix(".json"), command)
    yield KeptResult(dataset, name, "", content, {}, key, f"{command} --keep")


Reader = Callable[[str, str, dict[str, Any]], Iterator[KeptResult]]
_READERS: tuple[tuple[Callable[[str], bool], Reader], ...] = (
    (lambda name: name in (RESULTS, ABLATION), _rows),
    (lambda name: name in REPORTS, _attacks),
    (lambda name: name.startswith("answers") and name.endswith(".json"), _cells),
    (lambda name: name == assumption.ASSUMPTION, _assumption),
    (lambda name: name == start_classes.STARTS, _starts),
    (lambda name: name == SPEED, _speed),
)
_THEORY: tuple[tuple[Callable[[str], bool], Reader], ...] = (
    (lambda name: name.endswith(".json"), _theory),
)


def rekey() -> list[str]:
    """Write today's keys into every kept result; returns the files that changed.

    To be run where the code has changed and its answers were shown to be the same. The manifest's
    entry gets `rekeyed`: the command, and the commit(s) whose code the file was of before and is
    of now. Files without a change are left alone. Raises AssetError, and writes nothing, where a
    result cannot get a new key because something else than code differs, or where the working
    tree differs from its commit.
    """
    files = list(_kept_files())
    refused = [
        f"{result.where} (other {', '.join(obstacles)}: `{result.command}`)"
        for file in files
        for result in file.results
        if (obstacles := result.obstacles())
    ]
    if refused:
        raise AssetError(
            "some results have to be measured again, or need the official test set in RED_DATA: "
            + "; ".join(refused)
        )
    now = commit()
    if now is not None and now.endswith("+"):
        raise AssetError("commit the code first: the keys name the commit that they are of")
    changed = []
    for file in files:
        if _write_keys(file.results):
            entry = read_manifest(file.dataset)[file.name]
            notes = {k: v for k, v in entry.items() if k not in _WRITTEN}
            notes["rekeyed"] = {"command": COMMAND, "before": _commits(file), "after": now}
            keep(file.dataset, file.name, file.content, entry["command"], **notes)
            changed.append(f"{file.dataset}/{file.name}")
    return changed


_WRITTEN = ("sha256", "bytes", "command", "licence", "rekeyed")


def _write_keys(results: Sequence[KeptResult]) -> bool:
    """Put today's keys into the entries; whether any differs from what was there."""
    changed = False
    for result in results:
        kept = result.entry.get("key") or {}
        key = {**result.key, "images": kept.get("images") or result.images()}
        if key != kept:
            result.entry["key"] = key
            result.entry.pop("code", None)  # a checksum of earlier versions
            changed = True
        if result.name == SPEED and result.place == "solver" and not result.files:
            result.entry["files"] = speed.benchmark_files(result.dataset)
    return changed


def _commits(file: _KeptFile) -> list[str]:
    """The commits whose code a file is of: of its last re-keying, or of what it says made it."""
    last = read_manifest(file.dataset)[file.name].get("rekeyed")
    if last is not None:
        return [last["after"]]
    found: dict[str, None] = {}

    def look(part: Any) -> None:
        if isinstance(part, dict):
            made = part.get("provenance")
            if isinstance(made, dict) and made.get("commit"):
                found[made["commit"]] = None
            for value in part.values():
                look(value)
        elif isinstance(part, list):
            for value in part:
                look(value)

    look(file.content)
    return list(found)

"""How a method answers every attack, chunk by chunk, so that a kill loses one at most."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor
from tqdm import tqdm

from red_core.algorithm.batch import run_to_end
from red_core.algorithm.presets import BEST_FILES, presets_of
from red_core.algorithm.verdict import UNKNOWN, judge
from red_core.attacks.pgd import ATTACKS, attack_norm
from red_core.data.assets import AssetError
from red_core.data.atomic import write_atomically
from red_core.measure.intervals import share
from red_core.measure.result_store import Key, images_digest, keep, read_kept, result_key, stored
from red_core.measure.unknown.registry import (
    ANSWERING,
    BEST,
    GROUPS,
    MEASURED,
    PSI_FILES,
    Unseen,
    unseen_attacks,
)
from red_core.methods.method import ANSWERS, Method, label
from red_core.run.bundle import Bundle
from red_core.run.code_digest import changed_values, code_digest, digest_of, tensor_digest
from red_core.run.experiment import begin_run
from red_core.run.provenance import asset_checksums, provenance
from red_core.run.settings import SettingsError, item_seed

REPORT = "unknown.json"  # of `best`
_ANSWERS = ("true", "psi", "signal", *ATTACKS)  # of every method; some answer more
_READ_BY = ("psi", "signal", "signal_psi", "signal_reader")
CHUNK = 20  # images crafted and answered together
REGISTRY = "red_core.measure.unknown.registry"  # the attacks; how they are answered is here


def report_name(method: str) -> str:
    """The file of the assets that holds a method's report."""
    return REPORT if method == BEST else f"unknown-{method}.json"


REPORTS = {report_name(method): method for methods in MEASURED.values() for method in methods}


def measure(
    bundle: Bundle,
    examples: int,
    seed: int,
    work: Path,
    only: Sequence[str] = (),
    method: str = BEST,
) -> dict[str, Any]:
    """The report on the bundle's first `examples`, of the attacks `only` (all where it is empty).

    method: key of the method that answers. {"dataset", "method", "titles": group -> words,
    "answers": names of the answers, "threshold": {"wrongly_flagged": share of known runs that may
    be called unknown, "held_out_runs": runs it rests on} or None where the evidence has none,
    "missing": attack -> why it was not measured, "attacks": {KEY: ENTRY}}, with ENTRY = {"title",
    "group", "family": the known answer that is right too or None, "words", "settings", "n", "seed",
    "seconds": from x' to the verdicts, "norms": {"linf", "l2", "l1": mean ||x' - x||}, "psi": share
    (statistics.share) of x' that ψ itself still reads right, "signal": share that the method reads
    right, "signal_psi", of `best` and BSD-DP: share of what they recover that ψ reads right,
    "signal_reader", of DiffPure: the same of our second classifier, and of methods that name the
    attack "unknown": share answered "unknown", "right": share answered "unknown" or the family (for
    the known attacks: the family alone), "answers": counts by answer, of `best` "nearest": counts
    by the likeliest known answer among those called unknown; "source", "command", "files":
    checksums, "provenance"}.
    work: folder of what is kept. Raises SettingsError for an unknown attack, a method that is not
    measured on the data set, or more images than there are.
    """
    methods = MEASURED.get(bundle.dataset, ())
    if not methods:
        raise SettingsError(f"attacks nobody trained for are measured on {' and '.join(MEASURED)}")
    if method not in methods:
        raise SettingsError(f"unknown method {method!r}: choose {', '.join(methods)}")
    attacks = unseen_attacks(bundle.dataset, method)
    if unheard := [key for key in only if key not in attacks]:
        raise SettingsError(f"unknown attack {unheard[0]!r}: choose {', '.join(attacks)}")
    if examples > len(bundle.examples):
        raise SettingsError(
            f"{examples} examples were asked for, and there are {len(bundle.examples)} "
            f"({bundle.examples.source})"
        )
    entries, missing = {}, {}
    for key, attack in attacks.items():
        if not only or key in only:
            try:
                entries[key] = _measure_attack(bundle, attack, examples, seed, work, method)
            except AssetError as error:
                missing[key] = str(error)
    return {
        "dataset": bundle.dataset,
        "method": method,
        "titles": GROUPS,
        "answers": list(ANSWERS),
        "threshold": _threshold(bundle) if method == BEST else None,
        "missing": missing,
        "attacks": entries,
    }


def _threshold(bundle: Bundle) -> dict[str, Any] | None:
    evidence = bundle.readers.evidence
    if evidence is None or not len(evidence.held_out):
        return None
    return {
        "wrongly_flagged": round(float(evidence.wrongly_flagged), 4),
        "held_out_runs": len(evidence.held_out),
    }


def _files(bundle: Bundle, names: Sequence[str]) -> dict[str, str]:
    """Checksums of the trained files an entry hangs on; AssetError where one was never made."""
    checksums = asset_checksums(bundle.dataset)
    for name in names:
        if name not in checksums and name not in BEST_FILES:
            raise AssetError(f"{name} is not made yet: `python -m red_core recipe`")
    return {name: checksums[name] for name in sorted({*names}) if name in checksums}


def _measure_attack(
    bundle: Bundle, attack: Unseen, examples: int, seed: int, work: Path, method: str
) -> dict[str, Any]:
    files = _files(bundle, (*PSI_FILES, *ANSWERING[method].files, *attack.files))
    device = bundle.device.type
    crafted = {
        **{"key": attack.key, "settings": attack.settings, "seed": seed, "device": device},
        "files": {name: files[name] for name in attack.files if name in files},
        "code": code_digest(REGISTRY),
    }
    key = entry_key(bundle.dataset, attack, examples, seed, device, method)
    answered = {
        **{"crafted": crafted, "method": method},
        **{"files": files, "code": key["code"], "options": _options(bundle.dataset, method)},
    }
    answering = None if method == BEST else ANSWERING[method].fit(bundle)
    images_in, answers_in = (work / "unknown" / digest_of(values) for values in (crafted, answered))
    chunks = [range(s, min(s + CHUNK, examples)) for s in range(0, examples, CHUNK)]
    kept = []
    for items in tqdm(chunks, desc=attack.title, unit="chunk"):
        part = slice(items.start, items.stop)
        content = tensor_digest(bundle.examples.images[part], bundle.examples.labels[part])
        name = f"{items.start:05d}-{items.stop:05d}-{content}"
        path = answers_in / f"{name}.json"
        answers = read_kept(path, len(items), _ANSWERS)
        if answers is None:
            attacked = _attacked(bundle, attack, items, seed, images_in / f"{name}.safetensors")
            answers = _answers(bundle, attacked, items, seed, answering)
            write_atomically(path, json.dumps(answers).encode())
        kept.append(answers)
    whole = {
        name: [value for chunk in kept for value in chunk[name]]
        for name in kept[0]
        if name != "seconds"
    }
    return {
        **{"title": attack.title, "group": attack.group, "family": attack.family},
        **{"words": attack.words, "settings": attack.settings},
        **{"n": examples, "source": bundle.examples.source, "seed": seed},
        "seconds": round(sum(chunk["seconds"] for chunk in kept), 2),
        **summarise(whole, attack),
        "command": as_command(bundle.dataset, attack.key, examples, seed, method),
        "files": files,
        "key": {**key, "images": images_digest(bundle.examples, examples)},
        "provenance": provenance(bundle.device),
    }


def entry_key(
    dataset: str, attack: Unseen, examples: int, seed: int, device: str, method: str = BEST
) -> Key:
    """The key of an attack's entry, but for the content of its images (None here)."""
    values = {
        **{"attack": attack.key, "settings": attack.settings},
        "options": _options(dataset, method),
        **({} if method == BEST else {"method": method}),
        "seeds": [item_seed(seed, index) for index in range(examples)],
        "device": device,
    }
    return result_key([code_digest(__name__)], values, None)


def _options(dataset: str, method: str) -> dict[str, Any]:
    preset = ANSWERING[method].preset
    assert preset is not None  # of a method that recovers something
    return changed_values(presets_of(dataset)[preset])


def _attacked(bundle: Bundle, attack: Unseen, items: range, seed: int, path: Path) -> Tensor:
    """x' of some images, crafted once."""
    try:
        return load(path.read_bytes())["attacked"].to(bundle.device)
    except (OSError, KeyError, SafetensorError):
        pass
    images = bundle.examples.images[items.start : items.stop].to(bundle.device)
    labels = bundle.examples.labels[items.start : items.stop].to(bundle.device)
    seeds = [item_seed(seed, index) for index in items]
    attacked = attack.make(bundle, images, labels, seeds)
    write_atomically(path, save({"attacked": attacked.cpu()}))
    return attacked


def _answers(
    bundle: Bundle, attacked: Tensor, items: range, seed: int, method: Method | None
) -> dict[str, Any]:
    """The answers to some x', image by image, and the norms of what was added.

    method: what answers; None for `best`, whose verdict holds more than a method's answers.
    """
    began = time.perf_counter()
    seeds = [item_seed(seed, index) for index in items]
    answers = (
        _of_best(bundle, attacked, seeds)
        if method is None
        else _of_method(method, bundle, attacked, seeds)
    )
    seconds = time.perf_counter() - began
    delta = attacked.cpu() - bundle.examples.images[items.start : items.stop]
    return {
        "seconds": seconds,
        "true": bundle.examples.labels[items.start : items.stop].tolist(),
        **answers,
        **{kind: attack_norm(delta, kind).tolist() for kind in ATTACKS},
    }


def _of_method(
    method: Method, bundle: Bundle, attacked: Tensor, seeds: Sequence[int]
) -> dict[str, Any]:
    answers = method.classify(attacked, seeds)
    assert answers.signal is not None
    found: dict[str, Any] = {
        "psi": label(bundle.psi, attacked).tolist(),
        "signal": answers.signal.tolist(),
    }
    for name, field in (("rules", "signal_psi"), ("reader", "signal_reader")):
        reading = answers.readings.get(name)
        if reading is not None and reading.signal is not None:
            found[field] = reading.signal.tolist()
    if answers.attack is not None:
        found["answer"] = [ANSWERS[i] for i in answers.attack.tolist()]
    return found


def _of_best(bundle: Bundle, attacked: Tensor, seeds: Sequence[int]) -> dict[str, Any]:
    options = presets_of(bundle.dataset)["best"]
    problem, state = begin_run(bundle, attacked, options, seeds)
    verdict = judge(problem, run_to_end(problem, state, options), bundle.readers)
    known = verdict.known_names
    return {
        "psi": verdict.adversarial_label.tolist(),
        "signal": verdict.signal_label.tolist(),
        "signal_psi": verdict.psi_label.tolist(),
        "answer": [verdict.attack_names[i] for i in verdict.attack_label.tolist()],
        "nearest": [known[i] for i in verdict.attack_probabilities.argmax(1).tolist()],
    }


def summarise(answers: dict[str, list[Any]], attack: Unseen) -> dict[str, Any]:
    """The shares and counts of an entry, from the answers image by image."""
    n = len(answers["true"])

    def reads(who: str) -> dict[str, float]:
        return share(sum(a == t for a, t in zip(answers[who], answers["true"], strict=True)), n)

    found: dict[str, Any] = {
        "norms": {kind: round(sum(answers[kind]) / n, 4) for kind in ATTACKS},
        **{name: reads(name) for name in _READ_BY if name in answers},
    }
    if "answer" in answers:
        named = answers["answer"]
        fine = {attack.family} if attack.group == "known" else {attack.family, UNKNOWN}
        found["unknown"] = share(named.count(UNKNOWN), n)
        found["right"] = share(sum(word in fine for word in named), n)
        found["answers"] = _counts(named)
    if "nearest" in answers:
        pairs = zip(answers["nearest"], answers["answer"], strict=True)
        found["nearest"] = _counts([near for near, word in pairs if word == UNKNOWN])
    return found


def _counts(words: list[str]) -> dict[str, int]:
    """How often each answer came, in the order of ANSWERS, those that came at all."""
    found = Counter(words)
    return {name: found[name] for name in ANSWERS if found[name]}


def as_command(dataset: str, attack: str, examples: int, seed: int, method: str = BEST) -> str:
    """The command that repeats one entry."""
    return (
        f"python -m red_core unknown --dataset {dataset}{_named(method)} --attacks {attack} "
        f"--examples {examples} --seed {seed}"
    )


def _named(method: str) -> str:
    return "" if method == BEST else f" --method {method}"


def load_report(dataset: str, method: str = BEST) -> dict[str, Any] | None:
    """The kept report, as `measure` makes it; None where nothing was measured yet.

    Raises AssetError where the file is damaged.
    """
    return stored(dataset, report_name(method)) or None


def merged(kept: dict[str, Any] | None, report: dict[str, Any]) -> dict[str, Any]:
    """A report with the kept one's other entries, but for those of other files or images."""
    if kept is None:
        return report
    checksums = asset_checksums(report["dataset"])
    images = {entry["n"]: entry["key"]["images"] for entry in report["attacks"].values()}
    current = {
        key: entry
        for key, entry in kept["attacks"].items()
        if all(checksums.get(name) == sha for name, sha in entry["files"].items())
        and images.get(entry["n"]) in (None, entry.get("key", {}).get("images"))
    }
    entries = {**current, **report["attacks"]}
    attacks = unseen_attacks(report["dataset"], report["method"])
    order = [key for key in attacks if key in entries]
    missing = {
        key: why
        for key, why in {**kept["missing"], **report["missing"]}.items()
        if key not in entries
    }
    return {**report, "missing": missing, "attacks": {key: entries[key] for key in order}}


def keep_report(report: dict[str, Any]) -> None:
    """Merge a report into the assets' file of its method, attack by attack."""
    dataset, method = report["dataset"], report["method"]
    command = f"python -m red_core unknown --dataset {dataset}{_named(method)} --keep"
    keep(dataset, report_name(method), merged(load_report(dataset, method), report), command)

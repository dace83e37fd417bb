"""The facts of a recorded run: the moments that lessons point at, and the words in their texts."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from red_core.data.assets import checked_bytes, read_json, read_manifest
from red_core.data.datasets import a as with_article
from red_core.recording.record_file import PHASES, RecordedRun, read_run
from red_core.run.settings import RunSettings

_NAMES = {"linf": "ℓ∞", "l2": "ℓ2", "l1": "ℓ1", "none": "none", "unknown": "none of the known"}


@dataclass(frozen=True)
class Facts:
    """Of one recorded run.

    moments: name -> the record's number; words: name -> what a text has in its place; settings: the
    main page's query.
    """

    moments: Mapping[str, int]
    words: Mapping[str, str]
    settings: Mapping[str, str]

    def __getattr__(self, name: str) -> str:
        """A word, so that texts can say {here.read}."""
        try:
            return self.words[name]
        except KeyError:
            raise AttributeError(name) from None


def facts_of(dataset: str, name: str) -> Facts:
    """The facts of a recorded run of the assets, read once; AssetError where it is missing."""
    entry = read_manifest(dataset).get(name, {})
    return _facts(dataset, name, entry.get("sha256", ""))


@lru_cache(maxsize=32)
def _facts(dataset: str, name: str, digest: str) -> Facts:
    run = read_run(checked_bytes(dataset, name))
    return Facts(moments_of(run), _words(run, dataset), dict(run.header["settings"]))


def moments_of(run: RecordedRun) -> dict[str, int]:
    """The moments of a run of all three phases.

    clean, attacked: of the attack, first and last; misread: the first at which psi reads another
    class for good; start, start-end, code, end: first and last of the start and of the rest;
    turn: the first from which psi reads the true class to the end.
    """
    phase, reads = run.records["phase"], run.records["psi"].argmax(1)
    first = {name: int(np.argmax(phase == place)) for place, name in enumerate(PHASES)}
    label, last = run.header["label"], len(phase) - 1
    attacked = first["start"] - 1
    return {
        "clean": 0,
        "misread": _since(reads[: attacked + 1] != label),
        "attacked": attacked,
        "start": first["start"],
        "start-end": first["joint"] - 1,
        "code": first["joint"],
        "turn": _since(reads == label),
        "end": last,
    }


def _since(true: np.ndarray[Any, Any]) -> int:
    """The first place from which all are true to the end; the last place where the end is not."""
    wrong = np.flatnonzero(~true)
    return min(int(wrong[-1]) + 1 if len(wrong) else 0, len(true) - 1)


def _words(run: RecordedRun, dataset: str) -> dict[str, str]:
    header, records = run.header, run.records
    events = {event["event"]: event for event in run.events}
    verdict, attacked = events["verdict"], events["attacked"]
    names, label = header["classes"], header["label"]
    last, moments = records[-1], moments_of(run)
    shapes = read_manifest(dataset)["dictionary.safetensors"]["shapes"]["deltas"]
    options = RunSettings.from_query(header["settings"]).solver_options()
    used = int((last["energy"] > 0).sum())
    least = events.get("theory", {}).get("least_mu")
    words = {
        "label": names[label],
        "read": names[verdict["adversarial"]],
        "signal": names[verdict["signal"]],
        "psi": names[verdict["psi"]],
        "began": names[int(records["psi"][moments["start"]].argmax())],
        "attack": _NAMES[header["attack"]],
        "named": _NAMES[verdict["attack"]],
        "block": _NAMES[verdict["block"]],
        "eps": f"{header['eps']:g}",
        "attack_steps": str(header["attack_steps"]),
        "start_steps": str(header["start_steps"]),
        "steps": str(header["total"]),
        "largest": f"{attacked['largest']:.2f}",
        **{f"norm_{kind}": f"{value:.1f}" for kind, value in attacked["norms"].items()},
        "signal_sure": _percent(max(verdict["signal_probabilities"])),
        "attack_sure": _percent(max(verdict["attack_probabilities"])),
        "margin": f"{100 * verdict['block_margin']:.1f}%",
        "used": str(used),
        "blocks": str(last["energy"].size),
        "columns": f"{int(np.prod(shapes[1:4])):,}",
        "each": str(shapes[3]),
        "least_mu": "unknown" if least is None else f"{least:.2g}",
        "share": f"{options.lambda_fraction:g}",
        "turn_step": str(int(records["k"][moments["turn"]])),
    }
    clean = np.frombuffer(base64.b64decode(header["clean"]), np.uint8).astype(int)
    change = abs(records["image"][moments["attacked"]].astype(int).ravel() - clean)
    words["unchanged"] = _percent(float((change == 0).mean()))
    limit = 255 * header["eps"] - 1  # pixels are kept as bytes
    words["at_limit"] = _percent(float((change[change > 0] >= limit).mean()))
    articles = ("label", "read", "signal", "psi", "began")
    return {**words, **{f"a_{name}": with_article(words[name]) for name in articles}}


def measured(dataset: str) -> dict[str, str]:
    """Of digits recovered, as the page Tables has it: known l-inf attacks, those on the encoder."""
    name = "unknown.json"
    attacks = read_json(dataset, name)["attacks"] if name in read_manifest(dataset) else {}
    wanted = {"known": "linf", "encoder": "encoder-linf"}
    return {
        word: f"{100 * attacks[key]['signal']['value']:.0f}%" if key in attacks else "unmeasured"
        for word, key in wanted.items()
    }


def _percent(share: float) -> str:
    """Whole per cent, never rounded up to certainty."""
    return "more than 99%" if share > 0.99 else f"{100 * share:.0f}%"

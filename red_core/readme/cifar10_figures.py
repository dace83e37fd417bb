"""The figures of CIFAR-10's models in docs/results.md, from `manifest.json` and `starts.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from red_core.attacks.pgd import ATTACKS
from red_core.measure.tradeoff import READERS, Tradeoff, tradeoff_of
from red_core.readme.render import percent
from red_core.readme.start_figures import sentence

BLOCK = "cifar10-models"  # the markers of its document
_FILES = (
    *("classifier", "generator", "diffusion", "dictionary"),
    *("reader", "type-classifier", "evidence"),
)
_COLUMNS = {"clean": "no attack", "linf": "l-inf", "l2": "l2", "l1": "l1"}


def render(
    manifest: Mapping[str, Any],
    starts: Mapping[str, Any] | None = None,
) -> str:
    """The Markdown between the markers, of the files that the recipe made; "" for none.

    starts: the report of `starts`. What was not measured is left out.
    """
    entries = {name: manifest.get(f"{name}.safetensors", {}) for name in _FILES}
    entries = {name: entry for name, entry in entries.items() if "scale" in entry}
    if not entries:
        return ""
    measured = {name: entry.get("measured", {}) for name, entry in entries.items()}
    parts = [_files(entries)]
    if found := measured.get("generator", {}).get("inversion"):
        parts.append(_inversion(found))
    if found := measured.get("generator", {}).get("fidelity"):
        parts.append(_fidelity(found))
    if (tradeoff := tradeoff_of(manifest)) is not None:
        parts.append(_purification(tradeoff))
    if starts:
        parts.append(sentence(starts))
    return "\n\n".join(parts)


def _files(entries: Mapping[str, Any]) -> str:
    lines = ["| file | scale, device, hours | size | measured |", "|---|---|---:|---|"]
    for name, entry in entries.items():
        if name == "dictionary":
            columns = 10 * len(ATTACKS) * entry["measured"]["images_per_class"]
            size = f"{columns:,} columns"
        elif name == "evidence":
            size = f"{entry['runs']:,} runs"
        else:
            size = f"{entry['parameters'] / 1e6:.1f} M weights"
        made = f"{entry['scale']}, {entry['device']}, {entry['hours']:.1f}"
        lines.append(f"| {name} | {made} | {size} | {_words(name, entry.get('measured', {}))} |")
    return "\n".join(lines)


def _words(name: str, measured: Mapping[str, Any]) -> str:
    """What one file is judged by, in a few words."""
    if name == "classifier":
        accuracy = f"{100 * measured['test_accuracy']:.1f}%"
        return f"{accuracy} of {measured['test_images']:,} test images read right"
    if name == "dictionary":
        rates = (f"{100 * measured['success_rate'][kind]:.0f}" for kind in ATTACKS)
        return f"percent of its attacks that fool ψ: {' / '.join(rates)} (l-inf / l2 / l1)"
    if name == "diffusion":
        errors = measured["denoising_error"]
        words = ", ".join(f"{e:.3f} at {sigma}" for sigma, e in errors.items())
        return f"root mean square error on held-out images by sigma, in [-1, 1]: {words}"
    if name == "reader":
        of = ("reader_on_runs", "reader_on_purified", "reader_on_attacked", "all_three_on_runs")
        own, purified, attacked, weighed = (_by_attack(measured[key]) for key in of)
        psi = _by_attack(measured["psi_on_runs"])
        weights = " / ".join(f"{weight:.2f}" for weight in measured["weights"].values())
        return (
            f"of {_held_out(measured)} runs of `best` it reads right, from G(w): {own} (ψ: {psi}); "
            f"from D(x'): {purified}; from x': {attacked}; weighed as fitted on these runs "
            f"({weights}): {weighed}"
        )
    if name == "type-classifier":
        return f"{_by_attack(measured)} of {_held_out(measured)} images named right"
    if name == "evidence":
        own, blocks = (_by_attack(measured[key]) for key in ("evidence", "blocks"))
        return f"{own} of {_held_out(measured)} runs named right (blocks alone: {blocks})"
    found = measured.get("inversion")
    if not found:
        return ""
    right, images = percent(found["psi_accuracy_on_inverted"]), found["test_images"]
    return f"{right}% of {images} test images, inverted in {found['steps']} steps, read right"


def _by_attack(shares: Mapping[str, Any]) -> str:
    """Percent by attack, and clean: "98 / 95 / 97, clean 96"."""
    words = " / ".join(f"{100 * shares[kind]['value']:.0f}" for kind in ATTACKS)
    return f"{words}, clean {100 * shares['none']['value']:.0f}%"


def _held_out(measured: Mapping[str, Any]) -> str:
    return f"{measured['held_out_images']:,} held-out"


def _inversion(found: Mapping[str, Any]) -> str:
    clean = percent(found["psi_accuracy_on_clean"])
    lines = [
        "| steps of Adam in W+ | ψ reads G(w^) right, % | mean l2 distance | s an image |",
        "|---:|---:|---:|---:|",
    ]
    for steps, row in found["by_steps"].items():
        right = percent(row["psi_accuracy_on_inverted"])
        distance = f"{row['mean_l2_distance']:.2f}"
        lines.append(f"| {steps} | {right} | {distance} | {row['seconds_an_image']:.2f} |")
    return "\n".join(lines) + (
        f"\n\nThe first {found['test_images']:,} test images, of which ψ reads {clean}% right as "
        "they are, inverted by plain optimisation from the mean w of all classes; in brackets "
        "Wilson's 95% interval; seconds are of the median batch, on a machine that did other work "
        f"beside the longest runs. By `{found['command']}`."
    )


def _fidelity(found: Mapping[str, Any]) -> str:
    return (
        f"Of {found['images']:,} images that G draws, ψ reads "
        f"{percent(found['psi_reads_the_class_asked_for'])}% as the class asked for; their Frechet "
        f"distance to the test images in ψ's features is {found['frechet_psi']:.2f} (training "
        f"images: {found['frechet_psi_of_training_images']:.2f}). "
        "`assets/cifar10/samples.png` shows some of every class. "
        f"By `{found['command']}`."
    )


def _purification(tradeoff: Tradeoff) -> str:
    """What was chosen on held-out images, its figures on test images, and the curve itself."""
    found = tradeoff.found
    lines = [
        f"| read right, % | {' | '.join(_COLUMNS.values())} |",
        "|---|" + "---:|" * len(_COLUMNS),
    ]
    for reader, name in READERS.items():
        row, test = tradeoff.chosen[reader], found["choices"][reader]["test"]
        for words, key in (("x'", "read"), (f"D(x'), {row.words}", "read_purified")):
            shares = (percent(test[one][key][reader]) for one in _COLUMNS)
            lines.append(f"| {words}, by {name} | {' | '.join(shares)} |")
    test = found["choices"]["psi"]["test"]
    counts = sorted({test[kind]["images"] for kind in ATTACKS})
    head = "\n".join(lines) + (
        f"\n\nDiffPure on the first {test['clean']['images']:,} test images, "
        f"{' or '.join(f'{count:,}' for count in counts)} for each attack. Strength, way and draws "
        f"were chosen on {found['chosen_on']}, for each classifier by {found['rule']}. "
        f"By `{found['command']}`."
    )
    return "\n\n".join([head, *(_curve(tradeoff, reader) for reader in READERS)])


def _curve(tradeoff: Tradeoff, reader: str) -> str:
    """The trade-off at the chosen number of draws, way by way; the chosen row in bold."""
    chosen = tradeoff.chosen[reader]
    heads = ("sigma, way", *_COLUMNS.values(), "mean", "mean l2 distance of D(x') and x'")
    lines = [f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1)]
    ways = tradeoff.beside(reader)
    rows = [tradeoff.plain, *(row for own in ways.values() for row in own if row.sigma)]
    for row in rows:
        name = f"{row.sigma:g}, {row.way}" if row.sigma else "no noise"
        shares = [*(row.shares(reader)[one] for one in _COLUMNS), row.mean(reader)]
        cells = [name, *(f"{100 * share:.1f}" for share in shares), f"{row.moved:.2f}"]
        cells = [f"**{cell}**" for cell in cells] if row == chosen else cells
        lines.append(f"| {' | '.join(cells)} |")
    return (
        f"B.8's trade-off on held-out images, {chosen.combination.words}, percent read right by "
        f"{READERS[reader]}:\n\n" + "\n".join(lines)
    )

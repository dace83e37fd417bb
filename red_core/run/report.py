"""One run as plain values: the JSON of the command line and of the app's export, and its arrays."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from red_core.algorithm.observe import Iterate
from red_core.algorithm.verdict import NO_ATTACK, Verdict, silent
from red_core.data.own_datasets import own_dataset
from red_core.json_number import number
from red_core.run.bundle import Bundle
from red_core.run.experiment import AttackedBatch
from red_core.run.provenance import provenance
from red_core.run.settings import RunSettings

_DIGITS = 6


def of_project(dataset: str) -> dict[str, str]:
    """Under "project" the line that names an opened project; nothing for a built-in data set."""
    own = own_dataset(dataset)
    return {} if own is None else {"project": own.label}


def run_report(
    bundle: Bundle,
    settings: RunSettings,
    example: AttackedBatch,
    verdict: Verdict,
    iterate: Iterate,
    seconds: float,
    source: str,
    image: str | None = None,
) -> dict[str, Any]:
    """What one run (a batch of one) found, in values that JSON can hold.

    true_label: class index or None where it is not known; adversarial_label: psi on x';
    signal_label: the preset's classifier on G(z); psi_signal_label, block_attack_label: the
    paper's own rules; attack_label: linf, l2, l1, none or unknown; residuals: per class
    [linf, l2, l1], ||x' - G(z) - D_a[i][j] c_a[i][j]||; margins: of the signal, the attack and
    the block residuals; unknown: how unlike every known answer the evidence is, and how often a
    known run is as unlike; gap: of the c_a problem, and relative to the objective; seconds: from
    x' to the verdict; source: of the image; settings: as given, and as the preset and the paper
    fill them in. image: the file of an own image, for the command that repeats the run.
    """
    attack = settings.attack_settings()
    labels = example.labels
    return {
        "true_label": None if labels is None else int(labels[0]),
        **item_answers(verdict, iterate, 0),
        "steps": iterate.k,
        "seconds": round(seconds, 3),
        "source": source,
        "settings": settings.as_dict(),
        "resolved": {
            "attack": None if attack is None else dict(vars(attack)),
            "solver": dict(vars(settings.solver_options())),
        },
        "command": settings.as_command(image),
        **of_project(settings.dataset),
        "provenance": provenance(bundle.device),
    }


def item_answers(verdict: Verdict, iterate: Iterate, item: int) -> dict[str, Any]:
    """The answers on one item of a batch and what they rest on, as `run_report` describes them."""
    names, no_block = verdict.attack_names, bool(silent(iterate)[item])
    block = names[int(verdict.block_label[item])]
    return {
        "adversarial_label": int(verdict.adversarial_label[item]),
        "signal_label": int(verdict.signal_label[item]),
        "attack_label": names[int(verdict.attack_label[item])],
        "psi_signal_label": int(verdict.psi_label[item]),
        "block_attack_label": NO_ATTACK if no_block else block,
        "residuals": _rounded(verdict.block_residuals[item]),
        "margins": {
            "signal": number(verdict.signal_margin[item], _DIGITS),
            "attack": number(verdict.attack_margin[item], _DIGITS),
            "block": number(verdict.block_margin[item], _DIGITS),
        },
        "probabilities": {
            "signal": _rounded(verdict.signal_probabilities[item]),
            "sources": {
                name: _rounded(alone)
                for name, alone in zip(
                    verdict.source_names, verdict.source_probabilities[item], strict=True
                )
            },
            "psi_signal": _rounded(verdict.psi_probabilities[item]),
            "adversarial": _rounded(verdict.adversarial_probabilities[item]),
            "attack": dict(
                zip(verdict.known_names, _rounded(verdict.attack_probabilities[item]), strict=True)
            ),
        },
        "unknown": {
            "score": number(verdict.unknown_score[item], _DIGITS),
            "p_value": number(verdict.unknown_p[item], _DIGITS),
        },
        "gap": number(iterate.gap[item], _DIGITS),
        "relative_gap": number(iterate.gap[item] / iterate.loss[item].clamp_min(1e-12), _DIGITS),
        "objective": number(iterate.loss[item], _DIGITS),
        "lambda": number(iterate.lam[item], _DIGITS),
    }


def run_arrays(example: AttackedBatch, iterate: Iterate) -> dict[str, NDArray[np.float32]]:
    """The arrays of one run (a batch of one), for an NPZ file.

    image: x; attacked: x'; signal: G(z); perturbation: D_a c_a; residual: what neither explains,
    all [H, W], or [3, H, W] in colour; z [*latent]; c_a [k]; block_energy: ||c_a[i][j]||,
    [classes, attacks].
    """
    explained = example.attacked[0] - iterate.image[0] - iterate.residual[0]
    tensors = {
        "image": example.clean[0].squeeze(0),
        "attacked": example.attacked[0].squeeze(0),
        "signal": iterate.image[0].squeeze(0),
        "perturbation": explained.squeeze(0),
        "residual": iterate.residual[0].squeeze(0),
        "z": iterate.z[0],
        "c_a": iterate.c_a[0],
        "block_energy": iterate.block_energy[0],
    }
    return {name: tensor.detach().cpu().numpy() for name, tensor in tensors.items()}


def _rounded(values: Tensor) -> list[Any]:
    """Nested lists of finite numbers to six digits."""
    if values.ndim:
        return [_rounded(value) for value in values]
    return number(values, _DIGITS)  # type: ignore[return-value]

"""Records a run while it is computed: the items that a browser or a file gets, in their order.

An item is a record (bytes, see `record_file`) or an event (a JSON text with a key "event"). The
first item is the header. Items are only ever appended, so that whoever reads along knows by their
number what is missing.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from red_core.algorithm.algorithm1 import finished, step
from red_core.algorithm.observe import Iterate, observe
from red_core.algorithm.verdict import Verdict, judge, silent
from red_core.attacks.pgd import attack_norm
from red_core.data.datasets import SHAPES, TITLES
from red_core.recording.record_file import (
    PHASES,
    VERSION,
    RecordWriter,
    floats,
    image_text,
    record_type,
    stride_of,
    write_run,
)
from red_core.recording.slice_plane import SlicePlane, has_latent, look_ahead
from red_core.run.bundle import Bundle
from red_core.run.experiment import (
    AttackedBatch,
    begin_run,
    clean_example,
    craft_example,
    readers_for,
    start_seeds,
)
from red_core.run.settings import RunSettings
from red_core.theory import error_bound_mu, mu_to_last, proximal_pl, row_space

ATTACK_RECORDS = 40  # pictures of the attack while it is made, at most
SURFACES = 10  # of the landscape during a run: one for every tenth of the alternation
_DIGITS = 6


class RunRecorder:
    """The items of one run; `items` grows, nothing in it changes.

    bundle, settings, own: what is run, as for `craft_example`. Raises SettingsError as it does.
    """

    def __init__(self, bundle: Bundle, settings: RunSettings, own: Tensor | None = None) -> None:
        self._bundle, self._settings = bundle, settings
        options, attack = settings.solver_options(), settings.attack_settings()
        self._latent = has_latent(settings)
        self._shape = SHAPES[settings.dataset]
        classes, attacks = bundle.class_names, bundle.dictionary.attacks
        self._writer = RecordWriter(self._shape, len(classes), len(attacks))
        self._total = options.total
        self._stride = stride_of(options.total)
        self._begun = time.perf_counter()
        self._last = (-1, "")  # k and phase of the last iterate that came
        self._observed: Tensor | None = None
        clean, label = clean_example(bundle, settings, own)
        self._label = None if label is None else int(label[0])
        crafted = attack is not None and settings.source != "realizable"
        steps = attack.steps if attack is not None and crafted else 0
        self._attack_stride = max(1, math.ceil(steps / (ATTACK_RECORDS - 2)))
        self._attack_steps = steps
        planned = math.ceil(steps / self._attack_stride) + 1
        planned += math.ceil(self._total / self._stride) + 1
        self.header: dict[str, Any] = {
            "format": "red-run",
            "version": VERSION,
            "settings": settings.as_query(),
            "dataset": settings.dataset,
            "title": TITLES[settings.dataset],
            "preset": settings.preset,
            "source": settings.source,
            "shape": list(self._shape),
            "classes": list(classes),
            "attacks": list(attacks),
            "phases": list(PHASES),
            "record_bytes": record_type(self._shape, len(classes), len(attacks)).itemsize,
            "planned": planned,
            "attack_steps": steps,
            "start_steps": options.start_steps,
            "total": self._total,
            "latent": self._latent,
            "exact_mu": settings.source == "realizable" and self._latent,
            "label": self._label,
            "attack": None if settings.source == "own" and not crafted else settings.attack,
            "eps": None if attack is None or not crafted else attack.eps,
            "clean": image_text(clean[0]),
        }
        self.items: list[bytes | str] = [json.dumps({"event": "header", **self.header})]

    # --- the attack ----------------------------------------------------------------------

    def watch(self, done: int, images: Tensor, logits: Tensor) -> None:
        """Record a PGD step, every few of them; the arguments are those of `craft`'s watch."""
        if done % self._attack_stride == 0:
            self._attack(done, images[0], logits)

    def attacked(self, example: AttackedBatch) -> None:
        """Record x', the end of the attack."""
        with torch.no_grad():
            logits = self._bundle.psi(example.attacked.to(self._bundle.device))
        self._observed = example.attacked[0].detach().cpu()
        self._attack(self._attack_steps, self._observed, logits)
        delta = (example.attacked - example.clean).cpu()
        norms = {
            kind: round(float(attack_norm(delta, kind)[0]), 4) for kind in ("linf", "l2", "l1")
        }
        self._event("attacked", norms=norms, largest=round(float(delta.abs().max()), 6))

    def _attack(self, done: int, image: Tensor, logits: Tensor) -> None:
        label = logits.argmax(1) if self._label is None else torch.tensor([self._label])
        loss = nn.functional.cross_entropy(logits, label.to(logits.device))
        psi = logits[0].softmax(0)
        self.items.append(self._writer.attack(done, image, float(loss), psi, self._seconds()))

    # --- the run -------------------------------------------------------------------------

    def iterate(
        self,
        iterate: Iterate,
        mu: float,
        spot: tuple[float, float] | None,
        single: bool = False,
    ) -> None:
        """Record an iterate where its turn is: every one of a short run, and each phase's first.

        single: somebody asked for this one step, so it is recorded in any case.
        """
        due = single or iterate.k % self._stride == 0 or iterate.k >= self._total
        if due or iterate.phase != self._last[1]:
            self._write(iterate, mu, spot)

    def _write(self, iterate: Iterate, mu: float, spot: tuple[float, float] | None) -> None:
        assert self._observed is not None  # the attack comes before the run
        self._last = (iterate.k, iterate.phase)
        with torch.no_grad():
            psi = self._bundle.psi(iterate.image.to(self._bundle.device))[0].softmax(0)
        self.items.append(
            self._writer.iterate(iterate, self._observed, psi, mu, spot, self._seconds())
        )

    def surface(self, plane: SlicePlane, iterate: Iterate) -> None:
        """Add f over the run's plane with c_a held at an iterate, for the moments from here on."""
        surface = plane.surface(iterate)
        self._event(
            "surface",
            k=iterate.k,
            x=[float(surface.x[0]), float(surface.x[-1])],
            y=[float(surface.y[0]), float(surface.y[-1])],
            size=[len(surface.y), len(surface.x)],
            values=floats(surface.values),
            words=plane.plane.words,
        )

    def surface_is_due(self, k: int) -> bool:
        """Whether the landscape is to be drawn anew at step k."""
        joint = self._total - self._settings.solver_options().start_steps
        return k % max(1, joint // SURFACES) == 0

    # --- the end -------------------------------------------------------------------------

    def verdict(self, verdict: Verdict, last: Iterate, state: str) -> None:
        """Add the verdict; last: the iterate that it was made of; state: finished or stopped."""
        if (last.k, last.phase) != self._last:  # stopped between two records
            self._write(last, float(last.prox_residual[0]), None)
        readers = readers_for(self._bundle, self._settings.preset)
        block = "none" if bool(silent(last)[0]) else verdict.attack_names[int(verdict.block_label)]
        self._event(
            "verdict",
            state=state,
            k=last.k,
            signal=int(verdict.signal_label[0]),
            signal_probabilities=_rounded(verdict.signal_probabilities[0]),
            signal_margin=_rounded(verdict.signal_margin[0]),
            psi=int(verdict.psi_label[0]),
            psi_probabilities=_rounded(verdict.psi_probabilities[0]),
            adversarial=int(verdict.adversarial_label[0]),
            adversarial_probabilities=_rounded(verdict.adversarial_probabilities[0]),
            attack=verdict.attack_names[int(verdict.attack_label[0])],
            attack_names=list(verdict.known_names),
            attack_probabilities=_rounded(verdict.attack_probabilities[0]),
            attack_margin=_rounded(verdict.attack_margin[0]),
            block=block,
            block_margin=_rounded(verdict.block_margin[0]),
            block_residuals=_rounded(verdict.block_residuals[0]),
            unknown_p=_rounded(verdict.unknown_p[0]),
            has_reader=readers.reader is not None,
            has_evidence=readers.evidence is not None,
            seconds=round(self._seconds(), 3),
        )

    def theory(self, ks: Sequence[int], mu: Sequence[float], quotient: Sequence[float]) -> None:
        """Add mu and the proximal-PL quotient (eq. 11) of the iterates k (NaN: undefined)."""
        self._event(
            "theory",
            k=floats([float(k) for k in ks]),
            mu=floats(mu),
            exact=self.header["exact_mu"],
            least_mu=_least(mu),
            least_quotient=_least(quotient),
        )

    def file(self) -> bytes:
        """The compressed file of what there is."""
        records = [item for item in self.items if isinstance(item, bytes)]
        events = [json.loads(item) for item in self.items[1:] if isinstance(item, str)]
        return write_run(self.header, records, events)

    def _event(self, name: str, **values: Any) -> None:
        self.items.append(
            json.dumps(
                {
                    "event": name,
                    "at": sum(isinstance(item, bytes) for item in self.items),
                    **values,
                },
                allow_nan=False,
            )
        )

    def _seconds(self) -> float:
        return time.perf_counter() - self._begun


def record_run(bundle: Bundle, settings: RunSettings, own: Tensor | None = None) -> bytes:
    """Run `settings` to the end without a page, and return the compressed file of it."""
    recorder = RunRecorder(bundle, settings, own)
    example = craft_example(bundle, settings, own, watch=recorder.watch)
    recorder.attacked(example)
    options = settings.solver_options()
    problem, state = begin_run(bundle, example.attacked, options, start_seeds(settings))
    frames = [observe(problem, state, options)]
    recorder.iterate(frames[0], float(frames[0].prox_residual[0]), None)
    plane: SlicePlane | None = None
    basis = row_space(bundle.dictionary) if has_latent(settings) else None
    while not finished(state, options):
        state = step(problem, state, options)
        last = observe(problem, state, options)
        frames.append(last)
        if has_latent(settings) and last.phase == "joint" and plane is None:
            plane = look_ahead(bundle, settings, problem, last)
            recorder.surface(plane, last)
        mu = float(last.prox_residual[0])
        if example.truth is not None and basis is not None:
            mu = float(
                error_bound_mu(last.gradient_norm, last.z, last.c_a, *example.truth, basis)[0]
            )
        recorder.iterate(last, mu, None if plane is None else plane.spot(last))
        if plane is not None and recorder.surface_is_due(last.k):
            recorder.surface(plane, last)
    last = frames[-1]
    if plane is not None:
        recorder.surface(plane, last)
    recorder.verdict(judge(problem, last, readers_for(bundle, settings.preset)), last, "finished")
    if basis is not None:
        mu_values = mu_to_last(frames, basis)[:, 0].tolist()
        quotient = proximal_pl(problem, frames)[:, 0].tolist()
        recorder.theory([frame.k for frame in frames], mu_values, quotient)
    return recorder.file()


def _rounded(values: Tensor) -> Any:
    """Nested lists of numbers to six digits; a value that is not finite becomes None."""
    if values.ndim:
        return [_rounded(value) for value in values]
    number = float(values)
    return round(number, _DIGITS) if math.isfinite(number) else None


def _least(values: Sequence[float]) -> float | None:
    finite = [value for value in values if math.isfinite(value)]
    return min(finite) if finite else None

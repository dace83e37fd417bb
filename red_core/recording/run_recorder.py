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
from copy import copy
from typing import Any

import torch
from torch import Tensor, nn

from red_core.algorithm.algorithm1 import finished, step
from red_core.algorithm.observe import Iterate, observe
from red_core.algorithm.problem import RedProblem
from red_core.algorithm.verdict import Verdict, judge, silent
from red_core.attacks.pgd import attack_norm, check_attacks
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
from red_core.run.settings import RunSettings, item_seed
from red_core.theory import BlockCertificate, certify, error_bound_mu, mu_to_last, proximal_pl
from red_core.theory.dictionary_parts import DictionaryParts

ATTACK_RECORDS = 40  # pictures of the attack while it is made, at most
SURFACES = 10  # of the landscape during a run: one for every tenth of the alternation
_DIGITS = 6


class RunRecorder:
    """The items of one run; `items` grows, nothing in it changes.

    bundle, settings, own: what is run, as for `craft_example`; plane: on which z is seen, once the
    alternation has begun, None without a latent space. Raises SettingsError as `craft_example`.
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
        self.plane: SlicePlane | None = None
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

    def emptied(self) -> RunRecorder:
        """A recorder of the same run that holds nothing but the header."""
        same = copy(self)
        same.items, same.plane, same._observed = self.items[:1], None, None
        return same

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
        self._event(
            "attacked",
            norms=norms,
            largest=round(float(delta.abs().max()), 6),
            still=self._still(example),
        )

    def _still(self, example: AttackedBatch) -> bool:
        """Whether the attack is its own random start: psi's logits have no gradient there."""
        attack = self._settings.attack_settings()
        if attack is None or not self._attack_steps:
            return False
        seeds = [item_seed(self._settings.seed, self._settings.index)]
        images = (example.clean.to(self._bundle.device), example.attacked.to(self._bundle.device))
        labels = torch.tensor([self._label or 0], device=self._bundle.device)
        check = check_attacks(self._bundle.psi, *images, labels, attack, seeds)
        return bool(check.still[0])

    def _attack(self, done: int, image: Tensor, logits: Tensor) -> None:
        label = logits.argmax(1) if self._label is None else torch.tensor([self._label])
        loss = nn.functional.cross_entropy(logits, label.to(logits.device))
        psi = logits[0].softmax(0)
        self.items.append(self._writer.attack(done, image, float(loss), psi, self._seconds()))

    # --- the run -------------------------------------------------------------------------

    def iterate(
        self, problem: RedProblem, iterate: Iterate, mu: float, single: bool = False
    ) -> None:
        """Record an iterate where its turn is: every one of a short run, and each phase's first.

        problem: one item; mu: see `live_mu`; single: somebody asked for this one step, so it is
        recorded in any case. The alternation's first iterate chooses the plane of the run.
        """
        record_iterates([self], problem, [iterate], [mu], [single])

    def _begins(self, iterate: Iterate) -> bool:
        """Whether it is the alternation's first."""
        return self._latent and iterate.phase == "joint" and self.plane is None

    def _due(self, iterate: Iterate) -> bool:
        regular = iterate.k % self._stride == 0 or iterate.k >= self._total
        return regular or iterate.phase != self._last[1]

    def _has_surface(self, iterate: Iterate) -> bool:
        joint = self._total - self.header["start_steps"]
        return iterate.k % max(1, joint // SURFACES) == 0

    def _write(self, iterate: Iterate, mu: float, psi: Tensor) -> None:
        assert self._observed is not None  # the attack comes before the run
        self._last = (iterate.k, iterate.phase)
        spot = None if self.plane is None else self.plane.spot(iterate)
        self.items.append(
            self._writer.iterate(iterate, self._observed, psi, mu, spot, self._seconds())
        )

    def _surface(self, iterate: Iterate) -> None:
        """Add f over the run's plane with c_a held at an iterate, for the moments from here on."""
        if self.plane is None:
            return
        surface = self.plane.surface(iterate)
        self._event(
            "surface",
            k=iterate.k,
            x=[float(surface.x[0]), float(surface.x[-1])],
            y=[float(surface.y[0]), float(surface.y[-1])],
            size=[len(surface.y), len(surface.x)],
            values=floats(surface.values),
            words=self.plane.plane.words,
        )

    # --- the end -------------------------------------------------------------------------

    def verdict(self, verdict: Verdict, last: Iterate, state: str) -> None:
        """Add the verdict; last: the iterate that it was made of; state: finished or stopped."""
        if (last.k, last.phase) != self._last:  # stopped between two records
            self._write(last, float(last.prox_residual[0]), _psi(self._bundle, [last])[0])
        self._surface(last)
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
            rule_lambda=readers.rule_lambda,
            unknown_p=_rounded(verdict.unknown_p[0]),
            has_reader=readers.reader is not None,
            sources=[
                {"name": name, "probabilities": _rounded(alone)}
                for name, alone in zip(
                    verdict.source_names, verdict.source_probabilities[0], strict=True
                )
            ],
            has_evidence=readers.evidence is not None,
            seconds=round(self._seconds(), 3),
        )

    def certificate(self, found: BlockCertificate | None) -> None:
        """Add what every minimiser in c_a says of BSD-GAN-AD's answer, at the last G(z)."""
        if found is None:
            return
        radius = float(found.radius.max())
        self._event(
            "certificate",
            attack=found.answer,
            certain=found.certain,
            residuals=_rounded(found.residuals.amin(0)),
            radius=radius if math.isfinite(radius) else None,
            zero=int(found.zero.sum()),
            blocks=found.zero.numel(),
            gap=found.gap,
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


def record_iterates(
    recorders: Sequence[RunRecorder],
    problem: RedProblem,
    iterates: Sequence[Iterate],
    mu: Sequence[float],
    single: Sequence[bool],
) -> None:
    """`RunRecorder.iterate` of runs that are computed together: G and psi are asked once for all.

    problem: one item a run; iterates: a batch of one each. The runs share their models and options.
    """
    begins = [
        place
        for place, (recorder, iterate) in enumerate(zip(recorders, iterates, strict=True))
        if recorder._begins(iterate)
    ]
    if begins:
        planes = look_ahead(
            recorders[0]._bundle,
            [recorders[place]._settings for place in begins],
            problem.take(torch.tensor(begins, device=problem.observed.device)),
            [iterates[place] for place in begins],
        )
        for place, plane in zip(begins, planes, strict=True):
            recorders[place].plane = plane
    due = [
        place
        for place, recorder in enumerate(recorders)
        if single[place] or recorder._due(iterates[place])
    ]
    if due:
        psi = _psi(recorders[0]._bundle, [iterates[place] for place in due])
        for place, read in zip(due, psi, strict=True):
            recorders[place]._write(iterates[place], mu[place], read)
    for place, recorder in enumerate(recorders):
        if place in begins or recorder._has_surface(iterates[place]):
            recorder._surface(iterates[place])


@torch.no_grad()
def _psi(bundle: Bundle, iterates: Sequence[Iterate]) -> Tensor:
    """psi's class probabilities of G(z), [R, classes]."""
    images = torch.cat([iterate.image for iterate in iterates]).to(bundle.device)
    read: Tensor = bundle.psi(images).softmax(1)
    return read


def live_mu(iterate: Iterate, truth: tuple[Tensor, Tensor] | None, basis: Tensor | None) -> float:
    """mu of an iterate (a batch of one), eq. 9: the error bound's quotient to a known (z*, c_a*).

    truth: (z*, c_a*), or None: then it is the norm of the proximal-gradient step; basis [k, rank]:
    of D_a's row space, in which the distance is measured, since outside of it c_a does not change
    x'.
    """
    if truth is None or basis is None:
        return float(iterate.prox_residual[0])
    found = error_bound_mu(iterate.gradient_norm, iterate.z, iterate.c_a, *truth, basis)
    return float(found[0])


def record_run(
    bundle: Bundle,
    settings: RunSettings,
    own: Tensor | None = None,
    parts: DictionaryParts | None = None,
) -> bytes:
    """Run `settings` to the end without a page, and return the compressed file of it.

    parts: what other runs with the bundle's D_a have computed of it already.
    """
    parts = DictionaryParts(bundle.dictionary) if parts is None else parts
    recorder = RunRecorder(bundle, settings, own)
    example = craft_example(bundle, settings, own, watch=recorder.watch)
    recorder.attacked(example)
    options = settings.solver_options()
    problem, state = begin_run(bundle, example.attacked, options, start_seeds(settings))
    basis = parts.basis if has_latent(settings) else None
    frames = [observe(problem, state, options)]
    mu = [live_mu(frames[0], example.truth, basis)]
    recorder.iterate(problem, frames[0], mu[0])
    while not finished(state, options):
        state = step(problem, state, options)
        frames.append(observe(problem, state, options))
        mu.append(live_mu(frames[-1], example.truth, basis))
        recorder.iterate(problem, frames[-1], mu[-1])
    verdict = judge(problem, frames[-1], readers_for(bundle, settings.preset))
    recorder.verdict(verdict, frames[-1], "finished")
    rule = readers_for(bundle, settings.preset).rule_lambda
    recorder.certificate(certify(problem, frames[-1], rule, parts.blocks))
    if basis is not None:
        if example.truth is None:
            mu = mu_to_last(frames, basis)[:, 0].tolist()
        quotient = proximal_pl(problem, frames)[:, 0].tolist()
        recorder.theory([frame.k for frame in frames], mu, quotient)
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

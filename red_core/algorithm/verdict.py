"""The verdict: which class the clean signal had, which attack made x', and how sure that is.

Two readings stand side by side. The paper's own rules (Section 5.2): BSD-GAN reads G(z) with the
attacked classifier psi; BSD-GAN-AD answers the attack of the block with the smallest residual
||x' - G(z) - D_a[i][j] c_a[i][j]||. The preset `best` reads G(z) with a classifier trained on
reconstructions, and weighs the block residuals together with the residual's own statistics; it
may also answer that none of the known attacks left such evidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from red_core.algorithm.observe import Iterate
from red_core.algorithm.problem import RedProblem
from red_core.models.evidence_model import EvidenceModel

NO_ATTACK = "none"
UNKNOWN = "unknown"  # none of the known attacks, and not a clean image either
LEAST = -8.0  # log-probability that the evidence hears of, at least


@dataclass(frozen=True)
class Readers:
    """Who reads the end of a run. reader and evidence None: the paper's rules alone.

    psi: the attacked classifier; reader: classifier of G(z); reader_temperature: divides its
    logits; evidence: reads `attack_evidence` features; types: a CNN that reads the attack off x'
    alone (logits over the attacks and none), whose answer is one of them.
    """

    psi: nn.Module
    reader: nn.Module | None = None
    reader_temperature: float = 1.0
    evidence: EvidenceModel | None = None
    types: nn.Module | None = None


@dataclass(frozen=True)
class Verdict:
    """The answers for a batch, with everything they rest on.

    signal_label [B], signal_probabilities [B, classes]: of the reader (psi where there is none);
    psi_label, psi_probabilities: psi on G(z), BSD-GAN's answer; adversarial_label,
    adversarial_probabilities: psi on x'; attack_label [B]: index into `attack_names`: the attacks,
    "none", and last "unknown"; attack_probabilities [B, attacks + 1]: over the known answers,
    `known_names`, whatever the label; block_label [B]: BSD-GAN-AD's answer, index into the
    attacks; block_residuals [B, classes, attacks]; signal_margin, attack_margin [B]: best minus
    second-best probability; block_margin [B]: how much larger the best residual of another attack
    is, relative to the smallest; unknown_score [B]: how unlike every known answer the evidence is
    (squared Mahalanobis distance, from 0); unknown_p [B]: the share of known runs at least so
    unlike, in (0, 1]: the answer is "unknown" where it is at most the evidence model's
    `wrongly_flagged`. Rules without an evidence model have score 0, p = 1, and never answer so.
    """

    signal_label: Tensor
    signal_probabilities: Tensor
    psi_label: Tensor
    psi_probabilities: Tensor
    adversarial_label: Tensor
    adversarial_probabilities: Tensor
    attack_names: tuple[str, ...]
    attack_label: Tensor
    attack_probabilities: Tensor
    block_label: Tensor
    block_residuals: Tensor
    signal_margin: Tensor
    attack_margin: Tensor
    block_margin: Tensor
    unknown_score: Tensor
    unknown_p: Tensor

    @property
    def known_names(self) -> tuple[str, ...]:
        """What `attack_probabilities` are over: the attacks and "none"."""
        return self.attack_names[:-1]


def block_residuals(problem: RedProblem, iterate: Iterate) -> Tensor:
    """||x' - G(z) - D_a[i][j] c_a[i][j]|| of every block, [B, classes, attacks]."""
    target = (problem.observed - iterate.image).flatten(1)
    parts = problem.dictionary.contributions(iterate.c_a)
    return torch.linalg.vector_norm(target[:, None, None] - parts, dim=-1)


@torch.no_grad()
def attack_evidence(
    problem: RedProblem, iterate: Iterate, psi: nn.Module, types: nn.Module | None = None
) -> Tensor:
    """Features of an iterate that tell the attack types apart, [B, F].

    Of r = x' - G(z): its size, shape statistics that do not depend on it (||r||_1/||r||_2 tells
    dense from sparse, ||r||_inf/||r||_2 flat from peaked), quantiles of |r|, and how much of x'
    is clipped; the block residuals, best of each attack, over ||r||, and the attacks' shares of
    the energy of c_a; whether psi, the attacked classifier, agrees with itself on x' and G(z),
    which tells no attack from a small one; and, where there is one, what the CNN `types` reads
    off x' itself.
    """
    difference = (problem.observed - iterate.image).flatten(1)
    size = difference.abs()
    l2 = torch.linalg.vector_norm(difference, dim=1).clamp_min(1e-9)
    quantiles = torch.quantile(size, torch.tensor([0.25, 0.5, 0.75, 0.9, 0.97]).to(size), dim=1).T
    blocks = block_residuals(problem, iterate).amin(1) / l2[:, None]
    energy = iterate.block_energy.sum(1)
    clipped = (problem.flat <= 0) | (problem.flat >= 1)
    return torch.cat(
        (
            l2.log()[:, None],
            (size.sum(1) / l2).clamp_min(1e-9).log()[:, None],
            (size.amax(1) / l2).clamp_min(1e-9).log()[:, None],
            (size.square().square().sum(1).sqrt().sqrt() / l2).clamp_min(1e-9).log()[:, None],
            (quantiles + 1e-4).log(),
            clipped.to(l2.dtype).mean(1, keepdim=True),
            blocks,
            energy / energy.sum(1, keepdim=True).clamp_min(1e-9),
            *_spikes_and_agreement(problem, iterate, psi),
            *(() if types is None else (read_off(problem.observed, types),)),
        ),
        dim=1,
    )


@torch.no_grad()
def read_off(observed: Tensor, types: nn.Module) -> Tensor:
    """The CNN's log-probabilities [B, attacks + 1], bounded, so that no single one decides."""
    return types(observed).log_softmax(1).clamp_min(LEAST)


def _spikes_and_agreement(
    problem: RedProblem, iterate: Iterate, psi: nn.Module
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Upper quantiles of |x' - G(z)| [B, 2], and psi's surety and agreement, [B, 1] each."""
    size = (problem.observed - iterate.image).flatten(1).abs()
    spikes = torch.quantile(size, torch.tensor([0.985, 0.995]).to(size), dim=1).T
    before, after = psi(problem.observed).softmax(1), psi(iterate.image).softmax(1)
    surety, answer = before.max(1, keepdim=True)
    overlap = torch.minimum(before, after).sum(1, keepdim=True)
    agreement = after.gather(1, answer).clamp_min(1e-6).log()
    return (spikes + 1e-4).log(), surety, overlap, agreement


def _margin(probabilities: Tensor) -> Tensor:
    best = probabilities.topk(2, dim=1).values
    return best[:, 0] - best[:, 1]


@torch.no_grad()
def judge(problem: RedProblem, iterate: Iterate, readers: Readers) -> Verdict:
    """The verdict on an iterate (usually the last)."""
    attacks = problem.dictionary.attacks
    psi = readers.psi(iterate.image).softmax(1)
    before = readers.psi(problem.observed).softmax(1)
    signal = psi
    if readers.reader is not None:
        signal = (readers.reader(iterate.image) / readers.reader_temperature).softmax(1)
    residuals = block_residuals(problem, iterate)
    by_attack = residuals.amin(1)
    block_label = by_attack.argmin(1)
    smallest = by_attack.sort(1).values
    names = (*attacks, NO_ATTACK, UNKNOWN)
    score, p_value = torch.zeros_like(smallest[:, 0]), torch.ones_like(smallest[:, 0])
    unknown = torch.zeros_like(block_label, dtype=torch.bool)
    if readers.evidence is not None:
        features = attack_evidence(problem, iterate, readers.psi, readers.types)
        attack = readers.evidence(features).softmax(1)
        score = readers.evidence.strangeness(features)
        p_value = readers.evidence.p_value(score)
        unknown = readers.evidence.is_unknown(p_value)
    else:
        attack = _block_probabilities(problem, iterate, by_attack)
    return Verdict(
        signal_label=signal.argmax(1),
        signal_probabilities=signal,
        psi_label=psi.argmax(1),
        psi_probabilities=psi,
        adversarial_label=before.argmax(1),
        adversarial_probabilities=before,
        attack_names=names,
        attack_label=torch.where(unknown, names.index(UNKNOWN), attack.argmax(1)),
        attack_probabilities=attack,
        block_label=block_label,
        block_residuals=residuals,
        signal_margin=_margin(signal),
        attack_margin=_margin(attack),
        block_margin=smallest[:, 1] / smallest[:, 0].clamp_min(1e-9) - 1,
        unknown_score=score,
        unknown_p=p_value,
    )


def _block_probabilities(problem: RedProblem, iterate: Iterate, by_attack: Tensor) -> Tensor:
    """The paper's rule as one-hot "probabilities"; no active block at all means no attack."""
    attack = torch.zeros(len(by_attack), by_attack.shape[1] + 1, device=by_attack.device)
    silent = iterate.block_energy.flatten(1).amax(1) == 0
    answer = torch.where(silent, by_attack.shape[1], by_attack.argmin(1))
    return attack.scatter(1, answer[:, None], 1.0)

"""The verdict: which class the clean signal had, which attack made x', and how sure that is.

Three functions answer. The paper's own rules (Section 5.2) are `bsd_gan`: the attacked classifier
psi on G(z), and `bsd_gan_ad`: the attack of the block with the smallest residual
||x' - G(z) - D_a[i][j] c_a[i][j]||. On `best`'s runs that rule is asked at B.2's lambda
(`codes_at`): a smaller one finds a better z, and spreads c_a over so many blocks that none of them
explains an l2 attack alone. `evidence` is that of the preset `best`: a model of the block
residuals and of the residual's own statistics, trained on attacked training images, which may also
answer that the attack is none of the known ones. Where `best` has a denoiser, its
second classifier reads G(z), the purified x' and x' itself, and the answer weighs the three.
`judge` puts all together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from red_core.algorithm.algorithm1 import begin
from red_core.algorithm.batch import run_to_end
from red_core.algorithm.diffusion_step import identity
from red_core.algorithm.observe import Iterate
from red_core.algorithm.options import SolverOptions
from red_core.algorithm.problem import RedProblem
from red_core.models.evidence_model import EvidenceModel

NO_ATTACK = "none"
UNKNOWN = "unknown"  # none of the known attacks, and not a clean image either
LEAST = -8.0  # lowest log-probability of `type_log_probabilities`, so that none decides alone
QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.97)  # of |x' - G(z)| in the evidence
UPPER_QUANTILES = (0.985, 0.995)
SOURCES = ("G(z)", "D(x')", "x'")  # the pictures that a reader with `source_weights` reads
PAPER_LAMBDA = SolverOptions().lambda_fraction  # B.2: 0.35 of lambda_max
# c_a alone, from zero, until its relative duality gap is below the tolerance.
_CODES = SolverOptions(
    restarts=1,
    start_steps=0,
    signal_step="frozen",
    acceleration="restart",
    steps=200,
    tolerance=0.01,
)


@dataclass(frozen=True)
class Readers:
    """The models that turn the end of a run into answers; the paper's rules use psi alone.

    psi: the attacked classifier; reader: a second classifier of G(z), trained on recovered
    pictures, or None; reader_temperature: divides its logits; purify: x' [B, C, H, W] -> n
    purifications of each, [B, n, C, H, W], or None; source_weights: how much the reader's
    log-probabilities of each of SOURCES count, [3], or None: it reads G(z) alone; both or none are
    given; evidence: the model of
    `attack_evidence`, or None; types: a CNN that predicts the attack from x' alone (logits over
    the attacks and none), whose answer is one of the features of the evidence, or None;
    rule_lambda: the share of lambda_max at which c_a is solved anew for BSD-GAN-AD (`codes_at`), in
    (0, 1), or None: the rule is asked of the run's own c_a.
    """

    psi: nn.Module
    reader: nn.Module | None = None
    reader_temperature: float = 1.0
    purify: Callable[[Tensor], Tensor] | None = None
    source_weights: Tensor | None = None
    evidence: EvidenceModel | None = None
    types: nn.Module | None = None
    rule_lambda: float | None = None


@dataclass(frozen=True)
class Verdict:
    """The answers for a batch, with everything they rest on.

    signal_label [B], signal_probabilities [B, classes]: of the reader (psi where there is none);
    source_names: what it read, of SOURCES, () without a reader; source_probabilities [B, sources,
    classes]: its answer from each of them alone; psi_label, psi_probabilities: psi on G(z),
    BSD-GAN's answer; adversarial_label, adversarial_probabilities: psi on x'; attack_label [B]:
    index into `attack_names`: the attacks, "none", and last "unknown"; attack_probabilities
    [B, attacks + 1]: over the known answers, `known_names`, whatever the label; block_label [B]:
    BSD-GAN-AD's answer, index into the attacks; block_residuals [B, classes, attacks], of the c_a
    that this rule is asked of (`Readers.rule_lambda`); signal_margin, attack_margin [B]: best minus
    second-best probability; block_margin [B]: how much larger the best residual of another attack
    is, relative to the smallest; unknown_score [B]: how unlike every known answer the evidence is
    (squared Mahalanobis distance, from 0); unknown_p [B]: the share of known runs at least so
    unlike, in (0, 1]: the answer is "unknown" where it is at most the evidence model's
    `wrongly_flagged`. Rules without an evidence model have score 0, p = 1, and never answer so.
    """

    signal_label: Tensor
    signal_probabilities: Tensor
    source_names: tuple[str, ...]
    source_probabilities: Tensor
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

    def item(self, place: int) -> Verdict:
        """The answers for one item, as a batch of one."""
        values: dict[str, Any] = {
            name: value[place : place + 1]
            for name, value in vars(self).items()
            if torch.is_tensor(value)
        }
        return replace(self, **values)

    @property
    def known_names(self) -> tuple[str, ...]:
        """What `attack_probabilities` are over: the attacks and "none"."""
        return self.attack_names[:-1]


def bsd_gan(iterate: Iterate, psi: nn.Module) -> Tensor:
    """BSD-GAN (Section 5.2): psi's class probabilities of G(z), [B, classes]."""
    probabilities: Tensor = psi(iterate.image).softmax(1)
    return probabilities


def block_residuals(problem: RedProblem, iterate: Iterate) -> Tensor:
    """||x' - G(z) - D_a[i][j] c_a[i][j]|| of every block, [B, classes, attacks]."""
    target = (problem.observed - iterate.image).flatten(1)
    parts = problem.dictionary.contributions(iterate.c_a)
    return torch.linalg.vector_norm(target[:, None, None] - parts, dim=-1)


@torch.no_grad()
def codes_at(problem: RedProblem, iterate: Iterate, fraction: float) -> Iterate:
    """The iterate's G(z) with the c_a that Algorithm 1 finds for it at another lambda.

    fraction: lambda as a share of lambda_max of x' - G(z), in (0, 1). c_a starts at zero, and an
    item ends once its relative duality gap is below 1%. The answer is an iterate of the problem
    whose z is the image itself.
    """
    fixed = RedProblem(problem.observed, identity, problem.dictionary)
    options = replace(_CODES, lambda_fraction=fraction)
    return run_to_end(fixed, begin(fixed, iterate.image[:, None], options), options)


def bsd_gan_ad(residuals: Tensor) -> Tensor:
    """BSD-GAN-AD (Section 5.2): the attack of the block with the smallest residual, [B].

    residuals: of `block_residuals`, [B, classes, attacks]. Where c_a = 0 all residuals are equal
    and the answer means nothing: see `silent`.

    >>> bsd_gan_ad(torch.tensor([[[2.0, 1.5, 3.0], [2.5, 0.5, 3.0]]])).tolist()
    [1]
    """
    return residuals.amin(1).argmin(1)


def silent(iterate: Iterate) -> Tensor:
    """Whether no block is active, [B]: the paper's rules then have no attack to name."""
    return iterate.block_energy.flatten(1).amax(1) == 0


@torch.no_grad()
def evidence(
    problem: RedProblem, iterate: Iterate, readers: Readers
) -> tuple[Tensor, Tensor, Tensor]:
    """The answer of `best` on the attack: probabilities, out-of-distribution score and p-value.

    Probabilities [B, attacks + 1] over the attacks and none; the score [B] and its p-value [B]
    say how unlike every known answer the run is (`EvidenceModel`). Needs an evidence model.
    """
    assert readers.evidence is not None
    features = attack_evidence(problem, iterate, readers.psi, readers.types)
    score = readers.evidence.mahalanobis(features)
    return readers.evidence(features).softmax(1), score, readers.evidence.p_value(score)


@torch.no_grad()
def attack_evidence(
    problem: RedProblem, iterate: Iterate, psi: nn.Module, types: nn.Module | None = None
) -> Tensor:
    """The features of `named_evidence`, side by side: [B, F]."""
    return torch.cat(list(named_evidence(problem, iterate, psi, types).values()), dim=1)


@torch.no_grad()
def named_evidence(
    problem: RedProblem, iterate: Iterate, psi: nn.Module, types: nn.Module | None = None
) -> dict[str, Tensor]:
    """What tells the attack types apart, by name, [B, width] each, in the order of `best`'s model.

    Of r = x' - G(z): its size, ratios of norms that do not depend on it (||r||_1 / ||r||_2 tells
    dense from sparse, ||r||_inf / ||r||_2 flat from peaked), quantiles of |r|, and the share of x'
    that is clipped; the smallest block residual of each attack over ||r||, and the attacks' shares
    of the energy of c_a; whether psi gives x' and G(z) the same class, which tells no attack from
    a small one; and, where there is one, the CNN's answer from x' alone.
    """
    size = (problem.observed - iterate.image).flatten(1).abs()
    l2 = torch.linalg.vector_norm(size, dim=1, keepdim=True).clamp_min(1e-9)

    def ratio(norm: Tensor) -> Tensor:
        return (norm / l2).clamp_min(1e-9).log()

    def quantiles(shares: tuple[float, ...]) -> Tensor:
        found = torch.quantile(size, torch.tensor(shares).to(size), dim=1).T
        return (found + 1e-4).log()

    clipped = (problem.flat <= 0) | (problem.flat >= 1)
    energy = iterate.block_energy.sum(1)
    before, after = psi(problem.observed).softmax(1), psi(iterate.image).softmax(1)
    confidence, answer = before.max(1, keepdim=True)
    named = {
        "log of ||r||_2": l2.log(),
        "log of ||r||_1 / ||r||_2": ratio(size.sum(1, keepdim=True)),
        "log of ||r||_inf / ||r||_2": ratio(size.amax(1, keepdim=True)),
        "log of ||r||_4 / ||r||_2": ratio(
            size.square().square().sum(1, keepdim=True).sqrt().sqrt()
        ),
        "log quantiles of |r|": quantiles(QUANTILES),
        "share of clipped pixels": clipped.to(l2.dtype).mean(1, keepdim=True),
        "block residuals over ||r||_2": block_residuals(problem, iterate).amin(1) / l2,
        "shares of the energy of c_a": energy / energy.sum(1, keepdim=True).clamp_min(1e-9),
        "log upper quantiles of |r|": quantiles(UPPER_QUANTILES),
        "psi's confidence in x'": confidence,
        "overlap of psi on x' and on G(z)": torch.minimum(before, after).sum(1, keepdim=True),
        "log of psi's share for its class of x' on G(z)": after.gather(1, answer)
        .clamp_min(1e-6)
        .log(),
    }
    if types is not None:
        named["log-probabilities of the type CNN"] = type_log_probabilities(problem.observed, types)
    return named


@torch.no_grad()
def type_log_probabilities(observed: Tensor, types: nn.Module) -> Tensor:
    """The type CNN's log-probabilities [B, attacks + 1], at least LEAST."""
    return types(observed).log_softmax(1).clamp_min(LEAST)


def combined(read: Tensor, weights: Tensor) -> Tensor:
    """Class probabilities [B, classes] of weighed log-probabilities read [B, S, classes].

    weights: [S]; the answer is proportional to the product of the probabilities to their powers.

    >>> read = torch.tensor([[[0.9, 0.1], [0.2, 0.8]]]).log()
    >>> combined(read, torch.tensor([1.0, 0.0])).tolist() == read[:, 0].exp().tolist()
    True
    """
    return torch.einsum("bsk,s->bk", read, weights).softmax(1)


@torch.no_grad()
def read_signal(
    observed: Tensor, image: Tensor, readers: Readers
) -> tuple[tuple[str, ...], Tensor, Tensor]:
    """What a reader makes of a run: names of SOURCES [S], each alone [B, S, classes], together.

    observed: x' [B, C, H, W]; image: G(z) [B, C, H, W]. Needs a reader; its answer from n
    purifications is their mean probability.
    """
    reader = readers.reader
    assert reader is not None
    alone = (reader(image) / readers.reader_temperature).softmax(1)
    if readers.purify is None or readers.source_weights is None:
        return SOURCES[:1], alone[:, None], alone
    purified = readers.purify(observed)
    drawn = reader(purified.flatten(0, 1)).softmax(1).unflatten(0, purified.shape[:2]).mean(1)
    read = torch.stack((reader(image).softmax(1), drawn, reader(observed).softmax(1)), 1)
    answer = combined(read.clamp_min(1e-8).log(), readers.source_weights)
    return SOURCES, torch.stack((alone, drawn, read[:, 2]), 1), answer


@torch.no_grad()
def judge(problem: RedProblem, iterate: Iterate, readers: Readers) -> Verdict:
    """The verdict on an iterate (usually the last): see `Verdict` for its shapes and ranges.

    readers: of `load` (`parts.readers`, or `parts.paper_readers()` for the paper's rules alone).

    >>> from red_core import load, undo
    >>> parts = load("mnist")
    >>> found = undo(parts, parts.examples.images[:1], "paper-frozen", start_steps=50, steps=20)
    >>> verdict = judge(found.problem, found.iterate, parts.paper_readers())
    >>> bool((verdict.psi_probabilities == bsd_gan(found.iterate, parts.psi)).all())
    True
    >>> residuals = block_residuals(found.problem, found.iterate)
    >>> residuals.shape, verdict.attack_label.tolist() == bsd_gan_ad(residuals).tolist()
    (torch.Size([1, 10, 3]), True)
    """
    attacks = problem.dictionary.attacks
    psi = signal = bsd_gan(iterate, readers.psi)
    before = readers.psi(problem.observed).softmax(1)
    names_read: tuple[str, ...] = ()
    read = before.new_zeros(len(before), 0, before.shape[1])
    if readers.reader is not None:
        names_read, read, signal = read_signal(problem.observed, iterate.image, readers)
    rule = iterate
    if readers.rule_lambda is not None:
        rule = codes_at(problem, iterate, readers.rule_lambda)
    residuals = block_residuals(problem, rule)
    block_label = bsd_gan_ad(residuals)
    smallest = residuals.amin(1).sort(1).values
    names = (*attacks, NO_ATTACK, UNKNOWN)
    score, p_value = torch.zeros_like(smallest[:, 0]), torch.ones_like(smallest[:, 0])
    unknown = torch.zeros_like(block_label, dtype=torch.bool)
    if readers.evidence is not None:
        attack, score, p_value = evidence(problem, iterate, readers)
        unknown = readers.evidence.is_unknown(p_value)
    else:  # the paper's rule as "probabilities" of 0 and 1
        answer = torch.where(silent(iterate), len(attacks), block_label)
        attack = nn.functional.one_hot(answer, len(attacks) + 1).float()
    return Verdict(
        signal_label=signal.argmax(1),
        signal_probabilities=signal,
        source_names=names_read,
        source_probabilities=read,
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


def _margin(probabilities: Tensor) -> Tensor:
    best = probabilities.topk(2, dim=1).values
    return best[:, 0] - best[:, 1]

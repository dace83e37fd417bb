"""Which model gives which answer of the verdict, and that the block rule is the paper's."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from red_core.algorithm.observe import Iterate
from red_core.algorithm.presets import PRESETS
from red_core.algorithm.problem import AttackDictionary, RedProblem
from red_core.algorithm.prox import duality_gap, lambda_max
from red_core.algorithm.verdict import (
    LEAST,
    NO_ATTACK,
    SOURCES,
    UNKNOWN,
    Readers,
    attack_evidence,
    block_residuals,
    codes_at,
    judge,
)
from red_core.models.evidence_model import EvidenceModel
from tests.red_core.stepping import Run

KINDS = ("linf", "l2", "l1")
B, CLASSES, PIXELS = 4, 3, 27


class Says(nn.Module):
    """A reader of 3 classes: logits are fixed pixels of the image, scaled."""

    def __init__(self, first: int, scale: float = 10.0) -> None:
        super().__init__()
        self.first, self.scale = first, scale

    def forward(self, images: Tensor) -> Tensor:
        return self.scale * images.flatten(1)[:, self.first : self.first + 3]


@pytest.fixture
def scene() -> tuple[RedProblem, Iterate]:
    """x' and an iterate whose D_a c_a is known by eye: atom i is pixel i, blocks of three."""
    dictionary = AttackDictionary.from_attacks(
        torch.eye(PIXELS, dtype=torch.float64).view(CLASSES, len(KINDS), 3, PIXELS), KINDS
    )
    observed = torch.rand(B, 1, 3, 9, dtype=torch.float64)
    problem = RedProblem(observed, lambda z: z.view(-1, 1, 3, 9), dictionary)
    z = torch.rand(B, PIXELS, dtype=torch.float64)
    options = replace(PRESETS["paper"], start_steps=0)
    return problem, Run(problem, z[:, None], options).observe()


def with_c_a(problem: RedProblem, iterate: Iterate, c_a: Tensor) -> Iterate:
    return replace(iterate, c_a=c_a, block_energy=problem.dictionary.energies(c_a))


def test_block_residuals_are_those_of_a_plain_loop(scene):
    problem, iterate = scene
    iterate = with_c_a(problem, iterate, torch.randn(B, PIXELS).double())
    residuals = block_residuals(problem, iterate)
    assert residuals.shape == (B, CLASSES, len(KINDS))
    for item in range(B):
        for label in range(CLASSES):
            for attack in range(len(KINDS)):
                columns = problem.dictionary.block(label, attack)
                part = problem.dictionary.atoms[:, columns] @ iterate.c_a[item, columns]
                left = problem.flat[item] - iterate.image[item].flatten() - part
                torch.testing.assert_close(residuals[item, label, attack], left.norm())


@pytest.mark.parametrize("attack", range(len(KINDS)))
@pytest.mark.parametrize("label", range(CLASSES))
def test_the_block_that_explains_most_names_the_attack(scene, label, attack):
    """BSD-GAN-AD: x' - G(z) lies in block (label, attack), and c_a says so."""
    problem, iterate = scene
    columns = problem.dictionary.block(label, attack)
    c_a = torch.zeros(B, PIXELS, dtype=torch.float64)
    c_a[:, columns] = torch.tensor([0.3, -0.2, 0.1], dtype=torch.float64)
    weak = problem.dictionary.block((label + 1) % CLASSES, (attack + 1) % len(KINDS))
    c_a[:, weak] = 0.01
    attacked = replace(problem, observed=iterate.image + (c_a).view(B, 1, 3, 9))
    verdict = judge(attacked, with_c_a(attacked, iterate, c_a), Readers(Says(0)))
    assert verdict.block_label.tolist() == [attack] * B
    assert verdict.attack_label.tolist() == [attack] * B
    assert verdict.block_residuals.flatten(1).argmin(1).tolist() == [3 * label + attack] * B
    by_attack = verdict.block_residuals.amin(1).sort(1).values
    torch.testing.assert_close(verdict.block_margin, by_attack[:, 1] / by_attack[:, 0] - 1)
    assert bool((verdict.block_margin > 1).all())


def test_the_rule_is_asked_at_the_lambda_that_is_named(scene):
    """c_a solves its problem (13) with G(z) fixed at that lambda, whatever the run's own was."""
    problem, iterate = scene
    spread = with_c_a(problem, iterate, 0.1 * torch.randn(B, PIXELS).double())
    solved = codes_at(problem, spread, 0.35)
    y = (problem.observed - iterate.image).flatten(1)
    lam = 0.35 * lambda_max(y, problem.dictionary)
    gap, value = duality_gap(y, solved.c_a, lam, problem.dictionary)
    assert bool((gap <= 0.01 * value).all())
    assert solved.image.equal(iterate.image)
    verdict = judge(problem, spread, Readers(Says(0), rule_lambda=0.35))
    torch.testing.assert_close(verdict.block_residuals, block_residuals(problem, solved))
    own = judge(problem, spread, Readers(Says(0)))
    torch.testing.assert_close(own.block_residuals, block_residuals(problem, spread))
    assert not torch.allclose(own.block_residuals, verdict.block_residuals)


def test_a_silent_c_a_answers_none(scene):
    problem, iterate = scene
    c_a = torch.zeros(B, PIXELS, dtype=torch.float64)
    c_a[2, 4] = 1e-3
    verdict = judge(problem, with_c_a(problem, iterate, c_a), Readers(Says(0)))
    assert verdict.attack_names == (*KINDS, NO_ATTACK, UNKNOWN)
    assert verdict.known_names == (*KINDS, NO_ATTACK)
    answers = [verdict.attack_names[int(answer)] for answer in verdict.attack_label]
    assert [answer == "none" for answer in answers] == [True, True, False, True]


def test_every_reader_reads_its_own_picture(scene):
    """psi reads x' and G(z); the preset's reader, where there is one, G(z) alone."""
    problem, iterate = scene
    psi, reader = Says(0), Says(6)
    alone = judge(problem, iterate, Readers(psi))
    torch.testing.assert_close(alone.psi_probabilities, psi(iterate.image).softmax(1))
    torch.testing.assert_close(alone.adversarial_probabilities, psi(problem.observed).softmax(1))
    assert alone.signal_probabilities.equal(alone.psi_probabilities)
    both = judge(problem, iterate, Readers(psi, reader, reader_temperature=2.0))
    torch.testing.assert_close(both.signal_probabilities, (reader(iterate.image) / 2).softmax(1))
    assert both.psi_label.equal(alone.psi_label)
    for verdict in (alone, both):
        for label, chances in (
            (verdict.signal_label, verdict.signal_probabilities),
            (verdict.psi_label, verdict.psi_probabilities),
            (verdict.adversarial_label, verdict.adversarial_probabilities),
            (verdict.attack_label, verdict.attack_probabilities),
        ):
            assert label.equal(chances.argmax(1))
            torch.testing.assert_close(chances.sum(1), torch.ones_like(chances[:, 0]))


def test_margins_are_best_minus_second_and_lie_in_range(scene):
    problem, iterate = scene
    iterate = with_c_a(problem, iterate, torch.randn(B, PIXELS).double())
    verdict = judge(problem, iterate, Readers(Says(0, scale=2.0)))
    ordered = verdict.signal_probabilities.sort(1, descending=True).values
    torch.testing.assert_close(verdict.signal_margin, ordered[:, 0] - ordered[:, 1])
    for margin in (verdict.signal_margin, verdict.attack_margin):
        assert bool(((margin >= 0) & (margin <= 1)).all())
    assert bool((verdict.attack_margin == 1).all())  # the paper's rule has no doubts
    assert bool((verdict.block_margin >= 0).all())


def test_the_evidence_model_is_asked_where_there_is_one(scene):
    problem, iterate = scene
    features = attack_evidence(problem, iterate, Says(0))
    assert features.shape[0] == B
    model = EvidenceModel(features.shape[1], 4).double().eval()
    verdict = judge(problem, iterate, Readers(Says(0), evidence=model))
    torch.testing.assert_close(verdict.attack_probabilities, model(features).softmax(1).detach())
    paper = judge(problem, iterate, Readers(Says(0)))
    assert verdict.block_label.equal(paper.block_label)
    assert not verdict.attack_probabilities.equal(paper.attack_probabilities)


def test_what_a_cnn_reads_off_the_attacked_image_is_evidence_too(scene):
    problem, iterate = scene
    without = attack_evidence(problem, iterate, Says(0))
    features = attack_evidence(problem, iterate, Says(0), types=Says(1, scale=50.0))
    assert features[:, : without.shape[1]].equal(without)
    read = features[:, without.shape[1] :]
    cnn = Says(1, scale=50.0)(problem.observed)
    assert read.argmax(1).equal(cnn.argmax(1))
    assert read.min() == LEAST, "bounded, however sure the CNN is"
    model = EvidenceModel(features.shape[1], 4).double().eval()
    readers = Readers(Says(0), evidence=model, types=Says(1, scale=50.0))
    verdict = judge(problem, iterate, readers)
    torch.testing.assert_close(verdict.attack_probabilities, model(features).softmax(1).detach())


def test_evidence_is_finite_even_where_nothing_is_left_to_explain(scene):
    problem, iterate = scene
    explained = replace(problem, observed=iterate.image)
    silent = with_c_a(explained, iterate, torch.zeros(B, PIXELS).double())
    assert bool(torch.isfinite(attack_evidence(explained, silent, Says(0))).all())


def test_an_item_is_judged_by_itself(scene):
    problem, iterate = scene
    iterate = with_c_a(problem, iterate, torch.randn(B, PIXELS).double())
    model = EvidenceModel(attack_evidence(problem, iterate, Says(0)).shape[1], 4).double().eval()
    together = judge(problem, iterate, Readers(Says(0), evidence=model))
    rows = torch.tensor([2])
    alone = replace(
        iterate,
        image=iterate.image[rows],
        c_a=iterate.c_a[rows],
        block_energy=iterate.block_energy[rows],
    )
    one = judge(problem.take(rows), alone, Readers(Says(0), evidence=model))
    torch.testing.assert_close(one.attack_probabilities, together.attack_probabilities[rows])
    torch.testing.assert_close(one.block_residuals, together.block_residuals[rows])


def test_evidence_unlike_every_known_run_is_called_unknown(scene):
    """Known runs lie at the features of items 0 and 1: the other two are far from them."""
    problem, iterate = scene
    iterate = with_c_a(problem, iterate, torch.randn(B, PIXELS).double())
    features = attack_evidence(problem, iterate, Says(0))
    model = EvidenceModel(features.shape[1], 4, held_out=99).double().eval()
    model.centres[:2] = features[:2]
    model.centres[2:] = features[0]
    model.held_out.copy_(torch.linspace(1e-6, 2e-6, 99))
    model.wrongly_flagged.fill_(0.01)
    readers = Readers(Says(0), evidence=model)
    verdict = judge(problem, iterate, readers)
    named = [verdict.attack_names[int(answer)] for answer in verdict.attack_label]
    assert [name == UNKNOWN for name in named] == [False, False, True, True]
    torch.testing.assert_close(verdict.unknown_p, torch.tensor([1.0, 1, 0.01, 0.01]).double())
    nearest = torch.cdist(features, features[:2]).square().amin(1)
    torch.testing.assert_close(verdict.unknown_score, nearest)
    assert verdict.attack_probabilities.shape == (B, 4), (
        "over the known answers, whatever the label"
    )
    torch.testing.assert_close(verdict.attack_probabilities.sum(1), torch.ones(B).double())


def test_rules_without_a_threshold_call_nothing_unknown(scene):
    problem, iterate = scene
    features = attack_evidence(problem, iterate, Says(0))
    old = EvidenceModel(features.shape[1], 4).double().eval()
    old.centres.fill_(1e6)
    for readers in (Readers(Says(0)), Readers(Says(0), evidence=old)):
        verdict = judge(problem, iterate, readers)
        assert verdict.unknown_p.tolist() == [1.0] * B
        assert verdict.attack_names.index(UNKNOWN) not in verdict.attack_label.tolist()


def test_three_pictures_are_read_weighed_and_each_shown(scene):
    problem, iterate = scene
    reader, weights = Says(3, scale=4.0), torch.tensor([1.0, 0.5, 2.0], dtype=torch.float64)

    def purify(observed: Tensor) -> Tensor:
        return torch.stack((0.5 * observed, 1 - observed), 1)

    readers = Readers(Says(0), reader, 2.0, purify, weights)
    verdict = judge(problem, iterate, readers)
    assert verdict.source_names == SOURCES
    x, made = problem.observed, iterate.image
    drawn = (reader(0.5 * x).softmax(1) + reader(1 - x).softmax(1)) / 2
    alone = torch.stack(((reader(made) / 2).softmax(1), drawn, reader(x).softmax(1)), 1)
    torch.testing.assert_close(verdict.source_probabilities, alone)
    # The product of the three to the powers of the weights, G(z)'s without its temperature.
    product = reader(made).softmax(1) * drawn**0.5 * reader(x).softmax(1) ** 2
    torch.testing.assert_close(verdict.signal_probabilities, product / product.sum(1, keepdim=True))
    assert verdict.item(2).source_probabilities.equal(verdict.source_probabilities[2:3])


def test_a_reader_without_weights_reads_the_signal_alone(scene):
    problem, iterate = scene
    verdict = judge(problem, iterate, Readers(Says(0), Says(3)))
    assert verdict.source_names == SOURCES[:1]
    assert verdict.source_probabilities[:, 0].equal(verdict.signal_probabilities)
    plain = judge(problem, iterate, Readers(Says(0)))
    assert plain.source_names == ()
    assert plain.source_probabilities.shape == (B, 0, CLASSES)

"""From settings to a solver, on untrained networks: what is drawn, and what it depends on."""

from dataclasses import replace
from itertools import islice

import pytest
import torch

from red_core.algorithm.presets import PRESETS
from red_core.algorithm.problem import AttackDictionary
from red_core.algorithm.verdict import Readers
from red_core.algorithm.z_steps import random_starts
from red_core.attacks.pgd import attack_norm
from red_core.data.datasets import CLASSES, ImageSet
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator, Encoder
from red_core.run.bundle import Bundle
from red_core.run.experiment import (
    attack_images,
    begin_run,
    craft_example,
    make_starts,
    readers_for,
    start_seeds,
)
from red_core.run.settings import RunSettings, SettingsError
from red_core.theory import mu_along_path
from tests.red_core.stepping import Run

KINDS = ("linf", "l2", "l1")
QUICK = RunSettings(attack_steps=3)


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    torch.manual_seed(0)
    deltas = torch.randn(10, 3, 6, 784) * torch.rand(10, 3, 6, 1)
    return Bundle(
        "mnist",
        CLASSES["mnist"],
        DCGANGenerator(latent=8, width=4).eval().requires_grad_(False),
        Encoder(latent=8, width=4).eval().requires_grad_(False),
        Readers(Table3CNN().eval().requires_grad_(False), reader=Table3CNN().eval()),
        AttackDictionary.from_attacks(deltas, KINDS),
        ImageSet(torch.rand(12, 1, 28, 28), torch.arange(12) % 10, "12 toy examples"),
        torch.device("cpu"),
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_realizable_instance_is_g_and_one_block(bundle, kind):
    made = craft_example(bundle, RunSettings(source="realizable", attack=kind, seed=5))
    z, c_a = made.truth
    dictionary = bundle.dictionary
    image = bundle.generator(z)
    assert made.clean.equal(image)
    torch.testing.assert_close(
        made.attacked, image + dictionary.combine(c_a).view_as(image), rtol=0, atol=1e-6
    )
    energies = dictionary.energies(c_a)[0]
    assert energies.count_nonzero() == 1
    label, attack = divmod(int(energies.flatten().argmax()), 3)
    assert KINDS[attack] == kind
    assert label == int(bundle.psi(image).argmax()) == int(made.labels)
    block = dictionary.norms[dictionary.block(label, attack)]
    torch.testing.assert_close((made.attacked - made.clean).norm(), block.mean())


def test_a_realizable_instance_without_attack_is_what_g_draws(bundle):
    made = craft_example(bundle, RunSettings(source="realizable", attack="none"))
    assert made.attacked.equal(made.clean)
    assert not made.truth[1].any()


def test_a_realizable_instance_depends_on_its_seed_and_is_not_where_the_solver_starts(bundle):
    one, same, other = (
        craft_example(bundle, RunSettings(source="realizable", seed=seed)) for seed in (1, 1, 2)
    )
    assert one.attacked.equal(same.attacked)
    assert not one.attacked.equal(other.attacked)
    settings = RunSettings(source="realizable", seed=1)
    starts = random_starts(start_seeds(settings), 10, bundle.latent)
    assert bool(((starts - one.truth[0]).norm(dim=-1) > 0.1).all())


def test_mu_is_known_along_a_realizable_run(bundle):
    settings = RunSettings(source="realizable", preset="paper", solver=(("start_steps", 2),))
    made = craft_example(bundle, settings)
    options = settings.solver_options()
    path = list(islice(Run.of(*begin_run(bundle, made.attacked, options, [3]), options).path(), 7))
    mu = mu_along_path(path, *made.truth)
    assert mu.shape == (7, 1)
    assert bool((torch.isfinite(mu) & (mu > 0)).all())


def test_an_example_is_attacked_within_its_budget(bundle):
    made = craft_example(bundle, replace(QUICK, index=3, eps=0.1))
    assert made.clean.equal(bundle.examples.images[3:4])
    assert made.labels.tolist() == [3]
    assert made.truth is None
    norm = float(attack_norm(made.attacked - made.clean, "linf"))
    assert 0.01 < norm <= 0.1 + 1e-5


def test_attack_none_leaves_the_image_as_it_is(bundle):
    made = craft_example(bundle, RunSettings(attack="none", index=2))
    assert made.attacked.equal(bundle.examples.images[2:3])
    assert made.attacked is not made.clean


def test_an_index_beyond_the_examples_is_refused(bundle):
    with pytest.raises(SettingsError, match="index 12 is beyond the 12 example images"):
        craft_example(bundle, RunSettings(index=12))


def test_an_own_image_is_wanted_and_has_no_label(bundle):
    own = replace(QUICK, source="own")
    with pytest.raises(SettingsError, match="image of your own"):
        craft_example(bundle, own)
    image = torch.rand(1, 28, 28)
    made = craft_example(bundle, own, image)
    assert made.clean.equal(image[None])
    assert made.labels is None
    assert not made.attacked.equal(made.clean)


def test_an_own_image_whose_class_is_told_is_attacked_away_from_it(bundle):
    example = replace(QUICK, index=2)
    known = craft_example(bundle, example)
    assert known.labels is not None
    # The seed of item 0 differs from item 2's, so what is compared is the label, and the attack's
    # direction: away from another class than psi's guess gives another x'.
    told = replace(QUICK, source="own", label=int(known.labels[0]))
    made = craft_example(bundle, told, known.clean[0])
    assert made.labels is not None
    assert made.labels.equal(known.labels)
    others = {
        label: craft_example(bundle, replace(told, label=label), known.clean[0]).attacked
        for label in range(3)
    }
    assert not others[0].equal(others[1])
    assert not others[1].equal(others[2])


def test_the_class_of_an_own_image_is_within_the_data_set():
    with pytest.raises(SettingsError, match="class of the image must lie between 0 and 9"):
        RunSettings(source="own", label=10)
    assert RunSettings(label=4).label is None  # an example's class is known
    own = RunSettings(source="own", label=4)
    assert RunSettings.from_query(own.as_query()) == own
    assert "--label 4" in own.as_command()


def test_a_target_is_aimed_at(bundle):
    made = craft_example(bundle, replace(QUICK, index=1, target=6, attack_steps=20))
    chance = [bundle.psi(x).softmax(1)[0, 6] for x in (made.clean, made.attacked)]
    assert chance[1] > chance[0]


def test_attacks_depend_on_the_items_own_seed_only(bundle):
    images, labels = bundle.examples.images[:3], bundle.examples.labels[:3]
    settings = QUICK.attack_settings()
    together = attack_images(bundle, images, labels, settings, [7, 8, 9]).attacked
    for item, seed in enumerate((7, 8, 9)):
        row = slice(item, item + 1)
        alone = attack_images(bundle, images[row], labels[row], settings, [seed]).attacked
        torch.testing.assert_close(alone, together[row], rtol=0, atol=1e-5)
    other = attack_images(bundle, images, labels, settings, [7, 8, 10]).attacked
    assert not other[2].equal(together[2])


def test_starts_are_the_encoders_guess_and_the_items_own_draws(bundle):
    attacked = bundle.examples.images[:3]
    options = replace(PRESETS["best"], restarts=4, encoder_start=True)
    starts, anchors = make_starts(bundle, attacked, options, [1, 2, 3])
    assert starts.shape == anchors.shape == (3, 5, 8)
    guess, _ = bundle.encoder(attacked)
    torch.testing.assert_close(starts[:, 0], guess)
    assert anchors[:, 0].equal(starts[:, 0])
    assert not anchors[:, 1:].any()
    assert starts[:, 1:].equal(random_starts([1, 2, 3], 4, 8))
    swapped, _ = make_starts(bundle, attacked[[2, 0]], options, [3, 1])
    torch.testing.assert_close(swapped, starts[[2, 0]])
    without, none = make_starts(bundle, attacked, PRESETS["paper"], [1, 2, 3])
    assert without.shape == (3, 10, 8)
    assert not none.any()


def test_the_published_start_descends_from_the_nearest_of_its_draws(bundle):
    attacked = bundle.examples.images[:2]
    options = replace(PRESETS["paper-published"], start_draws=40, restarts=3)
    starts, anchors = make_starts(bundle, attacked, options, [1, 2])
    assert starts.shape == (2, 3, 8)
    assert not anchors.any()
    first = random_starts([1, 2], 40, 8)
    error = (
        bundle.generator(first.flatten(0, 1)).unflatten(0, (2, 40)) - attacked[:, None]
    ).flatten(2)
    nearest = error.norm(dim=2).argsort(1)[:, :3]
    torch.testing.assert_close(starts, first.gather(1, nearest[..., None].expand(-1, -1, 8)))
    _, state = begin_run(bundle, attacked, options, [1, 2])
    assert state.z.equal(starts)


def test_the_paper_is_judged_by_the_papers_rules(bundle):
    assert readers_for(bundle, "best").reader is not None
    assert readers_for(bundle, "best").rule_lambda == 0.35
    for preset in ("paper", "paper-frozen", "paper-published"):
        readers = readers_for(bundle, preset)
        assert readers.psi is bundle.psi
        assert readers.reader is None
        assert readers.evidence is None
        assert readers.rule_lambda is None


def test_a_run_with_no_start_at_all_is_refused(bundle):
    options = replace(PRESETS["best"], restarts=0)
    bare = replace(bundle, encoder=None)
    with pytest.raises(ValueError, match="no encoder"):
        make_starts(bare, torch.rand(1, 1, 28, 28), options, [0])
    starts, _ = make_starts(bundle, torch.rand(1, 1, 28, 28), options, [0])
    assert starts.shape == (1, 1, bundle.latent)

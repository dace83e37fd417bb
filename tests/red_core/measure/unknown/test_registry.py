"""Every attack that is measured keeps its budget, and says what it is."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from red_core.attacks.pgd import PAPER_ATTACKS, attack_norm
from red_core.data.assets import AssetError, write_tensors
from red_core.measure.unknown import GROUPS, MEASURED, unseen_attacks
from red_core.measure.unknown.libraries import LIBRARIES
from red_core.methods import ANSWERS, METHODS, fit
from red_core.methods.bsd_dp import DiffPure
from red_core.models.dcgan import Encoder
from red_core.models.wide_resnet import WideResNet
from red_core.run.bundle import Bundle, load_bundle

WITHIN = {
    "shrinking-l2": "l2",
    **{"fgsm": "linf", "transfer": "linf"},
    **{f"{how}-{norm}": norm for how in ("encoder", "adaptive") for norm in ("linf", "l2")},
}


def test_every_attack_says_what_it_is() -> None:
    attacks = unseen_attacks("mnist")
    assert list(attacks)[:4] == ["linf", "l2", "l1", "none"]
    assert {"ddn", "patch", "noise", *WITHIN} == {
        key for key, attack in attacks.items() if attack.group != "known"
    }
    for key, attack in attacks.items():
        assert attack.key == key
        assert attack.group in GROUPS
        assert attack.family is None or attack.family in ANSWERS[:-1]
        assert attack.words
    assert attacks["noise"].family is attacks["patch"].family is None
    assert all(attacks[key].family == norm for key, norm in WITHIN.items())


@pytest.mark.parametrize("key", [key for key in unseen_attacks("mnist") if key != "transfer"])
def test_an_attack_keeps_its_budget(quick: None, toy_bundle: Bundle, key: str) -> None:
    toy_bundle = replace(toy_bundle, encoder=Encoder().eval().requires_grad_(False))
    images, labels = toy_bundle.examples.images[:2], toy_bundle.examples.labels[:2]
    attacked = unseen_attacks("mnist")[key].make(toy_bundle, images, labels, [5, 6])
    assert attacked.shape == images.shape
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    assert attacked.equal(images) == (key == "none") or key in ("ddn", "adaptive-l2")
    if norm := WITHIN.get(key):
        eps = PAPER_ATTACKS["mnist"][norm].eps
        assert attack_norm(attacked - images, norm).max() <= eps * (1 + 1e-4)


def test_another_networks_attack_needs_that_network(quick: None, toy_bundle: Bundle) -> None:
    images, labels = toy_bundle.examples.images[:2], toy_bundle.examples.labels[:2]
    with pytest.raises(AssetError, match=r"surrogate\.safetensors"):
        unseen_attacks("mnist")["transfer"].make(toy_bundle, images, labels, [5, 6])


def test_the_way_through_the_encoder_needs_one_and_misleads_the_reader_of_its_guess(
    quick: None, toy_bundle: Bundle
) -> None:
    images, labels = toy_bundle.examples.images[:3], toy_bundle.examples.labels[:3]
    make = unseen_attacks("mnist")["encoder-linf"].make
    with pytest.raises(AssetError, match=r"encoder\.safetensors"):
        make(toy_bundle, images, labels, [1, 2, 3])
    encoder = Encoder().eval().requires_grad_(False)
    bundle = replace(toy_bundle, encoder=encoder)
    attacked = make(bundle, images, labels, [1, 2, 3])
    loss = torch.nn.functional.cross_entropy
    before, after = (
        loss(bundle.psi(bundle.generator(encoder(seen)[0])), labels) for seen in (images, attacked)
    )
    assert after > before


def test_another_networks_attack_fools_that_network(
    quick: None, toy_bundle: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    from red_core.measure.unknown import registry
    from red_core.models.surrogate import Surrogate

    torch.manual_seed(3)
    network = Surrogate().eval().requires_grad_(False)
    monkeypatch.setattr(registry, "load_network", lambda *_: network)
    images = toy_bundle.examples.images[:4]
    labels = network(images).argmax(1)
    attacked = unseen_attacks("mnist")["transfer"].make(toy_bundle, images, labels, [5, 6, 7, 8])
    loss = torch.nn.functional.cross_entropy
    assert loss(network(attacked), labels) > loss(network(images), labels)


ADAPTIVE = {
    "bsd-gan-best": ("encoder", "adaptive"),
    "bsd-dp": ("adaptive",),
    **dict.fromkeys(("dp", "dp-fixed", "dp-vote"), ("adaptive", "gradient", "gradient-reader")),
}


def test_on_cifar10_every_method_has_adaptive_attacks_of_its_own() -> None:
    assert set(MEASURED["cifar10"]) == set(ADAPTIVE) <= set(METHODS)
    shared = list(unseen_attacks("cifar10"))[:14]
    assert shared[4:10] == ["fgsm", "ddn", "shrinking-l2", "patch", "noise", "transfer"]
    assert shared[10:] == ["foolbox-linf", "foolbox-l2", "art-linf", "art-l2"]
    written = []
    for method, ways in ADAPTIVE.items():
        attacks = unseen_attacks("cifar10", method)
        own = [f"{way}-{kind}" for way in ways for kind in ("linf", "l2")]
        assert list(attacks) == [*shared, *own]
        written += [(key, str(attacks[key].settings)) for key in own]
    assert len(set(written)) == len(written), "what was crafted for one is not another's"


@pytest.mark.parametrize("norm", ["linf", "l2"])
@pytest.mark.parametrize("name", LIBRARIES)
def test_another_librarys_attack(toy_cifar10: Bundle, name: str, norm: str) -> None:
    """It misleads psi within its budget, draws from its seed alone, and leaves others' draws."""
    images = toy_cifar10.examples.images[:3]
    labels = toy_cifar10.psi(images).argmax(1)
    attack = unseen_attacks("cifar10")[f"{name}-{norm}"]
    assert (attack.group, attack.family) == ("unseen", norm)
    torch.manual_seed(0)
    np.random.seed(0)
    drawn = []
    for _ in range(2):
        drawn.append(attack.make(toy_cifar10, images, labels, [5, 6, 7]))
        drawn.append((torch.rand(1), np.random.rand()))
    torch.testing.assert_close(drawn[0], drawn[2])
    torch.manual_seed(0)
    np.random.seed(0)
    assert [drawn[1], drawn[3]] == [(torch.rand(1), np.random.rand()) for _ in range(2)]
    eps = PAPER_ATTACKS["cifar10"][norm].eps
    assert attack_norm(drawn[0] - images, norm).max() <= eps * (1 + 1e-4)
    loss = torch.nn.functional.cross_entropy
    assert loss(toy_cifar10.psi(drawn[0]), labels) > loss(toy_cifar10.psi(images), labels)


def test_a_library_that_is_not_installed_is_named(
    toy_cifar10: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "foolbox.attacks", None)
    images, labels = toy_cifar10.examples.images[:1], toy_cifar10.examples.labels[:1]
    with pytest.raises(AssetError, match="foolbox is not installed"):
        unseen_attacks("cifar10")["foolbox-linf"].make(toy_cifar10, images, labels, [5])


@pytest.mark.parametrize("method", ["bsd-dp", "dp", "dp-fixed", "dp-vote"])
def test_an_attack_through_the_purification_keeps_its_budget(
    quick: None, toy_cifar10: Bundle, method: str
) -> None:
    bundle = replace(toy_cifar10, readers=replace(toy_cifar10.readers, reader=toy_cifar10.psi))
    images, labels = bundle.examples.images[:1], bundle.examples.labels[:1]
    for key, attack in unseen_attacks("cifar10", method).items():
        if attack.group == "adaptive":
            assert attack.family is not None
            attacked = attack.make(bundle, images, labels, [5])
            eps = PAPER_ATTACKS["cifar10"][attack.family].eps
            assert attack_norm(attacked - images, attack.family).max() <= eps * (1 + 1e-4), key


def test_known_noise_is_attacked_where_the_defence_uses_it(
    quick: None, toy_cifar10: Bundle
) -> None:
    """psi's loss on the defence's own D(x') rises, whatever the seeds of the two."""
    images, labels = toy_cifar10.examples.images[:2], toy_cifar10.examples.labels[:2]
    make = unseen_attacks("cifar10", "dp-fixed")["gradient-l2"].make
    attacked = make(toy_cifar10, images, labels, [5, 6])
    method = fit("dp-fixed", toy_cifar10)
    assert isinstance(method, DiffPure)
    before, after = (
        torch.nn.functional.cross_entropy(
            toy_cifar10.psi(method.purified(seen, [1, 2]).squeeze(1)), labels, reduction="none"
        )
        for seen in (images, attacked)
    )
    assert bool((after > before).all())


def test_the_second_network_of_cifar10_is_what_has_been_made(quick: None, toy_tables: Path) -> None:
    attack = unseen_attacks("cifar10")["transfer"]
    assert attack.files == ("surrogate.safetensors",)
    images, labels = torch.rand(2, 3, 32, 32), torch.tensor([1, 2])
    bundle = load_bundle("cifar10")
    with pytest.raises(AssetError, match=r"surrogate\.safetensors"):
        attack.make(bundle, images, labels, [5, 6])
    made = {"command": "python -m red_core recipe cifar10"}
    for seed, name in enumerate(("robust-linf", "surrogate")):
        torch.manual_seed(40 + seed)
        network = WideResNet(10, 1)
        write_tensors("cifar10", f"{name}.safetensors", network.state_dict(), **made)
        attack = unseen_attacks("cifar10")["transfer"]
        assert attack.files == (f"{name}.safetensors",)
        network.eval()
        attacked = attack.make(bundle, images, labels, [5, 6])
        loss = torch.nn.functional.cross_entropy
        assert loss(network(attacked), labels) > loss(network(images), labels)
    assert attack.settings["network"] == "surrogate"

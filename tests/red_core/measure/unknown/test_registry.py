"""Every attack that is measured keeps its budget, and says what it is."""

from dataclasses import replace

import pytest
import torch

from red_core.attacks.pgd import PAPER_ATTACKS, attack_norm
from red_core.data.assets import AssetError
from red_core.measure.unknown import GROUPS, unseen_attacks
from red_core.methods import ANSWERS
from red_core.models.dcgan import Encoder
from red_core.run.bundle import Bundle

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

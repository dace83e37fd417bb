"""What every method of the tables promises, one by one."""

from dataclasses import replace

import pytest
import torch
from torch import nn

from red_core.algorithm.presets import PRESETS
from red_core.data.assets import AssetError
from red_core.data.datasets import DATASETS
from red_core.measure.tables import TABLES, entries, title_of
from red_core.measure.tables.spec import has_own_network
from red_core.methods import ANSWERS, METHODS, Answers, fit, methods_of
from red_core.run.bundle import Bundle, load_bundle

# Those that the toy assets suffice for; the others say which file they lack.
READY = (
    *("cnn", "defense-gan", "bsd-gan-paper", "bsd-gan-paper-smooth"),
    *("bsd-gan-frozen", "bsd-gan-best", "bsd-gan-best-smooth"),
)


@pytest.fixture(autouse=True)
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, options in PRESETS.items():
        short = replace(options, start_steps=2, steps=3, halve_at=(), restarts=2, carry=1)
        monkeypatch.setitem(PRESETS, name, short)


def check(answers: Answers, signal: bool, attack: bool, count: int) -> None:
    for labels, given, most in (
        (answers.signal, signal, 10),
        (answers.attack, attack, len(ANSWERS)),
    ):
        assert (labels is not None) == given
        if labels is not None:
            assert labels.shape == (count,)
            assert labels.dtype == torch.int64
            assert 0 <= int(labels.min()) <= int(labels.max()) < most


@pytest.mark.parametrize("key", READY)
def test_a_method_answers_what_it_says_it_answers(key: str, toy_bundle: Bundle) -> None:
    method = fit(key, toy_bundle)
    images = toy_bundle.examples.images[:3]
    answers = method.classify(images, [1, 2, 3])
    check(answers, method.answers_signal, method.answers_attack, 3)
    assert set(answers.readings) == set(method.readings)
    for reading in answers.readings.values():
        check(reading, reading.signal is not None, reading.attack is not None, 3)
        assert reading.signal is not None or reading.attack is not None
    for shown in (answers.reconstruction, answers.perturbation):
        assert shown is None or shown.shape == images.shape


@pytest.mark.parametrize("key", READY)
def test_the_same_seeds_give_the_same_answers(key: str, toy_bundle: Bundle) -> None:
    images = toy_bundle.examples.images[:2]
    first, second = (fit(key, toy_bundle).classify(images, [7, 8]) for _ in range(2))
    for name in ("signal", "attack", "reconstruction"):
        one, two = getattr(first, name), getattr(second, name)
        assert one is two is None or torch.equal(one, two)


@pytest.mark.parametrize("key", sorted(set(METHODS) - set(READY)))
def test_a_method_without_its_files_says_so(key: str, toy_bundle: Bundle) -> None:
    with pytest.raises(AssetError, match=r"\.safetensors|encoder|paper_generator"):
        fit(key, toy_bundle)


@pytest.mark.parametrize("key", METHODS)
def test_a_method_names_itself(key: str) -> None:
    method = METHODS[key]
    assert method.key == key
    assert method.answers_signal or method.answers_attack
    assert method.files
    assert all(name.endswith(".safetensors") for name in method.files)


def test_titles_tell_methods_apart() -> None:
    for spec in TABLES.values():
        titles = [title_of(entry) for key in spec.methods for entry in entries(key)]
        assert len(set(titles)) == len(titles)


def test_an_unknown_key_is_refused(toy_bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="unknown method 'nobody': choose cnn"):
        fit("nobody", toy_bundle)


def test_the_tables_name_methods_that_there_are() -> None:
    for spec in TABLES.values():
        assert set(spec.methods) <= set(METHODS)
        assert spec.dataset in DATASETS
        known = {entry for key in spec.methods for entry in entries(key)}
        assert {entry for pair in spec.pairs for entry in pair[:2]} <= known


@pytest.fixture(scope="module")
def mnist() -> Bundle:
    return load_bundle("mnist")


def test_a_data_set_has_the_methods_that_make_sense_on_it() -> None:
    assert not {"dp", "bsd-dp", "bsd-dp-paper"} & set(methods_of("mnist"))
    assert methods_of("mnist") == methods_of("fashion")
    grey_alone = {"m-2", "m-1", "msd", "norm-ratio"}
    assert not grey_alone & set(methods_of("cifar10"))
    assert "m-inf" in methods_of("cifar10")
    for spec in TABLES.values():
        assert set(spec.methods) <= set(methods_of(spec.dataset))


@pytest.mark.parametrize("key", methods_of("mnist"))
def test_the_tables_know_who_has_a_network_of_its_own(key: str, mnist: Bundle) -> None:
    network = fit(key, mnist).network
    assert has_own_network(key) == (network is not None and network is not mnist.psi)
    assert network is None or isinstance(network, nn.Module)

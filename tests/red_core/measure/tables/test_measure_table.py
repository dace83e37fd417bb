"""Filling a table: which images a method sees, what is kept, what is computed again."""

from pathlib import Path

import pytest
import torch

import red_core.measure.tables.measure_table
from red_core.algorithm.presets import presets_of
from red_core.attacks.pgd import attack_norm
from red_core.data.assets import AssetError, write_tensors
from red_core.measure.tables import Request, TorchrunRanks, measure
from red_core.methods import METHODS, fit
from red_core.methods.networks import Undefended
from red_core.models.classifiers import Table3CNN
from red_core.run.bundle import Bundle
from red_core.run.settings import SettingsError
from tests.red_core.ties import lead

NETWORKS = ("cnn", "m-inf")
BSD_GAN = ("bsd-gan-paper", "bsd-gan-frozen", "bsd-gan-best", "bsd-gan-best-smooth")


def request(**other: object) -> Request:
    asked = {"methods": NETWORKS, "examples": 12, "source": "bundled", "seed": 5, "batch": 5}
    return Request("1", **(asked | other))


@pytest.fixture
def classified(monkeypatch: pytest.MonkeyPatch) -> list[tuple[torch.nn.Module, torch.Tensor]]:
    """Every batch that a network was shown, in order."""
    seen: list[tuple[torch.nn.Module, torch.Tensor]] = []
    classify = Undefended.classify

    def told(self, attacked, seeds, watch=None):
        seen.append((self.network, attacked))
        return classify(self, attacked, seeds, watch)

    monkeypatch.setattr(Undefended, "classify", told)
    return seen


def test_the_record(table_bundle: Bundle, tmp_path: Path) -> None:
    record = measure(table_bundle, request(), tmp_path, TorchrunRanks())
    assert record["true"] == "012345678901"
    assert record["missing"] == {}
    assert set(record["blocks"]) == {"psi", "white-box"}
    assert set(record["blocks"]["psi"]) == {"linf", "l2", "l1", "none"}
    assert set(record["blocks"]["psi"]["l2"]) == set(NETWORKS)
    # psi's own attack is in the other block, and clean images are the same in both.
    assert set(record["blocks"]["white-box"]) == {"linf", "l2", "l1"}
    assert set(record["blocks"]["white-box"]["l2"]) == {"m-inf"}
    clean = table_bundle.examples.images
    logits = table_bundle.psi(clean)
    assert lead(logits) > 1e-2  # the table reads them in batches of five
    answers = logits.argmax(1)
    stored = record["blocks"]["psi"]["none"]["cnn"]
    assert stored["signal"] == "".join(map(str, answers.tolist()))
    assert stored["attack"] is None
    assert (stored["n"], stored["run"]) == (12, 0)
    assert set(stored["files"]) == {"classifier.safetensors"}
    files = record["blocks"]["white-box"]["l1"]["m-inf"]["files"]
    assert set(files) == {"robust-linf.safetensors"}
    assert record["runs"][0]["provenance"]["processes"] == 1
    assert record["runs"][0]["command"] == (
        "python -m red_core evaluate --table 1 --examples 12 --methods cnn,m-inf "
        "--source bundled --seed 5"
    )


def test_the_attacks_go_through_the_right_network(
    table_bundle: Bundle,
    tmp_path: Path,
    classified: list[tuple[torch.nn.Module, torch.Tensor]],
) -> None:
    measure(table_bundle, request(attacks=("linf",), batch=12), tmp_path, TorchrunRanks())
    (psi, seen), (robust, same), (again, own) = classified
    assert psi is table_bundle.psi
    assert robust is again
    assert robust is not psi
    assert torch.equal(seen, same)  # one attack on psi for all methods
    assert not torch.equal(seen, own)
    clean, labels = table_bundle.examples.images, table_bundle.examples.labels
    assert attack_norm(own - clean, "linf").max() <= 0.3 + 1e-5

    def loss(network: torch.nn.Module, images: torch.Tensor) -> float:
        return float(torch.nn.functional.cross_entropy(network(images), labels))

    assert loss(robust, own) > loss(robust, same)
    assert loss(psi, seen) > loss(psi, own)


def test_nothing_kept_is_computed_again(
    table_bundle: Bundle,
    tmp_path: Path,
    classified: list[tuple[torch.nn.Module, torch.Tensor]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = measure(table_bundle, request(), tmp_path, TorchrunRanks())
    assert len(classified) == 3 * (2 * 4 + 3)  # chunks x (psi's block + white-box)
    classified.clear()
    monkeypatch.setattr(
        red_core.measure.attack_cache,
        "craft",
        lambda *_: pytest.fail("crafted a second time"),
    )
    assert measure(table_bundle, request(), tmp_path, TorchrunRanks()) == whole
    assert classified == []
    lost = sorted((tmp_path / "tables" / "m-inf").glob("*.json"))[4]
    lost.write_text('{"cut off')
    assert _answers(measure(table_bundle, request(), tmp_path, TorchrunRanks())) == _answers(whole)
    assert len(classified) == 1


def test_more_images_cost_only_those_that_are_new(
    table_bundle: Bundle,
    tmp_path: Path,
    classified: list[tuple[torch.nn.Module, torch.Tensor]],
) -> None:
    only = {"methods": ("cnn",), "attacks": ("none",)}
    measure(table_bundle, request(examples=5, **only), tmp_path, TorchrunRanks())
    classified.clear()
    measure(table_bundle, request(examples=10, **only), tmp_path, TorchrunRanks())
    assert [len(images) for _, images in classified] == [5]


def test_what_decides_an_answer_decides_whether_it_is_reused(
    table_bundle: Bundle,
    tmp_path: Path,
    classified: list[tuple[torch.nn.Module, torch.Tensor]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    only = request(methods=("m-inf",), attacks=("linf",), blocks=("psi",), batch=12)
    measure(table_bundle, only, tmp_path, TorchrunRanks())

    def again(asked: Request = only) -> int:
        classified.clear()
        measure(table_bundle, asked, tmp_path, TorchrunRanks())
        return len(classified)

    assert again() == 0
    assert again(request(methods=("m-inf",), attacks=("linf",), blocks=("psi",), seed=6)) == 3
    monkeypatch.setattr(
        red_core.measure.tables.measure_table, "method_code", lambda key: "another solver"
    )
    assert again() == 1
    made = {"command": "python -m red_core recipe mnist"}
    write_tensors("mnist", "robust-linf.safetensors", Table3CNN().state_dict(), **made)
    assert again() == 1


def test_the_keys_know_the_options_that_a_method_takes(
    table_bundle: Bundle, toy_cifar10: Bundle
) -> None:
    for bundle in (table_bundle, toy_cifar10):
        for key in ("defense-gan", "dp", "dp-vote", "bsd-dp", "bsd-dp-paper", "cnn", *BSD_GAN):
            if bundle.dataset in METHODS[key].datasets:
                preset = METHODS[key].preset
                expected = None if preset is None else presets_of(bundle.dataset)[preset]
                assert getattr(fit(key, bundle), "options", None) == expected


def test_the_batch_changes_no_answer(
    table_bundle: Bundle,
    tmp_path: Path,
    classified: list[tuple[torch.nn.Module, torch.Tensor]],
) -> None:
    whole = measure(table_bundle, request(), tmp_path / "a", TorchrunRanks())
    other = measure(table_bundle, request(batch=12), tmp_path / "b", TorchrunRanks())
    # Another batch size takes other kernels: every answer has to be far from a tie.
    assert all(lead(network(images)) > 1e-3 for network, images in classified)
    assert _answers(whole) == _answers(other)


def test_a_method_without_its_file_is_skipped_and_named(
    table_bundle: Bundle, tmp_path: Path
) -> None:
    asked = request(methods=(), attacks=("none",), examples=1)
    quick = ("cnn", "m-inf", "m-2")
    object.__setattr__(asked, "methods", quick)
    record = measure(table_bundle, asked, tmp_path, TorchrunRanks())
    assert set(record["blocks"]["psi"]["none"]) == {"cnn", "m-inf"}
    assert set(record["missing"]) == {"m-2"}
    why = "mnist/robust-l2.safetensors is not in the manifest: rebuild with `python -m red_core"
    assert record["missing"]["m-2"].startswith(why)
    with pytest.raises(AssetError, match=r"robust-l2\.safetensors"):
        measure(table_bundle, request(methods=("m-2",)), tmp_path, TorchrunRanks())


def test_readings_are_entries_of_their_own(table_bundle: Bundle, tmp_path: Path) -> None:
    class Short(METHODS["bsd-gan-frozen"]):
        """The method with few steps."""

        def __init__(self, bundle, options):
            quick = {"restarts": 1, "start_steps": 1, "steps": 2, "carry": 1, "halve_at": ()}
            super().__init__(bundle, type(options)(**(vars(options) | quick)))

    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(METHODS, "bsd-gan-frozen", Short)
        assert fit("bsd-gan-frozen", table_bundle).key == "bsd-gan-frozen"
        asked = request(methods=("bsd-gan-frozen",), attacks=("none",), examples=3)
        record = measure(table_bundle, asked, tmp_path, TorchrunRanks())
    stored = record["blocks"]["psi"]["none"]
    assert set(stored) == {"bsd-gan-frozen", "bsd-gan-frozen/defense-gan"}
    assert len(stored["bsd-gan-frozen"]["attack"]) == 3
    assert stored["bsd-gan-frozen/defense-gan"]["attack"] is None


def test_more_images_than_there_are(table_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="13 examples were asked for, and there are 12"):
        measure(table_bundle, request(examples=13), tmp_path, TorchrunRanks())


def _answers(record: dict) -> dict:
    """Every answer, without how long it took."""
    return {
        (block, attack, entry): (stored["signal"], stored["attack"])
        for block, by_attack in record["blocks"].items()
        for attack, by_entry in by_attack.items()
        for entry, stored in by_entry.items()
    }

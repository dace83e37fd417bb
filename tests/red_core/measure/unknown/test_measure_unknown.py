"""The measurement: what is counted, what is kept, what is made anew, what is merged."""

from dataclasses import replace
from pathlib import Path

import pytest

from red_core.measure.intervals import share
from red_core.measure.kept_results import kept_results
from red_core.measure.unknown import measure, registry, unseen_attacks
from red_core.measure.unknown import measure_unknown as measuring
from red_core.measure.unknown.measure_unknown import REPORTS, merged, summarise
from red_core.run.bundle import Bundle, load_bundle
from red_core.run.settings import SettingsError

ANSWERS = {
    "true": [1, 2, 3, 4],
    "psi": [1, 0, 0, 0],
    "signal": [1, 2, 3, 0],
    "signal_psi": [1, 2, 0, 0],
    "answer": ["linf", "unknown", "unknown", "l2"],
    "nearest": ["linf", "linf", "l1", "l2"],
    "linf": [0.1, 0.2, 0.3, 0.4],
    "l2": [1.0, 1.0, 1.0, 2.0],
    "l1": [9.0, 9.0, 9.0, 9.0],
}


def test_the_counts_are_of_the_answers() -> None:
    told = summarise(ANSWERS, unseen_attacks("mnist")["fgsm"])
    assert told["psi"] == share(1, 4)
    assert told["signal"] == share(3, 4)
    assert told["signal_psi"] == share(2, 4)
    assert told["unknown"] == share(2, 4)
    assert told["right"] == share(3, 4), "l-inf is FGSM's own budget"
    assert told["answers"] == {"linf": 1, "l2": 1, "unknown": 2}
    assert told["nearest"] == {"linf": 1, "l1": 1}
    assert told["norms"] == {"linf": 0.25, "l2": 1.25, "l1": 9.0}
    assert summarise(ANSWERS, unseen_attacks("mnist")["patch"])["right"] == share(2, 4)
    assert summarise(ANSWERS, unseen_attacks("mnist")["linf"])["right"] == share(1, 4)


@pytest.fixture
def answered(monkeypatch: pytest.MonkeyPatch) -> list[range]:
    """The chunks that were answered, not read; of two images each."""
    monkeypatch.setattr(measuring, "CHUNK", 2)
    calls: list[range] = []
    original = measuring._answers

    def counted(bundle, attacked, items, seed, method):
        calls.append(items)
        return original(bundle, attacked, items, seed, method)

    monkeypatch.setattr(measuring, "_answers", counted)
    return calls


def test_a_stopped_measurement_goes_on(
    quick: None, toy_bundle: Bundle, tmp_path: Path, answered: list[range], monkeypatch
) -> None:
    whole = measure(toy_bundle, 5, 0, tmp_path, ["noise"])
    assert answered == [range(0, 2), range(2, 4), range(4, 5)]
    answered.clear()
    assert measure(toy_bundle, 5, 0, tmp_path, ["noise"]) == whole
    assert answered == []
    kept = sorted((tmp_path / "unknown").rglob("*.json"))
    kept[1].write_text('{"cut off')
    again = measure(toy_bundle, 5, 0, tmp_path, ["noise"])
    assert answered == [range(2, 4)]
    assert again["attacks"]["noise"]["answers"] == whole["attacks"]["noise"]["answers"]
    answered.clear()
    digest = measuring.code_digest
    another = {measuring.__name__: "another solver"}
    monkeypatch.setattr(measuring, "code_digest", lambda name: another.get(name) or digest(name))
    monkeypatch.setattr(measuring, "_attacked", _crafted_twice(measuring._attacked))
    measure(toy_bundle, 5, 0, tmp_path, ["noise"])
    assert len(answered) == 3


def _crafted_twice(attacked):
    """Other code answers anew, but on the images that were crafted before."""

    def check(bundle, attack, items, seed, path):
        assert path.exists()
        return attacked(bundle, attack, items, seed, path)

    return check


def test_another_seed_is_another_measurement(
    quick: None, toy_bundle: Bundle, tmp_path: Path, answered: list[range]
) -> None:
    measure(toy_bundle, 2, 0, tmp_path, ["noise"])
    measure(toy_bundle, 2, 1, tmp_path, ["noise"])
    assert answered == [range(0, 2)] * 2


def test_the_report_says_what_it_is_of(quick: None, toy_bundle: Bundle, tmp_path: Path) -> None:
    report = measure(toy_bundle, 2, 0, tmp_path, ["none", "fgsm", "transfer"])
    assert list(report["attacks"]) == ["none", "fgsm"]
    assert "surrogate.safetensors" in report["missing"]["transfer"]
    assert report["threshold"] is None, "the toy bundle has no evidence model"
    entry = report["attacks"]["none"]
    assert entry["norms"] == {"linf": 0, "l2": 0, "l1": 0}
    assert entry["n"] == 2
    assert entry["unknown"]["value"] == 0
    assert entry["source"] == "12 bundled held-out examples"
    assert "--attacks none --examples 2 --seed 0" in entry["command"]
    assert set(entry["files"]) == {f"{n}.safetensors" for n in TOY}


TOY = ("classifier", "generator", "dictionary")


def test_merging_keeps_what_is_current(quick: None, toy_bundle: Bundle, tmp_path: Path) -> None:
    first = measure(toy_bundle, 2, 0, tmp_path, ["noise", "transfer"])
    second = measure(toy_bundle, 2, 0, tmp_path, ["none"])
    both = merged(first, second)
    assert list(both["attacks"]) == ["none", "noise"]
    assert set(both["missing"]) == {"transfer"}
    assert merged(None, first) == first
    first["attacks"]["noise"]["files"]["classifier.safetensors"] = "of another classifier"
    assert list(merged(first, second)["attacks"]) == ["none"]


def test_what_cannot_be_measured_is_refused(toy_bundle: Bundle, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="unknown attack 'sneeze': choose linf"):
        measure(toy_bundle, 2, 0, tmp_path, ["sneeze"])
    with pytest.raises(SettingsError, match="13 examples were asked for, and there are 12"):
        measure(toy_bundle, 13, 0, tmp_path)


def test_other_images_are_answered_anew(
    quick: None, toy_bundle: Bundle, tmp_path: Path, answered: list[range]
) -> None:
    first = measure(toy_bundle, 5, 0, tmp_path, ["fgsm"])
    examples = toy_bundle.examples
    renamed = replace(examples, source="the same images under another name")
    answered.clear()
    measure(replace(toy_bundle, examples=renamed), 5, 0, tmp_path, ["fgsm"])
    assert answered == []
    labels = examples.labels.clone()
    labels[3] = (labels[3] + 1) % 10
    repaired = replace(toy_bundle, examples=replace(examples, labels=labels))
    second = measure(repaired, 5, 0, tmp_path, ["fgsm", "noise"])
    assert answered == [range(2, 4), range(0, 2), range(2, 4), range(4, 5)]
    assert second["attacks"]["fgsm"]["key"] != first["attacks"]["fgsm"]["key"]
    second["attacks"].pop("fgsm")
    assert list(merged(first, second)["attacks"]) == ["noise"], "the kept one is of other labels"


def test_each_method_of_cifar10_answers_what_it_can(
    quick: None, toy_cifar10: Bundle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers = replace(toy_cifar10.readers, reader=toy_cifar10.psi, reader_temperature=2.0)
    bundle = replace(toy_cifar10, readers=readers)
    made = []
    monkeypatch.setattr(registry, "craft", _counted(registry.craft, made))
    expected = {
        "bsd-gan-best": {"signal_psi", "unknown", "right", "answers", "nearest"},
        "bsd-dp": {"signal_psi", "unknown", "right", "answers"},
        **{key: {"signal_reader"} for key in ("dp", "dp-fixed", "dp-vote")},
    }
    every = set.union(*expected.values())
    for method, fields in expected.items():
        report = measure(bundle, 2, 0, tmp_path, ["linf", "none"], method)
        assert report["method"] == method
        assert report["threshold"] is None
        entry = report["attacks"]["linf"]
        assert entry.keys() & every == fields
        assert entry["n"] == 2
        assert "diffusion.safetensors" in entry["files"] or method == "bsd-gan-best"
        assert ("--method" in entry["command"]) == (method != "bsd-gan-best")
    assert len(made) == 1, "the same attacked images for every method"


def _counted(function, calls):
    def counting(*given, **named):
        calls.append(given)
        return function(*given, **named)

    return counting


def test_a_method_belongs_to_its_data_set(
    toy_bundle: Bundle, toy_cifar10: Bundle, tmp_path: Path
) -> None:
    with pytest.raises(SettingsError, match="unknown method 'dp': choose bsd-gan-best"):
        measure(toy_bundle, 2, 0, tmp_path, method="dp")
    with pytest.raises(SettingsError, match="unknown method 'cnn': choose bsd-gan-best, bsd-dp"):
        measure(toy_cifar10, 2, 0, tmp_path, method="cnn")


def test_each_method_has_a_report_of_its_own(quick: None, toy_tables: Path, tmp_path: Path) -> None:
    bundle = load_bundle("cifar10")
    for method in ("bsd-gan-best", "dp"):
        measuring.keep_report(measure(bundle, 2, 0, tmp_path, ["none"], method))
    both = [measuring.load_report("cifar10", method) for method in ("bsd-gan-best", "dp")]
    assert [report["method"] for report in both] == ["bsd-gan-best", "dp"]
    kept = {result.name: result for result in kept_results() if result.name in REPORTS}
    assert set(kept) == {"unknown.json", "unknown-dp.json"}
    assert all(result.differences() == [] for result in kept.values())

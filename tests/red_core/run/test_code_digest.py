"""What moves a key, and what does not."""

import importlib.util
import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import torch

import red_core.run.code_digest as code
from red_core.algorithm.options import SolverOptions
from red_core.methods import METHODS
from red_core.run.code_digest import (
    changed_values,
    code_digest,
    digest_of,
    modules_of,
    tensor_digest,
)

ROOT = Path(__file__).resolve().parents[3]
ACCURACY, UNKNOWN = "red_core.measure.accuracy", "red_core.measure.unknown.measure_unknown"
A = '''"""What it is."""
from red_core.other import two
from .below import three

def one():
    """Say."""
    return two() + three
'''
B = "def two():\n    return 2\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of four modules, of which the first imports two."""
    folder = tmp_path / "red_core"
    folder.mkdir()
    (folder / "method.py").write_text(A)
    (folder / "other.py").write_text(B)
    (folder / "below.py").write_text("three = 3\n")
    (folder / "stranger.py").write_text("x = 1\n")
    monkeypatch.setattr(code, "_ROOT", tmp_path)
    return folder


def digest(*by_value: str) -> str:
    code_digest.cache_clear()
    return code_digest("red_core.method", by_value)


@pytest.fixture(autouse=True)
def _no_digest_stays() -> Iterator[None]:
    yield
    code_digest.cache_clear()


def test_what_it_imports_counts(project: Path) -> None:
    before = digest()
    assert digest() == before
    (project / "other.py").write_text(B.replace("2\n", "3\n"))
    assert digest() != before
    (project / "other.py").write_text(B)
    assert digest() == before
    (project / "below.py").write_text("three = 4\n")
    assert digest() != before


def test_words_layout_and_strangers_do_not_count(project: Path) -> None:
    before = digest()
    longer = A.replace("Say.", "Say it.\n\n    Twice.\n    ").replace("What", "Who")
    (project / "method.py").write_text(
        "# why\n" + longer.replace("two() + three", "(two() + three)")
    )
    (project / "other.py").write_text(B + '\n\n"""A note on what follows."""  # nothing\n')
    (project / "stranger.py").write_text("x = 2\n")
    assert digest() == before


def test_none_true_and_strings_in_code_count(project: Path) -> None:
    seen = set()
    for value in ("None", "True", "''", "'two'", "0", "()"):
        (project / "other.py").write_text(B.replace("return 2", f"return {value}"))
        seen.add(digest())
    assert len(seen) == 6


def test_what_is_in_the_key_by_value_is_left_out(project: Path) -> None:
    before = digest("red_core.other")
    (project / "other.py").write_text(B.replace("2\n", "3\n"))
    assert digest("red_core.other") == before
    code_digest.cache_clear()
    assert code_digest("red_core.other", ("red_core.other",)) != before  # what is asked for counts


def test_a_digest_is_of_the_first_call(project: Path) -> None:
    before = digest()
    (project / "other.py").write_text("")
    assert code_digest("red_core.method", ()) == before


def test_no_module_no_digest(project: Path) -> None:
    with pytest.raises(ValueError, match=r"no module 'red_core\.nobody'"):
        code_digest("red_core.nobody")


def _solver_modules() -> list[str]:
    """The modules of Algorithm 1, but for the numbers and the loop that only checks it."""
    names = {path.stem for path in (ROOT / "red_core" / "algorithm").glob("*.py")}
    return sorted(f"red_core.algorithm.{n}" for n in names - {"__init__", "presets", "plain_loop"})


DECIDING = [
    *_solver_modules(),
    *("red_core.run.prior", "red_core.run.experiment", "red_core.run.bundle"),
    *("red_core.models.purifier", "red_core.models.dcgan", "red_core.models.style"),
]


@pytest.mark.parametrize("module", DECIDING)
def test_every_part_of_the_solver_moves_the_digests(
    module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, added = code._source, [b"", b""]

    def changed(name: str) -> bytes:
        return added[0] + read(name) + added[1] if name == module else read(name)

    monkeypatch.setattr(code, "_source", changed)
    roots = (ACCURACY, UNKNOWN, METHODS["bsd-gan-best"].__module__)

    def digests() -> list[str]:
        code_digest.cache_clear()
        return [code_digest(root) for root in roots]

    before = digests()
    added[0] = b"# a comment\n"
    assert digests() == before
    added[1] = b"\nADDED = 1\n"
    assert all(old != new for old, new in zip(before, digests(), strict=True))


def test_what_attacks_moves_what_attacks_but_not_the_answers_on_given_images() -> None:
    for root in (
        ACCURACY,
        UNKNOWN,
        "red_core.measure.assumption",
        "red_core.measure.start_classes",
    ):
        assert "red_core.attacks.pgd" in modules_of(root)
    method = METHODS["bsd-gan-best"].__module__
    assert "red_core.attacks.pgd" not in modules_of(method, ("red_core.attacks",))
    assert {"red_core.attacks.simple", "red_core.attacks.patch"} <= modules_of(UNKNOWN)


def test_methods_have_digests_of_their_own() -> None:
    best, cnn = (METHODS[key].__module__ for key in ("bsd-gan-best", "cnn"))
    assert code_digest(best) != code_digest(cnn)
    assert "red_core.sbsc" in modules_of(METHODS["sbsc"].__module__)
    assert not {name for name in modules_of(best) if name.startswith("red_core.sbsc")}


def test_what_is_left_out_exists_and_has_its_reason() -> None:
    for name, reason in code._ELSEWHERE.items():
        assert importlib.util.find_spec(name) is not None, name
        assert len(reason.split()) >= 4
    reached = modules_of(ACCURACY)
    assert {n for n in reached if n.startswith(("red_core.data", "red_core.measure.tables"))} == {
        "red_core.data.attack_file"  # which decodes D_a of CIFAR-10
    }


def test_values_are_compared_as_values() -> None:
    assert digest_of({"a": (1, 2), "b": 0.5}) == digest_of({"b": 0.5, "a": [1, 2]})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
    with pytest.raises(ValueError, match="not JSON compliant"):
        digest_of(float("nan"))


def test_images_and_labels_are_compared_by_content() -> None:
    images, labels = torch.rand(3, 1, 2, 2), torch.tensor([1, 2, 3])
    before = tensor_digest(images, labels)
    assert tensor_digest(images.clone(), labels.clone()) == before
    assert tensor_digest(images.transpose(2, 3).contiguous().transpose(2, 3), labels) == before
    nearly = images.clone()
    nearly[2, 0, 1, 1] += 1e-6
    for changed in ((nearly, labels), (images, labels.flip(0)), (images.view(3, 1, 4, 1), labels)):
        assert tensor_digest(*changed) != before


def test_an_option_added_later_at_its_default_moves_no_key() -> None:
    @dataclass(frozen=True)
    class Later(SolverOptions):
        momentum: float = 0.0

    old = SolverOptions(steps=7, halve_at=(3, 5))
    assert changed_values(old) == {"steps": 7, "halve_at": (3, 5)}
    assert changed_values(Later(**vars(old))) == changed_values(old)
    assert changed_values(Later(**vars(old), momentum=0.7)) == {
        **changed_values(old),
        "momentum": 0.7,
    }
    assert changed_values(replace(old, steps=8)) != changed_values(old)
    json.dumps(changed_values(old))

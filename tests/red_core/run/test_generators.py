"""The paper's own generator: what is loaded with it, and where there is none."""

from pathlib import Path

import pytest
import torch

from red_core.algorithm.presets import GENERATORS, PAPER_FILES, files_of, presets_of, presets_with
from red_core.data.assets import AssetError, read_tensors, write_tensors
from red_core.data.datasets import DATASETS
from red_core.models.classifiers import Table3CNN
from red_core.models.dcgan import DCGANGenerator, Encoder
from red_core.run.bundle import has_generator, load_bundle
from red_core.run.prior import GaussianPrior


@pytest.fixture
def with_encoder(toy_generators: Path) -> Path:
    """The toy assets with an encoder and a reader, which were trained on our own G."""
    made = {"command": "python -m red_core recipe mnist"}
    write_tensors("mnist", "encoder.safetensors", Encoder().state_dict(), **made)
    reader = {**Table3CNN().state_dict(), "temperature": torch.tensor(1.5)}
    write_tensors("mnist", "reader.safetensors", reader, **made)
    return toy_generators


def test_g_is_the_one_of_the_named_file_and_its_prior_is_normal(toy_generators: Path) -> None:
    z = torch.randn(3, 100)
    made = {}
    for name, file in GENERATORS.items():
        bundle = load_bundle("mnist", generator=name)
        written = DCGANGenerator().eval()
        written.load_state_dict(read_tensors("mnist", file))
        made[name] = bundle.generator(z)
        torch.testing.assert_close(made[name], written(z))
        assert bundle.generator_name == name
        assert isinstance(bundle.prior, GaussianPrior)
        assert not bundle.prior.centre().any()
    assert not torch.allclose(made["own"], made["dcgan"])


def test_networks_trained_on_our_g_are_not_loaded_beside_another(with_encoder: Path) -> None:
    ours, papers = (load_bundle("mnist", generator=name) for name in GENERATORS)
    assert ours.encoder is not None
    assert ours.readers.reader is not None
    assert papers.encoder is None
    assert papers.readers == papers.paper_readers()
    assert papers.prior.guess(papers.examples.images[:1]) is None


def test_a_generator_that_was_not_made_says_how_to_make_it(toy_generators: Path) -> None:
    assert has_generator("mnist", "dcgan")
    assert not has_generator("fashion", "dcgan")
    with pytest.raises(AssetError, match="recipe fashion --only paper_generator") as caught:
        load_bundle("fashion", generator="dcgan")
    assert "\n" not in str(caught.value)


def test_a_changed_file_is_refused(toy_generators: Path) -> None:
    path = toy_generators / "mnist" / "paper-generator.safetensors"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(AssetError, match="damaged or truncated"):
        load_bundle("mnist", generator="dcgan")


@pytest.mark.parametrize(("dataset", "name"), [("cifar10", "dcgan"), ("mnist", "gan")])
def test_a_generator_that_there_is_not(toy_assets: Path, dataset: str, name: str) -> None:
    with pytest.raises(ValueError, match=f"has no generator '{name}'"):
        load_bundle(dataset, generator=name)
    assert dataset == "mnist" or not has_generator(dataset, name)


def test_the_papers_generator_goes_with_presets_of_psi_g_and_d_a_alone() -> None:
    for dataset in DATASETS:
        assert presets_with(dataset, "own") == tuple(presets_of(dataset))
    assert presets_with("cifar10", "dcgan") == ()
    for dataset in ("mnist", "fashion"):
        allowed = presets_with(dataset, "dcgan")
        assert {"paper", "paper-frozen"} <= set(allowed) < set(presets_of(dataset))
        assert "best" not in allowed


def test_the_files_of_a_preset_name_its_generator() -> None:
    assert files_of("paper") == PAPER_FILES
    files = set(files_of("paper", "dcgan"))
    assert files == {*PAPER_FILES} - {"generator.safetensors"} | {"paper-generator.safetensors"}

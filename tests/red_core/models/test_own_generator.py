"""A user's own generator: safetensors only, and a network that keeps the interface."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from red_core.models.generator_interface import GeneratorError, check_generator
from red_core.models.model_file import ARCHITECTURE, INIT, ModelFileError
from red_core.models.own_generator import LatentGenerator, StyleGANAdapter, load_own_generator
from red_core.models.style import StyleGenerator
from red_core.recipes.cifar10.adam_inversion import InversionOptions, invert


@pytest.fixture
def stylegan(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of a network that is shaped like StyleGAN, on the path as a user's would be."""
    monkeypatch.syspath_prepend(str(Path(__file__).resolve().parents[1]))
    import stylegan_like

    return stylegan_like


def write(path: Path, network: nn.Module, **metadata: str) -> Path:
    tensors = {name: t.contiguous().clone() for name, t in network.state_dict().items()}
    save_file(tensors, path, {f"red.{name}": value for name, value in metadata.items()})
    return path


def ours() -> StyleGenerator:
    torch.manual_seed(0)
    generator = StyleGenerator((8, 8, 8, 8), 6, 10, 3)
    generator.measure_means(20)
    return generator


def test_a_file_of_the_house_needs_no_factory(tmp_path: Path) -> None:
    generator = ours()
    path = write(tmp_path / "g.safetensors", generator, architecture="red-style")
    loaded = load_own_generator(path)
    labels = torch.tensor([0, 2])
    with torch.no_grad():
        assert torch.allclose(loaded.sample(labels, [1, 2]), generator.sample(labels, [1, 2]))


def test_a_foreign_network_is_built_filled_and_inverted(tmp_path: Path, stylegan: Any) -> None:
    torch.manual_seed(0)
    network = stylegan.Generator(num_ws=3)
    init = json.dumps({"num_ws": 3})
    path = write(tmp_path / "g.safetensors", network, architecture="foreign", init=init)
    loaded = load_own_generator(path, stylegan.Generator)
    assert (loaded.latent, loaded.width, loaded.layers, loaded.classes) == (5, 7, 3, 3)
    z, labels = torch.randn(2, 5), torch.tensor([2, 0])
    c = torch.tensor([[0.0, 0, 1], [1, 0, 0]])
    with torch.no_grad():
        ws = network.mapping(z, c)
        images = (network.synthesis(ws, noise_mode="const") / 2 + 0.5).clamp(0, 1)
    assert torch.allclose(loaded.mapping(z, labels), ws[:, 0])
    assert torch.allclose(loaded.synthesis(ws), images, atol=1e-6)
    found = invert(loaded, images, InversionOptions(steps=150, rate=0.1))
    assert (found.distance < 0.1).all()


def test_mean_w_is_the_mean_of_seeded_draws(stylegan: Any) -> None:
    network = stylegan.Generator().eval().requires_grad_(False)
    first, again = StyleGANAdapter(network), StyleGANAdapter(network)
    assert torch.equal(first.mean_w(), again.mean_w())
    z = torch.randn(20_000, 5)
    w = first.mapping(z, torch.full((len(z),), 1))
    assert torch.allclose(first.mean_w(torch.tensor([1]))[0], w.mean(0), atol=0.06)
    assert torch.allclose(first.mean_w(), first.mean_w(torch.arange(3)).mean(0, keepdim=True))


def test_a_network_without_classes_has_one(stylegan: Any) -> None:
    own = StyleGANAdapter(stylegan.Generator(c_dim=0))
    assert own.classes == 1
    check_generator(own)


def test_a_function_may_build_a_network_that_keeps_the_interface(tmp_path: Path) -> None:
    path = write(tmp_path / "g.safetensors", ours(), architecture="foreign")
    loaded = load_own_generator(path, lambda: StyleGenerator((8, 8, 8, 8), 6, 10, 3))
    assert loaded.sample(torch.tensor([1]), [0]).shape == (1, 3, 32, 32)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"img_resolution": 64}, "the network draws 3 x 64 x 64, and 3 x 32 x 32 is needed"),
        ({"img_channels": 1}, "the network draws 1 x 32 x 32"),
    ],
)
def test_images_of_another_shape_are_refused(
    stylegan: Any, arguments: dict[str, int], said: str
) -> None:
    with pytest.raises(ModelFileError, match=said):
        StyleGANAdapter(stylegan.Generator(**arguments))


def test_a_network_that_is_no_stylegan_is_refused(stylegan: Any) -> None:
    with pytest.raises(ModelFileError, match="the network has no `z_dim`, as a StyleGAN has"):
        StyleGANAdapter(nn.Linear(2, 2))
    network = stylegan.Generator()

    def uneven(ws: Any) -> Any:
        return ws * torch.arange(1.0, 5)[:, None]

    network.mapping.register_forward_hook(lambda module, given, ws: uneven(ws))
    with pytest.raises(ValueError, match="must give every layer the same w"):
        StyleGANAdapter(network)


def test_a_network_that_breaks_the_interface_is_refused(tmp_path: Path) -> None:
    class Noisy(StyleGenerator):
        def synthesis(self, w: Tensor) -> Tensor:
            return super().synthesis(w) * torch.rand(1)

    path = write(tmp_path / "g.safetensors", ours(), architecture="foreign")
    with pytest.raises(GeneratorError, match="it must draw no noise"):
        load_own_generator(path, lambda: Noisy((8, 8, 8, 8), 6, 10, 3))


def refused(path: Path, factory: Any = None) -> str:
    with pytest.raises(ModelFileError) as error:
        load_own_generator(path, factory)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_files_that_are_no_safetensors_are_refused(tmp_path: Path) -> None:
    assert "there is no file" in refused(tmp_path / "nowhere.safetensors")
    assert "there is no file" in refused(tmp_path)
    pickle = tmp_path / "g.pkl"
    torch.save(ours().state_dict(), pickle)
    assert "convert it with `python -m red_core convert`" in refused(pickle)
    renamed = pickle.rename(tmp_path / "g.safetensors")
    assert "damaged, truncated or no safetensors file" in refused(renamed)
    empty = tmp_path / "empty.safetensors"
    empty.touch()
    assert "is empty" in refused(empty)


def test_truncated_and_oversized_files_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "g.safetensors", ours(), architecture="red-style")
    whole = path.read_bytes()
    for length in (4, 100, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert "damaged, truncated" in refused(path)
    path.write_bytes(struct.pack("<Q", 2**60) + whole[8:])  # a header without end
    assert "damaged, truncated" in refused(path)
    path.write_bytes(whole)
    monkeypatch.setattr("red_core.models.model_file.MAX_TENSORS", 3)
    assert "holds more than 3 tensors" in refused(path)
    monkeypatch.setattr("red_core.models.model_file.MAX_BYTES", 1000)
    assert "is larger than" in refused(path)


def test_a_file_that_says_it_is_of_the_house_must_be(tmp_path: Path, stylegan: Any) -> None:
    path = write(tmp_path / "g.safetensors", stylegan.Generator(), architecture="red-style")
    assert "but its tensors are others" in refused(path)


def test_a_made_up_shape_allocates_nothing(tmp_path: Path) -> None:
    """Its widths are read off single axes; a network of them would fill any memory."""
    tensors = ours().state_dict()
    tensors["map.0.weight"] = torch.zeros(10_000_000, 1)
    path = tmp_path / "g.safetensors"
    save_file(tensors, path, {ARCHITECTURE: "red-style"})
    assert "but its tensors are others" in refused(path)


def test_factories_that_do_not_fit_are_refused(tmp_path: Path, stylegan: Any) -> None:
    init = json.dumps({"num_ws": 3})
    network = stylegan.Generator(num_ws=3)
    path = write(tmp_path / "g.safetensors", network, architecture="foreign", init=init)
    assert "name the Python file whose build() makes it" in refused(path)
    assert "the factory made str, no torch module" in refused(path, stylegan.build_other)
    assert "cannot be called with the init arguments" in refused(path, lambda: network)
    assert "holds, but the network does not have, 2 tensors" in refused(
        path, lambda num_ws: stylegan.Generator(num_ws=2)
    )
    assert "lacks 2 tensors, such as synthesis.layers.3.bias" in refused(
        path, lambda num_ws: stylegan.Generator(num_ws=4)
    )
    assert "mapping.layer.weight is [7, 8], and the network needs [7, 9]" in refused(
        path, lambda num_ws: stylegan.Generator(num_ws=3, z_dim=6)
    )
    write(path, network, architecture="foreign", init="{")
    assert "cannot be called with the init arguments" in refused(path, stylegan.Generator)


def test_the_header_never_names_code_to_run(tmp_path: Path, stylegan: Any) -> None:
    path = tmp_path / "g.safetensors"
    metadata = {"architecture": "foreign", "class": "stylegan_like.Generator"}
    write(path, stylegan.Generator(), **metadata)
    assert "holds the tensors of stylegan_like.Generator: name the Python file" in refused(path)
    save_file({"a": torch.zeros(1)}, path, {ARCHITECTURE: "foreign", INIT: "[1]"})
    assert "cannot be called with the init arguments" in refused(path, stylegan.Generator)


class Plain(nn.Module):
    """z [B, 6, 1, 1] -> grey images in [-1, 1], as a DCGAN has it."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.ConvTranspose2d(6, 1, 4)

    def forward(self, z: Tensor) -> Tensor:
        return torch.tanh(self.layer(z))


def plain(tmp_path: Path, network: nn.Module | None = None, **how: Any) -> LatentGenerator:
    torch.manual_seed(0)
    made = network or Plain()
    path = write(tmp_path / "g.safetensors", made)
    chosen = {"image_shape": (1, 4, 4), "latent_shape": (6, 1, 1), **how}
    loaded = load_own_generator(path, lambda: made, **chosen)
    assert isinstance(loaded, LatentGenerator)
    return loaded


def test_any_network_from_z_to_images_is_a_generator_of_flat_z(tmp_path: Path) -> None:
    loaded = plain(tmp_path)
    assert (loaded.latent, loaded.signed) == (6, True)
    z = torch.randn(3, 6)
    with torch.no_grad():
        assert torch.equal(loaded(z), loaded.network(z.view(3, 6, 1, 1)) / 2 + 0.5)

    class Positive(Plain):
        def forward(self, z: Tensor) -> Tensor:
            return super().forward(z) / 2 + 0.5

    positive = Positive()
    positive.load_state_dict(loaded.network.state_dict())
    moved = plain(tmp_path, positive)
    assert not moved.signed
    assert torch.allclose(moved(z), loaded(z), atol=1e-6)


def test_a_uniform_latent_is_a_function_of_a_normal_one(tmp_path: Path) -> None:
    class Same(Plain):
        def forward(self, z: Tensor) -> Tensor:
            return z.view(-1, 1, 2, 3) + 0 * self.layer.bias.sum()

    loaded = plain(tmp_path, Same(), image_shape=(1, 2, 3), prior="uniform")
    values = 2 * loaded(torch.randn(20_000, 6)) - 1
    shares = [float((values < edge).float().mean()) for edge in (-0.5, 0.0, 0.5)]
    assert shares == pytest.approx([0.25, 0.5, 0.75], abs=0.01)


@pytest.mark.parametrize(
    ("change", "how", "said"),
    [
        (lambda x: x, {"latent_shape": (5, 1, 1)}, "does not take z of shape [5, 1, 1]"),
        (lambda x: x, {"latent_shape": ()}, "a latent shape is whole numbers from 1"),
        (lambda x: x, {"prior": "cauchy"}, "unknown prior 'cauchy': choose normal or uniform"),
        (lambda x: x, {"image_shape": (1, 28, 28)}, "draws [1, 4, 4], and [1, 28, 28] is needed"),
        (lambda x: 255 * x, {}, "not in [0, 1] or [-1, 1]"),
        (lambda x: x * torch.nan, {}, "values that are not finite"),
        (lambda x: x - x.mean(0), {}, "depends on its neighbours"),
        (lambda x: x.detach(), {}, "no finite gradient"),
        (lambda x: x.sign(), {}, "no finite gradient"),
    ],
)
def test_a_network_that_cannot_be_inverted_is_refused(
    tmp_path: Path, change: Any, how: dict[str, Any], said: str
) -> None:
    class Changed(Plain):
        def forward(self, z: Tensor) -> Tensor:
            return change(super().forward(z))

    with pytest.raises(ModelFileError) as error:
        plain(tmp_path, Changed(), **how)
    assert said in str(error.value)

"""A tiny foreign classifier, end to end: checked, attacked, written, loaded, and refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

from red_core.api import load, undo
from red_core.attacks.pgd import AttackSettings
from red_core.cli import main
from red_core.data.assets import AssetError, assets_at, assets_root, read_manifest
from red_core.data.datasets import ImageSet
from red_core.models.model_file import build_function
from red_core.recipes.dictionary import StillAttacksError, attack_blocks
from red_core.recipes.project import ProjectRequest, make_project
from red_core.run.bundle import load_bundle, load_examples
from red_core.run.project import OwnClassifier, ProjectBundle, ProjectError, load_project

MODULE = """
from torch import nn

def build():
    layers = (nn.AvgPool2d(2), nn.Flatten(), nn.Linear(196, 24), nn.ReLU(), nn.Linear(24, 10))
    return nn.Sequential(*layers)
"""
QUICK = {
    "linf": AttackSettings("linf", 0.3, 0.1, 3),
    "l2": AttackSettings("l2", 2.0, 0.7, 3),
    "l1": AttackSettings("l1", 10.0, 4.0, 3),
}
SHORT = ["--preset", "paper", "--set", "restarts=2", "--set", "start_steps=5", "--set", "steps=5"]


def trained(data: ImageSet, module: str = MODULE) -> nn.Module:
    """The network of a module file, fitted to a few images."""
    torch.manual_seed(0)
    defined: dict[str, Any] = {}
    exec(module, defined)
    network: nn.Module = defined["build"]()
    optimiser = torch.optim.Adam(network.parameters(), 0.01)
    for _ in range(150):
        loss = nn.functional.cross_entropy(network(data.images), data.labels)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return network.eval()


@pytest.fixture
def data(toy_assets: Path, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    """MNIST's toy examples, which `official_images` holds too."""
    return official_images("mnist", monkeypatch)


def official_images(dataset: str, monkeypatch: pytest.MonkeyPatch) -> ImageSet:
    """The toy examples, and noisy copies of them in the place of the official training images."""
    examples = load_examples(dataset)
    noisy = [
        (examples.images + 0.05 * torch.randn(examples.images.shape)).clamp(0, 1) for _ in range(5)
    ]
    train = ImageSet(torch.cat(noisy), examples.labels.repeat(5), "noisy examples")

    def official(dataset: str, split: str) -> ImageSet:
        return train if split == "train" else examples

    monkeypatch.setattr("red_core.recipes.project.load_official", official)
    monkeypatch.setattr("red_core.recipes.project.PAPER_ATTACKS", {dataset: QUICK})
    return examples


@pytest.fixture
def request_of(tmp_path: Path, data: ImageSet) -> ProjectRequest:
    """A request for a project of a trained network, two images a class and attack."""
    weights, module = tmp_path / "net.safetensors", tmp_path / "net.py"
    save_file({k: v.contiguous() for k, v in trained(data).state_dict().items()}, weights)
    module.write_text(MODULE)
    return ProjectRequest(tmp_path / "made", "tiny", "mnist", weights, module=module, per_class=2)


def test_a_project_is_made_loaded_and_used(
    request_of: ProjectRequest, data: ImageSet, capsys: pytest.CaptureFixture[str]
) -> None:
    said: list[str] = []
    outside = assets_root()
    project = make_project(request_of, said.append)
    assert assets_root() == outside
    assert said[0] == "classifier  right on 100.0% of 12 images of 12 bundled held-out examples"
    assert any("of its linf attacks change the classifier's answer" in line for line in said)
    assert not (request_of.folder / ".work").exists()
    parts = load(project=request_of.folder)
    assert isinstance(parts, ProjectBundle)
    assert torch.allclose(parts.psi(data.images), trained(data)(data.images), atol=1e-5)
    assert parts.dictionary.atoms.shape == (784, 60)
    assert parts.readers == parts.paper_readers()
    bundled = load_bundle("mnist")
    assert torch.equal(parts.generator(torch.ones(1, 100)), bundled.generator(torch.ones(1, 100)))
    entry = read_manifest_of(request_of)["classifier.safetensors"]
    assert entry["measured"]["accuracy"] == 1
    assert entry["command"] == (
        "python -m red_core project new tiny --dataset mnist --seed 0 "
        "--classifier net.safetensors --module net.py --per-class 2"
    )

    found = undo(parts, data.images[:2], "paper", restarts=2, start_steps=2, steps=2)
    assert found.attacks[0] in ("linf", "l2", "l1", "none")
    out = request_of.folder / "run.json"
    words = ["run", "--project", str(request_of.folder), "--steps", "3", *SHORT]
    assert main([*words, "--device", "cpu", "--json", str(out)]) == 0
    assert f"project   {project.label()}" in capsys.readouterr().out
    report = json.loads(out.read_text())
    assert report["project"] == project.label()
    assert f" run --project {request_of.folder} --attack linf" in report["command"]
    words = ["evaluate", "--project", str(request_of.folder), "--attack", "none", *SHORT]
    words += ["--examples", "3", "--work", str(request_of.folder / "kept"), "--json", str(out)]
    assert main([*words, "--device", "cpu"]) == 0
    report = json.loads(out.read_text())
    assert report["assets"]["classifier.safetensors"] == entry["sha256"]
    assert report["adversarial_accuracy"]["value"] == 1
    assert main(["project", "show", str(request_of.folder)]) == 0
    shown = capsys.readouterr().out
    assert "file        dictionary.safetensors: sound" in shown
    assert "BAD" not in shown


def read_manifest_of(request: ProjectRequest) -> dict[str, Any]:
    path = request.folder / request.dataset / "manifest.json"
    content: dict[str, Any] = json.loads(path.read_text())
    return content


def test_two_projects_do_not_mix(request_of: ProjectRequest, tmp_path: Path) -> None:
    make_project(request_of, lambda line: None)
    weights = tmp_path / "other.safetensors"
    other = trained(load_examples("mnist"))
    with torch.no_grad():
        other[4].bias += torch.arange(10.0) * 0.01
    save_file({k: v.contiguous() for k, v in other.state_dict().items()}, weights)
    second = replace(
        request_of, folder=tmp_path / "second", name="second", classifier=weights, std=(2.0,)
    )
    make_project(second, lambda line: None)
    first_parts, second_parts = load_project(request_of.folder), load_project(second.folder)
    z = torch.zeros(1, 100)
    difference = second_parts.psi(first_parts.generator(z)) - first_parts.psi(
        second_parts.generator(z)
    )
    assert not torch.allclose(difference, torch.zeros(10), atol=1e-2)
    two = trained(load_examples("mnist"))(first_parts.generator(z) / 2)
    assert torch.allclose(
        second_parts.psi(first_parts.generator(z)), two + torch.arange(10.0) * 0.01, atol=1e-4
    )
    assert not torch.equal(first_parts.dictionary.atoms, second_parts.dictionary.atoms)
    with assets_at(second.folder), pytest.raises(AssetError, match="use --project"):
        load_bundle("mnist")
    assert not read_manifest("mnist")["classifier.safetensors"].get("module")  # the outer assets


def test_the_same_weights_read_otherwise_have_another_checksum(request_of: ProjectRequest) -> None:
    """What is kept of an evaluation is named by checksums: it must not be another project's."""
    assert request_of.module is not None
    found = set()
    changed = request_of.module.with_name("changed.py")
    changed.write_text(f"{MODULE}\n# the same network")
    for number, change in enumerate(({}, {"std": (3.0,)}, {"mean": (0.01,)}, {"module": changed})):
        request = replace(request_of, folder=request_of.folder / str(number), **change)
        make_project(request, lambda line: None)
        found.add(read_manifest_of(request)["classifier.safetensors"]["sha256"])
    assert len(found) == 4


def test_a_stopped_project_goes_on_and_a_finished_one_stays(
    request_of: ProjectRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    crafted: list[str] = []

    def stopping(
        psi: nn.Module, images: Tensor, labels: Tensor, settings: Any, seeds: Any
    ) -> Tensor:
        if len(images) == 2:  # a block of the dictionary, not the trial
            crafted.append(settings.kind)
            if len(crafted) == 13:
                raise KeyboardInterrupt
        return (images + 0.1 * torch.rand(images.shape)).clamp(0, 1)

    monkeypatch.setattr("red_core.recipes.dictionary.craft", stopping)
    with pytest.raises(KeyboardInterrupt):
        make_project(request_of, lambda line: None)
    with pytest.raises(ProjectError, match="is no finished project"):
        load_project(request_of.folder)
    make_project(request_of, lambda line: None)
    assert len(crafted) == 30 + 1
    with pytest.raises(ProjectError, match="holds a project already"):
        make_project(request_of)


def test_without_the_official_images_nothing_is_made(
    toy_assets: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["project", "new", "tiny", "--folder", str(tmp_path / "made"), "--classifier", "x"]
    assert main(words) == 2
    assert "MNIST is not under" in capsys.readouterr().err
    assert not (tmp_path / "made" / "project.json").exists()


def test_more_images_than_there_are_are_refused(request_of: ProjectRequest) -> None:
    with pytest.raises(
        ProjectError, match="a class has only 5 training images, and 6 are asked for"
    ):
        make_project(replace(request_of, per_class=6))


def test_a_checkpoint_of_another_classifier_is_not_used(data: ImageSet, tmp_path: Path) -> None:
    chosen, path = torch.tensor([[0], [1]]), tmp_path / "blocks.pt"
    first, second = OwnClassifier(trained(data)), OwnClassifier(trained(data), std=(2.0,))
    one, checks = attack_blocks(first, data, chosen, QUICK, 0, path, made_of="a")
    assert torch.equal(attack_blocks(second, data, chosen, QUICK, 0, path, made_of="a")[0], one)
    assert one.shape == (2, 3, 1, 784)
    assert set(checks) == set(QUICK)
    assert all(check["still"] == 0 for check in checks.values())
    other, _ = attack_blocks(first, data, chosen, QUICK, 1, path, made_of="b")
    assert not torch.equal(other, one)


def test_a_block_of_attacks_that_did_not_move_is_refused(data: ImageSet, tmp_path: Path) -> None:
    class Sure(nn.Module):
        def forward(self, images: Tensor) -> Tensor:
            return (
                1e4
                * nn.functional.one_hot(images.argmax(), 10).float()[None].expand(len(images), -1)
                + 0 * images.sum((1, 2, 3))[:, None]
            )

    with pytest.raises(StillAttacksError, match="100% of the linf attacks on class 0 did not move"):
        attack_blocks(Sure(), data, torch.tensor([[0]]), QUICK, 0, tmp_path / "b.pt")


GENERATOR = """
import torch
from torch import nn

class G(nn.Module):
    def __init__(self):
        super().__init__()
        self.images = nn.Parameter(torch.zeros({count}, 784))

    def forward(self, z):
        return (z.softmax(1) @ self.images).view(-1, 1, 28, 28)

def build():
    return G()
"""


def own_generator(request: ProjectRequest, data: ImageSet, count: int) -> ProjectRequest:
    """A generator of convex combinations of the first `count` examples."""
    module, weights = request.folder.parent / "g.py", request.folder.parent / "g.safetensors"
    module.write_text(GENERATOR.format(count=count))
    save_file({"images": data.images[:count].flatten(1).contiguous()}, weights)
    return replace(request, generator=weights, generator_module=module, latent_shape=(count,))


def test_an_own_generator_is_measured_and_used(request_of: ProjectRequest, data: ImageSet) -> None:
    said: list[str] = []
    request = own_generator(request_of, data, 12)
    project = make_project(request, said.append)
    assert any(line.startswith("generator   good enough: 12 held-out images") for line in said)
    assert "generator g.safetensors (100% of its inversions read right)" in project.origin
    parts = load_project(request.folder)
    assert parts.latent == 12
    assert parts.encoder is None
    entry = read_manifest_of(request)["generator.safetensors"]
    assert entry["measured"]["psi_accuracy_of_inversions"] == 1
    assert entry["command"].endswith("--generator-module g.py --latent 12")
    attacked = (data.images[:2] + 0.1).clamp(0, 1)
    found = undo(parts, attacked, "best", start_steps=40, steps=20)
    assert found.labels.tolist() == data.labels[:2].tolist()


def test_a_generator_that_is_not_good_enough_is_refused(
    request_of: ProjectRequest, data: ImageSet
) -> None:
    request = own_generator(request_of, data, 5)
    with pytest.raises(ProjectError, match=r"not good enough: .*\(--accept-generator takes it\)"):
        make_project(request, lambda line: None)
    make_project(replace(request, accept_generator=True), lambda line: None)
    assert load_project(request.folder).latent == 5


def test_a_checkpoint_of_torch_comes_in_through_convert(
    request_of: ProjectRequest, data: ImageSet, capsys: pytest.CaptureFixture[str]
) -> None:
    pickled = request_of.classifier.with_suffix(".pt")
    torch.save({"epoch": 3, "model": trained(data).state_dict()}, pickled)
    with pytest.raises(
        ProjectError, match="write a safetensors file with `python -m red_core conv"
    ):
        make_project(replace(request_of, classifier=pickled))
    converted = request_of.classifier.with_name("converted.safetensors")
    assert main(["convert", str(pickled), str(converted), "--key", "model"]) == 0
    assert "`project new` needs a Python file that builds it" in capsys.readouterr().out
    make_project(replace(request_of, classifier=converted), lambda line: None)
    psi = load_project(request_of.folder).psi
    assert torch.allclose(psi(data.images), trained(data)(data.images), atol=1e-5)


def test_an_exported_classifier_makes_a_project(request_of: ProjectRequest, data: ImageSet) -> None:
    path = request_of.folder.parent / "net.pt2"
    torch.export.save(torch.export.export(trained(data), (data.images[:4],)), path)
    request = replace(request_of, classifier=path, module=None)
    with pytest.raises(ProjectError, match="pass --trusted"):
        make_project(request)
    make_project(replace(request, trusted=True), lambda line: None)
    psi = load_project(request.folder).psi
    assert torch.allclose(psi(data.images), trained(data)(data.images), atol=1e-5)


def test_a_project_that_cannot_be_loaded_again_is_not_finished(
    request_of: ProjectRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loaded(folder: Path, device: object) -> Any:
        parts = load_project(folder)
        assert isinstance(parts.psi, OwnClassifier)
        parts.psi.std.fill_(2.0)
        return parts

    monkeypatch.setattr("red_core.recipes.project.load_project", loaded)
    with pytest.raises(ProjectError, match="answers otherwise when it is loaded again"):
        make_project(request_of, lambda line: None)
    assert not (request_of.folder / "project.json").exists()


COLOUR = """
from torch import nn

def build():
    layers = (nn.AvgPool2d(4), nn.Flatten(), nn.Linear(192, 30), nn.ReLU(), nn.Linear(30, 10))
    return nn.Sequential(*layers)
"""


def test_a_project_of_cifar10_with_a_stylegan_of_ones_own(
    toy_assets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = official_images("cifar10", monkeypatch)
    psi = trained(data, COLOUR)
    save_file({k: v.contiguous() for k, v in psi.state_dict().items()}, tmp_path / "c.safetensors")
    (tmp_path / "c.py").write_text(COLOUR)
    request = ProjectRequest(
        tmp_path / "plain", "plain", "cifar10", tmp_path / "c.safetensors",
        module=tmp_path / "c.py", per_class=2,
    )  # fmt: skip
    make_project(request, lambda line: None)
    parts = load_project(request.folder)
    bundled = load_bundle("cifar10")
    assert parts.prior.shape == bundled.prior.shape
    assert parts.dictionary.atoms.shape == (3072, 60)
    assert parts.dictionary.operator_norm_squared == pytest.approx(
        float(torch.linalg.matrix_norm(parts.dictionary.atoms, 2) ** 2), rel=1e-3
    )
    found = undo(parts, data.images[:2], "best", steps=2, start_steps=2)
    assert found.signal.shape == (2, 3, 32, 32)

    source = Path(__file__).resolve().parents[1] / "stylegan_like.py"
    module = tmp_path / "g.py"
    module.write_text(f"{source.read_text()}\n\nbuild = Generator\n")
    network = build_function(module)()
    save_file({k: v.contiguous() for k, v in network.state_dict().items()}, tmp_path / "g.st")
    own = replace(
        request, folder=tmp_path / "own", generator=tmp_path / "g.st", generator_module=module
    )
    with pytest.raises(ProjectError, match="the generator is not good enough"):
        make_project(own, lambda line: None)
    make_project(replace(own, accept_generator=True), lambda line: None)
    parts = load_project(own.folder)
    assert parts.prior.shape == (4, 7)
    assert undo(parts, data.images[:2], "best", steps=2, start_steps=2).iterate.z.shape == (2, 4, 7)


def test_changed_files_are_refused(request_of: ProjectRequest) -> None:
    make_project(request_of, lambda line: None)
    folder = request_of.folder / "mnist"
    code = folder / "classifier.py"
    code.write_text(f"raise SystemExit('this must not run')\n{MODULE}")
    with pytest.raises(AssetError, match=r"classifier\.py is damaged"):
        load_project(request_of.folder)
    code.write_text(MODULE)
    said = json.loads((request_of.folder / "project.json").read_text())
    for change in ({"format": 2}, {"dataset": "letters"}):
        (request_of.folder / "project.json").write_text(json.dumps({**said, **change}))
        with pytest.raises(ProjectError, match="is of another version"):
            load_project(request_of.folder)
    (request_of.folder / "project.json").write_text("{")
    with pytest.raises(ProjectError, match="is damaged"):
        load_project(request_of.folder)


def test_the_command_refuses_in_one_line(
    request_of: ProjectRequest, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(request_of.folder.parent)
    base = ["project", "new", "tiny", "--classifier", str(request_of.classifier)]
    base += ["--per-class", "2"]
    module = ["--module", str(request_of.module)]
    for words, said in (
        (base, "name the Python file whose build() makes it"),
        ([*base, *module, "--dataset", "letters"], "unknown data set 'letters'"),
        ([*base, *module, "--latent", "5"], "go with --generator-file"),
        ([*base, *module, "--std", "a"], "must be numbers such as 0.5"),
        (["project", "new", "a/b", *base[3:], *module], "is no name of a folder"),
        (["project", "show", "nowhere"], "nowhere is no finished project"),
        (["run", "--project", "nowhere"], "nowhere is no finished project"),
    ):
        assert main(words) == 2
        shown = capsys.readouterr().err
        assert shown.startswith("error: ")
        assert shown.count("\n") == 1
        assert said in shown, shown
    assert main([*base, *module, "--device", "cpu"]) == 0
    assert "use it with: python -m red_core run --project projects/tiny" in capsys.readouterr().out
    for words, said in (
        (["run", "--dataset", "fashion"], "is a project of mnist, not fashion"),
        (["evaluate", "--table", "1"], "--project does not go with --table"),
        (
            ["run", "--set", "restarts=0", "--set", "encoder_start=true"],
            "the project has no encoder: ask for --set restarts=1",
        ),
    ):
        assert main([*words, "--project", "projects/tiny"]) == 2
        assert said in capsys.readouterr().err

"""The lines of `starts.json` in docs/results.md."""

from red_core.measure.intervals import share
from red_core.readme.start_figures import render

REPORT = {
    "dataset": "mnist",
    "generator": "dcgan",
    "attack": "linf",
    "n": 200,
    "steps": 600,
    "same": 0.105,
    "share": share(190, 200),
    "clean": share(2, 200),
    "kept": 0.012,
    "command": "starts --examples 200",
}


def test_a_line_for_each_measured_data_set() -> None:
    assert render({"mnist": {}, "cifar10": {**REPORT, "dataset": "cifar10"}}) == ""
    text = render({"mnist": REPORT, "fashion": {}})
    assert text.startswith("- MNIST: of the first 200 test images under attack, each inverted")
    assert "10.5% in the image's class at the first G(z) and 95.0 (" in text
    assert "1.2% of those that began in another class" in text
    clean = render({"mnist": {**REPORT, "attack": "none"}})
    assert "test images, each inverted" in clean

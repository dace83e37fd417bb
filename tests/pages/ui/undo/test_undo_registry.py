"""What a session holds belongs to the images it was made of."""

from __future__ import annotations

from dataclasses import replace

import torch

from pages.ui.live.loaded_models import Parts
from pages.ui.undo.undo_registry import Desk, Scene
from red_core.run.settings import RunSettings


def after_a_download(parts: Parts) -> Parts:
    """The same networks, and other images under the same numbers."""
    images = torch.flip(parts.bundle.examples.images, (-1,))
    examples = replace(parts.bundle.examples, images=images, source="the official test set")
    return replace(parts, bundle=replace(parts.bundle, examples=examples))


def test_after_a_download_the_same_number_is_another_image(
    parts: Parts, settings: RunSettings
) -> None:
    desk, later = Desk(), after_a_download(parts)
    first = desk.craft(parts, settings, None, lambda _: None)
    assert desk.craft(parts, settings, None, lambda _: None) is first
    second = desk.craft(later, settings, None, lambda _: None)
    assert torch.equal(second.clean, later.bundle.examples.images[[settings.index]])
    assert not torch.equal(second.clean, first.clean)


def test_a_run_of_the_images_before_a_download_is_ended(
    parts: Parts, settings: RunSettings
) -> None:
    desk, later = Desk(), after_a_download(parts)
    made = desk.craft(parts, settings, None, lambda _: None)
    scene = Scene(settings, parts, made, (settings, ""))
    runner = desk.start(scene, paused=True)
    assert desk.runner(scene) is runner
    made = desk.craft(later, settings, None, lambda _: None)
    assert desk.runner(Scene(settings, later, made, (settings, ""))) is None
    runner._thread.join(30)
    assert not runner._thread.is_alive()

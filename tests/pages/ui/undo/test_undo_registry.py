"""What a session holds belongs to the images it was made of."""

from __future__ import annotations

from dataclasses import replace

import torch

from pages.ui.live.loaded_models import LoadedModels
from pages.ui.undo.undo_registry import RunContext, RunRegistry
from red_core.run.settings import RunSettings


def after_a_download(parts: LoadedModels) -> LoadedModels:
    """The same networks, and other images under the same numbers."""
    images = torch.flip(parts.bundle.examples.images, (-1,))
    examples = replace(parts.bundle.examples, images=images, source="the official test set")
    return replace(parts, bundle=replace(parts.bundle, examples=examples))


def test_after_a_download_the_same_number_is_another_image(
    parts: LoadedModels, settings: RunSettings
) -> None:
    registry, later = RunRegistry(), after_a_download(parts)
    first = registry.craft(parts, settings, None, lambda _: None)
    assert registry.craft(parts, settings, None, lambda _: None) is first
    second = registry.craft(later, settings, None, lambda _: None)
    assert torch.equal(second.clean, later.bundle.examples.images[[settings.index]])
    assert not torch.equal(second.clean, first.clean)


def test_a_run_of_the_images_before_a_download_is_ended(
    parts: LoadedModels, settings: RunSettings
) -> None:
    registry, later = RunRegistry(), after_a_download(parts)
    made = registry.craft(parts, settings, None, lambda _: None)
    context = RunContext(settings, parts, made, (settings, ""))
    runner = registry.start(context, paused=True)
    assert registry.runner(context) is runner
    made = registry.craft(later, settings, None, lambda _: None)
    assert registry.runner(RunContext(settings, later, made, (settings, ""))) is None
    runner._thread.join(30)
    assert not runner._thread.is_alive()

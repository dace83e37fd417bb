"""The user's own image in the sidebar: uploads of either shape, and who may draw."""

from __future__ import annotations

import io
from types import SimpleNamespace

import numpy as np
import pytest
import streamlit as st
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from pages.ui.link import page_request, page_state
from pages.ui.undo import help_texts as texts
from pages.ui.undo import image_controls, own_image
from pages.ui.undo.undo_request import Request
from pages.ui.widgets import pictures
from red_core.data.datasets import CLASSES, SHAPES
from red_core.data.intake import Intake, IntakeError
from red_core.run.settings import RunSettings


def png(side: int = 64) -> bytes:
    pixels = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


def npy(shape: tuple[int, ...]) -> bytes:
    stream = io.BytesIO()
    np.save(stream, np.random.default_rng(0).random(shape).astype(np.float32))
    return stream.getvalue()


def held(dataset: str) -> Intake:
    return Intake(torch.rand(SHAPES[dataset]), ("taken from the link as it is",))


def page() -> None:
    """The image's part of the sidebar, for a bundle of the data set in the session."""
    from types import SimpleNamespace

    import streamlit as st

    from pages.ui.undo import image_controls
    from red_core.data.datasets import CLASSES

    dataset = st.session_state["dataset"]
    readers = SimpleNamespace(types=None)
    bundle = SimpleNamespace(dataset=dataset, class_names=CLASSES[dataset], readers=readers)
    made, own = image_controls.image_controls({"example": bundle})
    st.session_state["taken"], st.session_state["made"] = own, made


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(
        image_controls, "_gallery", lambda _: st.session_state.setdefault("ui.index", 0)
    )
    monkeypatch.setattr(pictures, "picture", lambda *_, **__: png(8))
    made = AppTest.from_function(page, default_timeout=30)
    made.session_state["dataset"] = "cifar10"
    made.session_state["ui.picture"] = "example"
    made.session_state["ui.source"] = "upload"
    return made


def test_a_photograph_is_taken_in_colour(app: AppTest) -> None:
    app.run()
    assert app.caption[0].value == texts.WANTED["cifar10"]
    app.file_uploader[0].upload("dog.png", png(), "image/png").run()
    assert not app.exception
    taken = app.session_state["taken"]
    assert taken.image.shape == (3, 32, 32)
    assert torch.equal(taken.image, (taken.image * 255).round() / 255)
    assert app.caption[0].value == "scaled to 32 x 32 pixels"


def test_an_array_of_colours_is_taken_as_it_is(app: AppTest) -> None:
    app.run()
    app.file_uploader[0].upload("x.npy", npy((32, 32, 3))).run()
    assert app.session_state["taken"].image.shape == (3, 32, 32)
    app.file_uploader[0].upload("x.npy", npy((28, 28))).run()
    assert "must have the shape 3 x 32 x 32" in app.error[0].value
    assert app.session_state["taken"].image.shape == (3, 32, 32), "the one before stays"


def attacked(count: int = 1) -> bytes:
    stream = io.BytesIO()
    random = np.random.default_rng(0)
    np.savez(stream, attacked=random.random((count, 28, 28)), image=random.random((count, 28, 28)))
    return stream.getvalue()


def test_it_is_asked_whether_the_image_is_attacked_already(app: AppTest) -> None:
    app.session_state["dataset"] = "mnist"
    app.run()
    assert [radio.label for radio in app.radio] == []
    app.file_uploader[0].upload("r.npz", attacked()).run()
    assert not app.exception
    assert app.radio("ui.attacked").value is True
    assert app.session_state["made"] == {"source": "own", "label": None, "attack": "none"}
    said = [caption.value for caption in app.caption]
    assert "Guessed: yes. The file says that its image is attacked." in said
    app.radio("ui.attacked").set_value(False).run()
    assert "attack" not in app.session_state["made"], "the answer goes before the guess"
    app.file_uploader[0].upload("x.npy", npy((28, 28))).run()
    assert app.radio("ui.attacked").value is False
    said = [caption.value for caption in app.caption]
    assert "Guessed: no. Nothing says that it is attacked." in said


def test_of_several_images_one_is_chosen(app: AppTest) -> None:
    app.session_state["dataset"] = "mnist"
    app.run()
    app.file_uploader[0].upload("r.npz", attacked(3)).run()
    assert app.selectbox("ui.which.mnist.3").options == [f"r.npz, image {i}" for i in range(3)]
    first = app.session_state["taken"].image
    app.selectbox("ui.which.mnist.3").set_value(2).run()
    assert not torch.equal(app.session_state["taken"].image, first)
    assert app.session_state["made"]["attack"] == "none"


def test_a_bad_file_leaves_the_others(app: AppTest) -> None:
    app.session_state["dataset"] = "mnist"
    app.run()
    app.file_uploader[0].set_value(
        [("![x](y).png", b"cut short", "image/png"), ("x.npy", npy((28, 28)), "")]
    ).run()
    assert not app.exception
    assert app.error[0].value == "`![x](y).png` is no PNG, JPEG or WebP image."
    assert app.session_state["taken"].image.shape == (1, 28, 28)


def test_as_the_file_stores_it(app: AppTest) -> None:
    app.session_state["dataset"] = "mnist"
    app.run()
    pixels = np.full((28, 28), 255, np.uint8)
    pixels[4:24, 12:16] = 0
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    app.file_uploader[0].upload("one.png", stream.getvalue()).run()
    assert "inverted: the background was bright" in app.caption[0].value
    app.checkbox("ui.as_is.mnist").check().run()
    assert app.caption[0].value == "taken as it is, as was asked"
    assert torch.equal(app.session_state["taken"].image[0] * 255, torch.tensor(pixels).float())


def test_an_image_of_another_data_sets_shape_is_not_held(app: AppTest) -> None:
    app.session_state["own.upload"] = held("mnist")
    app.run()
    assert app.session_state["taken"] is None
    assert app.caption[0].value == texts.WANTED["cifar10"]


def test_nobody_draws_a_photograph(app: AppTest) -> None:
    app.session_state["ui.source"] = "draw"
    app.run()
    assert not app.exception
    source = app.selectbox("ui.source")
    assert source.value == "gallery"
    assert source.options == ["Gallery of pictures", "Upload a picture", "Made by the generator"]
    assert app.session_state["taken"] is None
    app.session_state["dataset"] = "mnist"
    app.run()
    assert "Draw a digit" in app.selectbox("ui.source").options
    assert app.selectbox("ui.source").value == "gallery"


def test_an_empty_pad_says_that_the_last_drawing_stays(app: AppTest) -> None:
    app.session_state["dataset"], app.session_state["ui.source"] = "mnist", "draw"
    app.run()
    assert texts.PAD_EMPTY not in [caption.value for caption in app.caption]
    app.session_state["own.draw"] = held("mnist")
    app.run()
    assert not app.exception
    assert texts.PAD_EMPTY in [caption.value for caption in app.caption]
    assert app.session_state["taken"] is not None


@pytest.mark.parametrize("dataset", CLASSES)
def test_every_source_has_its_words(dataset: str) -> None:
    labels = image_controls.source_labels(dataset)
    assert ("draw" in labels) == (dataset in own_image.PENS) == (dataset in texts.DRAWN)
    assert dataset in texts.UPLOAD
    assert dataset in texts.WANTED
    about = texts.about(texts.SOURCE, dataset)
    assert "{" not in about
    assert ("**Draw**" in about) == ("draw" in labels)


def test_a_file_of_the_other_shape_is_refused() -> None:
    with pytest.raises(IntakeError, match="28 x 28 or 1 x 28 x 28"):
        own_image.take_file(npy((3, 32, 32)), "x.npy", "fashion")
    with pytest.raises(IntakeError, match="3 x 32 x 32"):
        own_image.take_file(npy((28, 28)), "x.npy", "cifar10")


@pytest.mark.parametrize(("shape", "kept"), [((1, 28, 28), True), ((3, 32, 32), False)])
def test_a_switch_keeps_an_own_image_where_it_fits(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], kept: bool
) -> None:
    own = torch.rand(shape)
    request = Request(RunSettings(source="own", label=3, seed=5), own, run=True)
    state = {"reverse.request": request, "reverse.warnings": ["old"]}
    monkeypatch.setattr(page_request, "st", SimpleNamespace(session_state=state))
    page_state.switch("fashion")
    now = state["reverse.request"]
    assert state["reverse.warnings"] == []
    assert now.settings.dataset == "fashion"
    assert now.settings.seed == 5
    assert now.settings.source == ("own" if kept else "example")
    assert (now.own is own) == kept
    assert not now.run

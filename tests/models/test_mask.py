"""The mask family: faces cut as on the device, imported weights, the guard against shortcuts."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from reflexarc.models import mask
from reflexarc.models.folders import FolderError
from reflexarc.models.pictures import Entry
from reflexarc.perception import Frame
from reflexarc.perception.cameras import read_picture
from reflexarc.perception.tasks import open_task


@pytest.fixture(scope="module")
def packaged() -> Any:
    return mask.imported()


@pytest.fixture(scope="module")
def folder(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every fifteenth photo of each class, under other folder names."""
    folder = tmp_path_factory.mktemp("faces")
    for source, name in (("with_mask", "With Mask"), ("without_mask", "no-mask")):
        (folder / name).mkdir()
        for path in sorted((shared_data / "mask" / source).iterdir())[::15]:
            (folder / name / path.name).symlink_to(path)
    cache = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(cache))
        yield folder


@pytest.fixture(scope="module")
def faces(folder: Path) -> Any:
    return mask.load(folder)


def test_without_a_folder_there_are_bare_faces_to_calibrate_and_test_on() -> None:
    data = mask.load(None)
    assert data.labels == ("mask", "no_mask")
    assert data.train.inputs.shape == (324, 128, 128, 3)
    assert data.test.inputs.shape == (36, 128, 128, 3)
    assert set(data.test.labels) == {1}
    # No portrait is in both, as it is or varied.
    assert not {i.tobytes() for i in data.train.inputs} & {i.tobytes() for i in data.test.inputs}
    assert data.source.licence == "MIT"


def test_faces_are_cut_out_of_photos_and_parts_stay_apart(faces: Any, folder: Path) -> None:
    parts = (faces.train, faces.validation, faces.test)
    assert faces.labels == ("mask", "no_mask")
    assert all(part.inputs.shape[1:] == (128, 128, 3) for part in parts)
    photos = len(list(folder.rglob("*.jpg")))
    assert sum(len(part) for part in parts) + len(faces.skipped) == photos == 120
    assert len(faces.skipped) <= 0.03 * photos
    assert set(faces.skipped.values()) <= {"no face found"}
    # A fifth of each class, as the folder is small.
    assert 22 <= len(faces.test) <= 24


def test_photos_to_test_on_are_known_by_their_names() -> None:
    names = [f"{label}/{i}.jpg" for label in ("a", "b") for i in range(900)]
    entries = [Entry(name, int(name[0] == "b"), "") for name in names]
    kept = mask.held_out(entries)
    assert [entry.path for entry in kept] == names
    for label in (0, 1):
        test = {Path(e.path).name for e in kept if e.part == "test" and e.label == label}
        mine = [Path(e.path).name for e in entries if e.label == label]
        mine.sort(key=lambda name: hashlib.sha256(name.encode()).hexdigest())
        assert test == set(mine[:150])
    assert {entry.part for entry in kept} == {"test", "train"}


def test_training_sees_the_very_bytes_that_the_device_sees(
    folder: Path, faces: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = open_task("mask", device="cpu", people=1)
    judged: list[np.ndarray] = []
    predict = task._model.predict  # type: ignore[attr-defined]
    monkeypatch.setattr(
        task._model,  # type: ignore[attr-defined]
        "predict",
        lambda pixels: (judged.append(pixels.copy()), predict(pixels))[1],
    )
    stored = {
        image.tobytes()
        for part in (faces.train, faces.validation, faces.test)
        for image in part.inputs
    }
    photos = sorted(folder.rglob("*.jpg"))[::6]
    for seq, path in enumerate(photos):
        task.process(Frame(read_picture(path), 0, seq, str(path)))
    assert len(judged) >= 0.95 * len(photos)
    assert {pixels.tobytes() for pixels in judged} <= stored


def test_the_imported_weights_tell_masks_from_bare_faces(packaged: Any, faces: Any) -> None:
    from reflexarc.models.features import answers

    assert packaged.name == "mask"
    right = answers(packaged, mask.SPEC, faces.train.inputs).argmax(axis=1) == faces.train.labels
    # index 0 is "mask"
    assert right.mean() > 0.8


def test_accuracy_is_shown_at_equal_resolutions(packaged: Any, faces: Any) -> None:
    pictures, figures = mask.by_resolution(packaged, faces.test)
    assert pictures["resolution.png"].startswith(b"\x89PNG")
    assert set(figures) == {
        f"{label}, all at {side} px" for label in mask.LABELS for side in (16, 24, 32, 48, 64, 96)
    }
    assert all(0 <= figure <= 1 for figure in figures.values())


def test_a_lower_resolution_has_no_finer_detail() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2, 224, 224, 3), np.uint8)
    low = mask.at_resolution(noise, 32)
    assert low.shape == noise.shape
    # Seven pixels carry one value: neighbours hardly differ.
    assert np.abs(np.diff(low.astype(int), axis=2)).mean() < 3


def test_a_folder_without_faces_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    for name in ("mask", "no_mask"):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for i in range(3):
            grey = np.full((90, 90, 3), 80 + 10 * i, np.uint8)
            cv2.imwrite(str(tmp_path / "photos" / name / f"{i}.png"), grey)
    with pytest.raises(FolderError, match="photos with faces .*found none in 6 photos"):
        mask.load(tmp_path / "photos")

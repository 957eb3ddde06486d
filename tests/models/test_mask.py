"""The mask family: imported weights, folder names, and the guard against shortcuts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from reflexarc.models import mask
from reflexarc.models.folders import Photos


@pytest.fixture(scope="module")
def packaged() -> Any:
    return mask.imported()


@pytest.fixture(scope="module")
def faces(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Every fifteenth photo of each class, under other folder names."""
    folder = tmp_path_factory.mktemp("faces")
    for source, name in (("with_mask", "With Mask"), ("without_mask", "no-mask")):
        (folder / name).mkdir()
        for path in sorted((shared_data / "mask" / source).iterdir())[::15]:
            (folder / name / path.name).symlink_to(path)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield mask.load(folder).train


def test_without_a_folder_there_are_bare_faces_to_calibrate_and_test_on() -> None:
    data = mask.load(None)
    assert data.labels == ("mask", "no_mask")
    assert data.train.inputs.shape == (324, 224, 224, 3)
    assert data.test.inputs.shape == (36, 224, 224, 3)
    assert set(data.test.labels) == {1}
    # No portrait is in both, as it is or varied.
    assert not {i.tobytes() for i in data.train.inputs} & {i.tobytes() for i in data.test.inputs}
    assert data.source.licence == "MIT"


def test_the_imported_weights_tell_masks_from_bare_faces(packaged: Any, faces: Any) -> None:
    from reflexarc.models.features import answers

    assert packaged.name == "mask"
    assert np.bincount(faces.labels).tolist() == [48, 48]
    right = answers(packaged, mask.SPEC, faces.inputs).argmax(axis=1) == faces.labels
    # 89.9 % on the held-back tenth of the whole set; index 0 is "mask"
    assert right.mean() > 0.8


def test_accuracy_is_shown_by_resolution_and_at_equal_ones(packaged: Any, faces: Any) -> None:
    few = Photos(*(part[::8] for part in (faces.inputs, faces.labels, faces.sizes, faces.paths)))
    pictures, figures = mask.by_resolution(packaged, few)
    assert pictures["resolution.png"].startswith(b"\x89PNG")
    own = [name for name in figures if "all at" not in name]
    assert {name.split(",")[0] for name in own} == {"mask", "no_mask"}
    assert all(name.endswith(" px") for name in own)
    assert {name for name in figures if "all at" in name} == {
        f"{label}, all at {side} px" for label in mask.LABELS for side in (32, 48, 64, 96, 128)
    }
    assert all(0 <= figure <= 1 for figure in figures.values())


def test_a_lower_resolution_has_no_finer_detail() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2, 224, 224, 3), np.uint8)
    low = mask.at_resolution(noise, 32)
    assert low.shape == noise.shape
    # Seven pixels carry one value: neighbours hardly differ.
    assert np.abs(np.diff(low.astype(int), axis=2)).mean() < 3

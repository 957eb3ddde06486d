"""Class folders: what is read, what is refused, and that a split stays what it was."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reflexarc.models import folders
from reflexarc.models.family import Dataset
from reflexarc.models.folders import FolderError, Photos, load, whole
from reflexarc.models.pictures import PictureError
from reflexarc.perception.card import InputSpec

SPEC = InputSpec(width=16, height=16, color="rgb", mean=127.5, std=127.5)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "reflexarc" / "pictures"


def photo(path: Path, seed: int, size: tuple[int, int] = (40, 30)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    blobs = np.random.default_rng(seed).integers(0, 255, (5, 5, 3), np.uint8)
    Image.fromarray(blobs).resize(size, Image.Resampling.BICUBIC).save(path)
    return path


def fill(folder: Path, *, cats: int = 20, dogs: int = 30, first: int = 0) -> Path:
    for i in range(cats):
        photo(folder / "cat" / f"{i}.png", first + i)
    for i in range(dogs):
        photo(folder / "dog" / f"{i}.png", first + 1000 + i)
    return folder


def parts(data: Dataset) -> dict[str, str]:
    return {
        path: part for part in ("train", "validation", "test") for path in getattr(data, part).paths
    }


def test_one_folder_a_class_is_split_with_every_class_in_every_part(tmp_path: Path) -> None:
    data = load(fill(tmp_path / "d"), SPEC)
    assert data.labels == ("cat", "dog")
    for split, counts in ((data.train, [16, 24]), (data.validation, [2, 3]), (data.test, [2, 3])):
        assert np.bincount(split.labels).tolist() == counts
    assert len(parts(data)) == 50  # disjoint and whole
    assert (data.source.train_size, data.source.test_size) == (45, 5)


def test_pictures_are_mapped_from_disk_and_keep_their_own_size(tmp_path: Path) -> None:
    data = load(fill(tmp_path / "d"), SPEC)
    assert isinstance(data.train, Photos)
    assert isinstance(data.train.inputs, np.memmap)
    assert data.train.inputs.shape == (40, 16, 16, 3)
    assert (data.train.sizes == (30, 40)).all()
    shown = np.asarray(Image.open(tmp_path / "d" / data.train.paths[0]).resize((16, 16)))
    assert np.abs(data.train.inputs[0].astype(int) - shown).mean() < 6


@pytest.mark.parametrize("validation", ["validation", "val", "valid"])
def test_a_folder_s_own_split_is_kept(tmp_path: Path, validation: str) -> None:
    for first, part in enumerate(("train", validation, "test")):
        fill(tmp_path / part, cats=3, dogs=4, first=100 * first)
    data = load(tmp_path, SPEC)
    assert all(path.split("/")[0] == "train" for path in data.train.paths)
    assert [len(s) for s in (data.train, data.validation, data.test)] == [7, 7, 7]


def test_what_the_split_lacks_comes_from_its_training_photos(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "val", cats=2, dogs=2, first=500)
    data = load(tmp_path, SPEC)
    assert np.bincount(data.test.labels).tolist() == [2, 3]
    assert all(path.startswith("train/") for path in data.test.paths)
    assert all(path.startswith("val/") for path in data.validation.paths)


def test_train_may_be_a_class(tmp_path: Path) -> None:
    for i in range(4):
        photo(tmp_path / "train" / f"{i}.png", i)
        photo(tmp_path / "car" / f"{i}.png", 50 + i)
    assert load(tmp_path, SPEC).labels == ("car", "train")


def test_new_photos_and_other_names_do_not_reshuffle_the_split(tmp_path: Path) -> None:
    before = parts(load(fill(tmp_path / "d"), SPEC))
    photo(tmp_path / "d" / "cat" / "new.png", 77)
    after = parts(load(tmp_path / "d", SPEC))
    assert sum(after[path] != part for path, part in before.items()) <= 2
    (tmp_path / "d" / "cat" / "new.png").unlink()
    for path in [*(tmp_path / "d" / "dog").iterdir()]:
        path.rename(path.with_name(f"other {path.name}"))
    renamed = parts(load(tmp_path / "d", SPEC))
    assert {path.replace("other ", ""): part for path, part in renamed.items()} == before


def test_copies_of_a_photo_stay_in_one_part(tmp_path: Path) -> None:
    folder = fill(tmp_path / "d", cats=60, dogs=10)
    for i in range(60):
        one = Image.open(folder / "cat" / f"{i}.png")
        one.resize((60, 45)).save(folder / "cat" / f"{i} again.jpg", quality=80)
    data = load(folder, SPEC)
    found = parts(data)
    assert all(found[f"cat/{i}.png"] == found[f"cat/{i} again.jpg"] for i in range(60))
    assert np.bincount(data.test.labels).tolist() == [12, 1]


def test_unreadable_files_are_listed_with_the_reason(tmp_path: Path) -> None:
    folder = fill(tmp_path / "d")
    (folder / "cat" / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and no more")
    (folder / "cat" / "gone.jpg").symlink_to(tmp_path / "nowhere.jpg")
    (folder / "dog" / "notes.txt").write_text("the dogs of 2026")
    (folder / "dog" / ".hidden").write_text("")
    data = load(folder, SPEC)
    assert set(data.skipped) == {"cat/broken.jpg", "cat/gone.jpg", "dog/notes.txt"}
    assert data.skipped["cat/gone.jpg"] == "No such file or directory"
    assert "Truncated" in data.skipped["cat/broken.jpg"]
    assert "none of the formats .jpg" in data.skipped["dog/notes.txt"]
    assert len(parts(data)) == 50


def empty(folder: Path) -> None:
    folder.mkdir()


def one_class(folder: Path) -> None:
    photo(folder / "cat" / "0.png", 0)


def empty_class(folder: Path) -> None:
    fill(folder)
    (folder / "bird").mkdir()


def only_broken(folder: Path) -> None:
    fill(folder)
    (folder / "bird").mkdir()
    (folder / "bird" / "a.jpg").write_bytes(b"nothing")


def too_few(folder: Path) -> None:
    fill(folder, cats=1, dogs=1)


@pytest.mark.parametrize(
    "make, said",
    [
        (lambda folder: None, "found no folder at"),
        (empty, "found 0 class folder"),
        (one_class, r"found 1 class folder\(s\); put each class's photos"),
        (empty_class, "found no photos of bird; put"),
        (only_broken, "photos of 'bird' to train on.*skipped for example bird/a.jpg: cannot"),
        (too_few, "at least one photo for validation; .*at least 3 of each class"),
    ],
)
def test_a_folder_that_is_no_data_set_is_an_error(tmp_path: Path, make: object, said: str) -> None:
    make(tmp_path / "d")  # type: ignore[operator]
    with pytest.raises(FolderError, match=said):
        load(tmp_path / "d", SPEC)


def test_fixed_classes_take_other_names_and_refuse_unknown_ones(tmp_path: Path) -> None:
    folder = fill(tmp_path / "d")
    data = load(folder, SPEC, labels=("hound", "cat"), aliases={"dog": "hound"})
    assert data.labels == ("hound", "cat")
    assert np.bincount(data.train.labels).tolist() == [24, 16]
    with pytest.raises(FolderError, match="among hound, cat; found a folder 'dog'; rename"):
        load(folder, SPEC, labels=("hound", "cat"))


def test_evaluation_reads_every_photo_or_the_test_part(tmp_path: Path) -> None:
    fill(tmp_path / "d", cats=0)
    split, skipped = whole(tmp_path / "d", SPEC, ("cat", "dog", "emu"))
    assert split.labels.tolist() == [1] * 30
    assert skipped == {}
    fill(tmp_path / "e" / "train")
    fill(tmp_path / "e" / "test", cats=2, dogs=1, first=100)
    assert whole(tmp_path / "e", SPEC, ("cat", "dog"))[0].labels.tolist() == [0, 0, 1]


def test_a_second_load_decodes_nothing(tmp_path: Path, cache: Path) -> None:
    folder = fill(tmp_path / "d")
    first = load(folder, SPEC)
    about = [(p, p.stat()) for p in folder.glob("*/*.png")]
    for path, stat in about:  # unreadable now, but nothing that a listing would show
        path.write_bytes(bytes(stat.st_size))
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    again = load(folder, SPEC)
    assert parts(again) == parts(first)
    assert np.array_equal(again.train.inputs, first.train.inputs)
    assert again.skipped == {}


def test_a_changed_folder_is_decoded_anew_and_its_old_store_goes(
    tmp_path: Path, cache: Path
) -> None:
    folder = fill(tmp_path / "d")
    load(folder, SPEC)
    (before,) = cache.iterdir()
    photo(folder / "cat" / "0.png", 999, (50, 50))
    data = load(folder, SPEC)
    (after,) = cache.iterdir()
    assert after != before
    assert (50, 50) in {tuple(s) for split in (data.train, data.validation, data.test)
                        for s in split.sizes.tolist()}  # fmt: skip
    load(folder, SPEC.model_copy(update={"fit": "pad"}))
    assert len([*cache.iterdir()]) == 2  # another input is another store


@contextmanager
def full_disk(limit: int = 10_000) -> Iterator[None]:
    """The kernel refuses to let any file grow beyond `limit` bytes, as a full disk would.

    It holds for every file of this process, so also for a log that pytest writes to: keep it
    around the one call.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_disk_that_fills_up_leaves_no_half_store(tmp_path: Path, cache: Path) -> None:
    folder = fill(tmp_path / "d")
    room = "expected room for 50 pictures.*XDG_CACHE_HOME"
    with full_disk(), pytest.raises(PictureError, match=room):
        load(folder, SPEC)
    assert [*cache.iterdir()] == []


def test_an_interrupted_load_leaves_no_half_store(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fill(tmp_path / "d")

    def interrupt(entries: object) -> list[str]:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(folders, "_assign", interrupt)
        with pytest.raises(KeyboardInterrupt):
            load(folder, SPEC)
    assert [*cache.iterdir()] == []
    assert len(load(folder, SPEC).train) == 40

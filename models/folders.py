"""A data set from folders of photos: one folder a class, with or without a split.

Either ``FOLDER/<class>/*.jpg``, or ``FOLDER/{train,validation,test}/<class>/*.jpg``
(``val`` and ``valid`` do as well). What has no validation or test photos gets
them from its training photos.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from reflexarc.core import ReflexarcError
from reflexarc.models.family import Dataset, Split
from reflexarc.models.pictures import SUFFIXES, Entry, Store, store
from reflexarc.perception.card import DataSource, InputSpec

# Of the photos of each class, where the folder has no split of its own.
HELD_BACK_SHARE = 0.1
# Bits of 128 in which the hashes of a copy may differ. With eight bands of 16 bits,
# seven errors leave at least one band untouched: that is how pairs are found.
_BANDS = 8
_COPY_BITS = 7
# A plain picture has too few set bits to be told from another plain one.
_PLAIN_BITS = 24
_PARTS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "val": "validation",
    "valid": "validation",
    "test": "test",
}


class FolderError(ReflexarcError):
    """A folder of photos that does not make a data set."""


@dataclass(frozen=True)
class Photos(Split):
    """Samples that remember the photo they came from.

    Attributes:
        sizes: int32 (n, 2), height and width of the photo in pixels.
        paths: relative to the data set's folder.
    """

    sizes: npt.NDArray[np.int32]
    paths: tuple[str, ...]


def load(
    folder: Path,
    spec: InputSpec,
    *,
    labels: tuple[str, ...] = (),
    aliases: Mapping[str, str] | None = None,
    console: Console | None = None,
) -> Dataset:
    """Read a data set for training.

    Args:
        folder: the photos' folder.
        spec: the input that they are fitted to.
        labels: the classes, if they are fixed; the folders' names in order otherwise.
        aliases: label by folder name (lower case, words joined by ``_``), if fixed.
        console: where progress is drawn; standard error by default.

    Returns:
        Splits are `Photos`, memory-mapped. A split made here depends on what the
        files hold alone: it is the same on every machine, a new photo moves at
        most the one at the boundary, and copies stay together.

    Raises:
        FolderError: no such folder, no photos, an empty class, only one class.
        PictureError: no room for the decoded photos.
    """
    entries, labels, refused = scan(folder, labels, aliases)
    kept = store(folder, entries, spec, _assign, console=console)
    splits = {part: _photos(kept, part) for part in ("train", "validation", "test")}
    for index, label in enumerate(labels):
        if not np.any(splits["train"].labels == index):
            raise FolderError(
                expected=f"photos of {label!r} to train on",
                found=_why_none(kept, index),
                remedy="add photos of that class, or remove its folder",
            )
    for part, split in splits.items():
        if not len(split):
            raise FolderError(
                expected=f"at least one photo for {part}",
                found=f"{len(kept.entries)} readable photos in {folder}",
                remedy="add photos: at least 3 of each class",
            )
    return Dataset(
        train=splits["train"],
        validation=splits["validation"],
        test=splits["test"],
        labels=labels,
        source=DataSource(
            name=folder.resolve().name,
            version=_digest(kept),
            licence="as given",
            train_size=len(splits["train"]) + len(splits["validation"]),
            test_size=len(splits["test"]),
        ),
        skipped={**refused, **kept.skipped},
    )


def whole(
    folder: Path,
    spec: InputSpec,
    labels: tuple[str, ...],
    *,
    aliases: Mapping[str, str] | None = None,
    console: Console | None = None,
) -> tuple[Photos, dict[str, str]]:
    """Read photos to evaluate a model on: the test part if there is one, else all.

    Returns:
        The photos with indices into `labels`, and the skipped files with the reason.

    Raises:
        FolderError: a class folder that is not among `labels`, or no photos.
    """
    entries, _, refused = scan(folder, labels, aliases, partial=True)
    if any(entry.part for entry in entries):
        entries = [entry for entry in entries if entry.part == "test"]
    entries = [replace(entry, part="test") for entry in entries]
    kept = store(folder, entries, spec, lambda found: ["test"] * len(found), console=console)
    if not kept.entries:
        raise FolderError(
            expected="readable photos", found=f"none in {folder}", remedy="check the folder"
        )
    return _photos(kept, "test"), {**refused, **kept.skipped}


def scan(
    folder: Path,
    labels: tuple[str, ...],
    aliases: Mapping[str, str] | None,
    *,
    partial: bool = False,
) -> tuple[list[Entry], tuple[str, ...], dict[str, str]]:
    """List the photos with their classes and parts; what is no photo goes to the last dict."""
    if not folder.is_dir():
        raise FolderError(
            expected="a folder with one folder of photos for each class",
            found=f"no folder at {folder}",
            remedy="give it with --data",
        )
    places = dict(_class_folders(folder))
    names = sorted({path.name for path in places})
    label_of = {name: _label(name, labels, aliases) for name in names}
    if not labels:
        labels = tuple(names)
    entries: list[Entry] = []
    refused: dict[str, str] = {}
    filled: set[str] = set()
    for place, part in places.items():
        for path in _files(place):
            relative = path.relative_to(folder).as_posix()
            if path.suffix.lower() not in SUFFIXES:
                refused[relative] = f"none of the formats {' '.join(SUFFIXES)}"
                continue
            filled.add(label_of[place.name])
            entries.append(Entry(relative, labels.index(label_of[place.name]), part))
    needed = {label_of[name] for name in names} if partial else set(labels)
    empty = sorted(needed - filled)
    if empty or (len(labels) < 2 and not partial) or not entries:
        found = f"no photos of {', '.join(empty)}" if empty else f"{len(labels)} class folder(s)"
        raise FolderError(
            expected=f"photos of at least two classes in {folder}",
            found=found if entries or not names else f"{found}; no photos at all",
            remedy=f"put each class's photos ({' '.join(SUFFIXES)}) into a folder of its name",
        )
    return entries, labels, refused


def _class_folders(folder: Path) -> Iterator[tuple[Path, str]]:
    """Class folders, each with its part ("" where the folder has no split)."""
    inner = _folders(folder)
    parts = {path: _PARTS[path.name.lower()] for path in inner if path.name.lower() in _PARTS}
    # "train" may also be a class beside "car": then it holds photos, not folders.
    split = [path for path in parts if _folders(path)]
    if any(parts[path] == "train" for path in split):
        for path in split:
            yield from ((place, parts[path]) for place in _folders(path))
    else:
        yield from ((place, "") for place in inner)


def _folders(folder: Path) -> list[Path]:
    return sorted(p for p in folder.iterdir() if p.is_dir() and not p.name.startswith("."))


def _files(folder: Path) -> Iterator[Path]:
    for root, inner, names in os.walk(folder):
        inner[:] = sorted(name for name in inner if not name.startswith("."))
        yield from (Path(root, name) for name in sorted(names) if not name.startswith("."))


def _label(name: str, labels: tuple[str, ...], aliases: Mapping[str, str] | None) -> str:
    if not labels:
        return name
    plain = name.strip().lower().replace(" ", "_").replace("-", "_")
    label = name if name in labels else (aliases or {}).get(plain, plain)
    if label in labels:
        return label
    known = ", ".join(dict.fromkeys((*labels, *(aliases or {}))))
    raise FolderError(
        expected=f"class folders among {known}",
        found=f"a folder {name!r}",
        remedy="rename the folder, or move it out of the data set",
    )


def _assign(entries: list[Entry]) -> list[str]:
    """Part of each photo: its folder's, else by content, a tenth of each class held back."""
    parts = [entry.part or "train" for entry in entries]
    given = {entry.part for entry in entries}
    missing = [part for part in ("test", "validation") if part not in given]
    for label in {entry.label for entry in entries} if missing else ():
        mine = [i for i, e in enumerate(entries) if e.label == label and parts[i] == "train"]
        quota = max(1, round(HELD_BACK_SHARE * len(mine))) if len(mine) > len(missing) else 0
        room = dict.fromkeys(missing, quota)
        for group in _copies([entries[i] for i in mine]):
            part = next((p for p in missing if room[p] >= len(group)), None)
            if part:
                room[part] -= len(group)
                for member in group:
                    parts[mine[member]] = part
    return parts


def _copies(entries: list[Entry]) -> list[list[int]]:
    """Indices grouped by what the photos show, in the order of the groups' first sha256."""
    leader = list(range(len(entries)))

    def find(i: int) -> int:
        while leader[i] != i:
            leader[i] = leader[leader[i]]
            i = leader[i]
        return i

    seen: dict[tuple[int, int | str], list[int]] = {}
    for i, entry in enumerate(entries):
        keys: list[tuple[int, int | str]] = [(-1, entry.sha256)]
        if entry.dhash.bit_count() >= _PLAIN_BITS:
            keys += [(band, entry.dhash >> (16 * band) & 0xFFFF) for band in range(_BANDS)]
        for key in keys:
            for j in seen.setdefault(key, []):
                if (entry.dhash ^ entries[j].dhash).bit_count() <= _COPY_BITS:
                    leader[find(i)] = find(j)
            seen[key].append(i)
    groups: dict[int, list[int]] = {}
    for i in range(len(entries)):
        groups.setdefault(find(i), []).append(i)
    return sorted(groups.values(), key=lambda group: min(entries[i].sha256 for i in group))


def _photos(kept: Store, part: str) -> Photos:
    mine = [i for i, entry in enumerate(kept.entries) if entry.part == part]
    first, last = (mine[0], mine[-1] + 1) if mine else (0, 0)
    chosen = kept.entries[first:last]
    return Photos(
        inputs=kept.inputs[first:last],
        labels=np.array([entry.label for entry in chosen], np.int64),
        sizes=np.array([(e.height, e.width) for e in chosen], np.int32).reshape(-1, 2),
        paths=tuple(entry.path for entry in chosen),
    )


def _why_none(kept: Store, label: int) -> str:
    held = sum(entry.label == label for entry in kept.entries)
    first = next(iter(kept.skipped.items()), None)
    said = f"; skipped for example {first[0]}: {first[1]}" if first else ""
    return f"{held} readable photo(s) of it, {len(kept.skipped)} files skipped{said}"


def _digest(kept: Store) -> str:
    every = sorted((entry.sha256, entry.label, entry.part) for entry in kept.entries)
    return hashlib.sha256(repr(every).encode()).hexdigest()[:12]

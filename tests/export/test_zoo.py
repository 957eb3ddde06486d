"""One row of the zoo from data to INT8, on a family that trains in seconds."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from reflexarc.export import zoo
from reflexarc.export.convert import ExportError
from reflexarc.models.family import Dataset, Family, Options, Split, Trained
from reflexarc.models.mnist import Mnist
from reflexarc.models.mnist_cnn import FAMILY, load
from reflexarc.models.registry import FAMILIES


@pytest.fixture
def hurried(mnist: Mnist) -> Family:
    whole = load()

    def few(folder: Path | None) -> Dataset:
        def part(split: Split, count: int) -> Split:
            return Split(split.inputs[:count], split.labels[:count])

        return dataclasses.replace(
            whole,
            train=part(whole.train, 3000),
            validation=part(whole.validation, 200),
            test=part(whole.test, 500),
        )

    def train(data: Dataset, options: Options) -> Trained:
        return FAMILY.train(data, dataclasses.replace(options, epochs=1))

    return dataclasses.replace(FAMILY, load=few, train=train)


def test_a_row_holds_what_was_measured_and_a_second_run_trains_nothing(
    hurried: Family, tmp_path: Path
) -> None:
    steps: list[str] = []
    row = zoo.build(hurried, None, tmp_path, Options(), steps.append)
    assert row.test_size == 500
    assert 0.5 < row.float_score <= 1
    assert row.drop == pytest.approx(row.float_score - row.int8_score)
    assert abs(row.drop) < 0.02
    assert Path(row.file).stat().st_size == row.size_bytes < 300_000
    # Every operator of a static full-integer CNN is one that an Edge TPU takes.
    assert row.mapped == row.operators > 5
    assert steps == [
        "data",
        "keras float32 on the test set",
        "convert to int8",
        "int8 on the test set",
    ]
    assert not row.reused
    page = (tmp_path / "mnist-cnn-int8.md").read_text(encoding="utf-8")
    assert f"{100 * row.int8_score:.2f} %" in page and "](confusion.png)" in page

    again = zoo.build(hurried, None, tmp_path, Options(), steps.append)
    assert again.reused
    assert (again.float_score, again.int8_score) == (row.float_score, row.int8_score)
    other_seed = zoo.build(hurried, None, tmp_path, Options(seed=1), steps.append)
    assert not other_seed.reused


def test_data_is_taken_where_it_is_and_packaged_where_not(tmp_path: Path) -> None:
    (tmp_path / "mask").mkdir()
    assert zoo.data_folder("mask", tmp_path) == tmp_path / "mask"
    assert zoo.data_folder("transfer", tmp_path) is None
    assert zoo.data_folder("mask", None) is None
    assert set(zoo.DATA_FOLDERS) <= set(FAMILIES)


def test_a_family_with_data_is_trained_and_its_packaged_weights_stand_beside_it(
    tmp_path: Path,
) -> None:
    assert zoo.plans("mask", tmp_path) == (False, True)
    assert zoo.plans("mask", None) == (True,)
    assert zoo.plans("movenet", None) == (True,)
    assert zoo.plans("transfer", tmp_path) == zoo.plans("transfer", None) == (False,)


def test_families_are_chosen_by_name_in_the_zoos_order() -> None:
    assert zoo.names(None) == tuple(FAMILIES)
    assert zoo.names("mask,mnist-cnn") == ("mnist-cnn", "mask")
    with pytest.raises(ExportError, match="families out of mnist-cnn"):
        zoo.names("elephant")

"""evaluate, bench and card as a shell sees them, on the packaged digits model."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import cv2
import numpy as np
import pytest
from shell import Run

from reflexarc.perception.card import InputSpec
from reflexarc.perception.modelfile import read_card
from reflexarc.perception.tasks import default_model_path

DIGITS = default_model_path("digits")


@pytest.fixture
def digit_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Drawn digits, light on dark: ones, and sevens of which one lies among the ones."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    assert isinstance(read_card(DIGITS).input, InputSpec)
    folder = tmp_path / "digits"
    for label, count in (("1", 3), ("7", 2)):
        (folder / label).mkdir(parents=True)
        for shift in range(count):
            _draw(folder / label / f"{shift}.png", label, shift)
    _draw(folder / "1" / "seven.png", "7", 3)
    return folder


def _draw(path: Path, label: str, shift: int) -> None:
    image = np.zeros((28, 28), np.uint8)
    x = 12 + shift
    if label == "1":
        cv2.line(image, (x, 5), (x, 22), 255, 2, cv2.LINE_AA)
    else:
        cv2.line(image, (x - 6, 6), (x + 4, 6), 255, 2, cv2.LINE_AA)
        cv2.line(image, (x + 4, 6), (x - 2, 22), 255, 2, cv2.LINE_AA)
    cv2.imwrite(str(path), image)


def test_evaluate_counts_for_machines(reflexarc: Run, digit_folder: Path) -> None:
    code, out, _ = reflexarc("evaluate", DIGITS, "--data", digit_folder, "--json")
    found = json.loads(out)
    assert code == 0
    assert set(found) >= {"task", "n", "accuracy", "per_class", "confusion", "skipped", "engine"}
    assert (found["task"], found["n"], found["engine"]) == ("digits", 6, "litert")
    assert found["accuracy"] == pytest.approx(5 / 6)
    confusion = np.array(found["confusion"])
    assert (confusion[1, 1], confusion[1, 7], confusion[7, 7]) == (3, 1, 2)
    assert found["per_class"]["1"] == {"n": 4, "precision": 1.0, "recall": 0.75}


def test_evaluate_tells_people_and_draws(
    reflexarc: Run, digit_folder: Path, tmp_path: Path
) -> None:
    plot = tmp_path / "confusion.png"
    code, out, _ = reflexarc("evaluate", DIGITS, "--data", digit_folder, "--plot", plot)
    assert code == 0
    assert "accuracy 83.33 % on 6 samples" in out
    assert "1 x 1 taken for 7" in out
    assert cv2.imread(str(plot)) is not None


def bench(reflexarc: Run, *options: object) -> tuple[int, str]:
    code, out, _ = reflexarc("bench", DIGITS, "--engine", "litert", "--rounds", 3, *options)
    return code, out


def test_bench_fails_only_when_it_is_slower_than_its_reference(
    reflexarc: Run, tmp_path: Path
) -> None:
    reference, chart = tmp_path / "reference.json", tmp_path / "chart.png"
    code, out = bench(reflexarc, "--json", "--save-reference", reference, "--chart", chart)
    found = json.loads(out)
    assert code == 0 and found["verdict"] is None
    assert cv2.imread(str(chart)) is not None
    (row,) = found["rows"]
    key = "digits.tflite litert 1"
    saved = json.loads(reference.read_text(encoding="utf-8"))
    assert saved["ratios"] == {key: row["ratio"]}

    # Saved by a machine that was a thousand times faster.
    saved["ratios"] = {key: row["ratio"] / 1000}
    reference.write_text(json.dumps(saved), encoding="utf-8")
    code, out = bench(reflexarc, "--reference", reference)
    assert code == 1
    assert "slower" in out and key in out


def test_card_prints_what_is_in_the_file(reflexarc: Run, tmp_path: Path) -> None:
    code, out, _ = reflexarc("card", DIGITS, "--json")
    found = json.loads(out)
    assert code == 0
    assert found["card"]["name"] == "mnist-cnn"
    assert found["inputs"][0]["dtype"] == "uint8"
    page = tmp_path / "card.md"
    code, out, _ = reflexarc("card", DIGITS, "--markdown", page)
    assert code == 0
    assert "mnist-cnn: Handwritten digits" in out
    assert page.read_text(encoding="utf-8").startswith("# mnist-cnn\n")


def test_card_reads_a_file_without_a_card(reflexarc: Run, tmp_path: Path) -> None:
    with zipfile.ZipFile(DIGITS) as archive:
        start = min(info.header_offset for info in archive.infolist())
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(DIGITS.read_bytes()[:start])
    code, out, err = reflexarc("card", bare)
    assert code == 0
    assert "CONV_2D" in out
    assert "no card" in err and "reflexarc export" in err.replace("\n", " ")


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["evaluate", "none.tflite"], "none.tflite"),
        (["evaluate", DIGITS, "--data", "nowhere"], "nowhere"),
        (["evaluate", DIGITS, "--engine", "tensorrt"], "litert"),
        (["evaluate", DIGITS, "--engine", "keras"], "choose the engine"),
        (["evaluate", DIGITS, "--reference", DIGITS], "reflexarc check"),
        (["bench", "none.tflite"], "none.tflite"),
        (["bench", DIGITS, "--engine", "keras"], "a file for keras"),
        (["bench", DIGITS, "--reference", "none.json"], "--save-reference"),
        (["card", "none.tflite"], "none.tflite"),
    ],
)
def test_bad_input_is_one_line(arguments: list[object], hint: str, reflexarc: Run) -> None:
    code, out, err = reflexarc(*arguments)
    (line,) = (text for text in err.splitlines() if text.startswith("error: "))
    assert code == 2
    assert hint in line
    assert "Traceback" not in out + err

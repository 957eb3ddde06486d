"""Benchmarks: what a run holds, and the arithmetic of its verdict. No time is asserted."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from reflexarc.export.bench import Bench, bench, ratio_to_loop, row_key
from reflexarc.export.bench_chart import chart
from reflexarc.export.engines.registry import ENGINES, EngineError
from reflexarc.export.verdict import (
    Reference,
    ReferenceFileError,
    compare,
    judge,
    load_reference,
    machine_name,
    save_reference,
)
from reflexarc.perception.modelfile import ModelFileError


@pytest.fixture(scope="module")
def done(colour_files: dict[str, Path]) -> Bench:
    steps: list[tuple[int, int]] = []
    ran = bench(
        [colour_files["int8"], colour_files["onnx"]],
        ["litert", "onnxruntime"],
        rounds=3,
        starts=1,
        turn_s=0.005,
        tell=lambda step, n, of: steps.append((n, of)),
    )
    assert [n for n, _ in steps] == [0, 1, 2, 3, 4, 5]
    assert {of for _, of in steps} == {5}
    return ran


def test_a_run_holds_every_file_on_every_engine_that_takes_it(
    done: Bench, colour_files: dict[str, Path]
) -> None:
    int8, onnx = done.rows
    assert (int8.file, int8.engine, int8.quantization) == ("colours-int8.tflite", "litert", "int8")
    assert (onnx.file, onnx.engine) == ("colours.onnx", "onnxruntime")
    assert not done.failures
    for row, kind in ((int8, "int8"), (onnx, "onnx")):
        assert 0 < row.p50_ms <= row.p90_ms <= row.p99_ms
        assert row.calls >= 3 * 3
        assert row.ratio > 0
        assert row.cpu_ms > 0
        assert row.size_bytes == colour_files[kind].stat().st_size
        assert 0 < row.load_s < row.cold_start_s
        assert row.rss_bytes > 20e6
        assert row.version and row.threads == 1
    assert done.calibration_ms > 0


def test_what_is_not_installed_is_listed_with_its_remedy(colour_files: dict[str, Path]) -> None:
    ran = bench([colour_files["onnx"]], rounds=3, starts=1, turn_s=0.001)
    takers = {engine.name for engine in ENGINES.values() if ".onnx" in engine.formats}
    assert {row.engine for row in ran.rows} | set(ran.absent) == takers
    assert all(remedy.startswith("pip install") for remedy in ran.absent.values())


def test_a_file_that_an_engine_cannot_run_does_not_end_the_others(
    colour_files: dict[str, Path], tmp_path: Path
) -> None:
    whole = colour_files["int8"].read_bytes()
    broken = tmp_path / "broken.tflite"
    broken.write_bytes(whole[:8] + b"\xff" * 400 + whole[408:])
    ran = bench([broken, colour_files["int8"]], ["litert"], rounds=3, starts=1, turn_s=0.001)
    assert [row.file for row in ran.rows] == ["colours-int8.tflite"]
    (failure,) = ran.failures
    assert failure.file == "broken.tflite" and failure.reason
    with pytest.raises(EngineError, match="at least one engine"):
        bench([broken], ["litert"], rounds=3, starts=1)


def test_engines_and_files_that_do_not_go_together_are_refused(
    colour_files: dict[str, Path], tmp_path: Path
) -> None:
    with pytest.raises(EngineError, match=r"a file for keras \(\.keras\)"):
        bench([colour_files["int8"]], ["litert", "keras"])
    with pytest.raises(EngineError, match="one of the engines"):
        bench([colour_files["int8"]], ["tensorrt"])
    with pytest.raises(ModelFileError, match=r"none\.tflite"):
        bench([tmp_path / "none.tflite"])
    absent = next((e for e in ENGINES.values() if not e.installed), None)
    if absent:
        with pytest.raises(EngineError, match="not installed; pip install"):
            bench([colour_files["onnx" if ".onnx" in absent.formats else "int8"]], [absent.name])


def test_the_ratio_is_taken_within_a_round_so_that_a_busy_machine_cancels() -> None:
    calm = ratio_to_loop([2.0, 2.0, 2.0], [4.0, 4.0, 4.0])
    # In the second round everything took five times as long.
    busy = ratio_to_loop([2.0, 10.0, 2.0], [4.0, 20.0, 4.0])
    assert calm == busy == 0.5
    assert ratio_to_loop([2.0, 90.0, 2.0], [4.0, 4.0, 4.0]) == 0.5  # one hiccup


REFERENCE = Reference(machine="here", ratios={"a": 1.0, "b": 2.0, "c": 3.0})


@pytest.mark.parametrize(
    ("ratio", "status", "ok"),
    [
        (1.0, "ok", True),
        (1.3, "ok", True),
        (1.301, "slower", False),
        (0.77, "ok", True),
        (0.76, "faster", True),
    ],
)
def test_beyond_thirty_percent_is_too_slow(ratio: float, status: str, ok: bool) -> None:
    verdict = compare({"a": ratio}, [], REFERENCE, machine="here")
    assert verdict.ok is ok
    assert [(line.status, line.change) for line in verdict.lines] == [(status, ratio)]
    assert verdict.not_run == ("b", "c")
    assert not verdict.other_machine


def test_one_slow_row_fails_the_run_and_a_new_one_does_not() -> None:
    assert not compare({"a": 1.0, "b": 2.7}, [], REFERENCE, machine="here").ok
    verdict = compare({"a": 1.0, "new": 99.0}, [], REFERENCE, machine="here")
    assert verdict.ok
    assert [line.status for line in verdict.lines] == ["ok", "new"]


def test_a_row_that_no_longer_runs_fails_the_run() -> None:
    verdict = compare({"a": 1.0}, ["b", "unknown"], REFERENCE, machine="elsewhere")
    assert not verdict.ok
    assert [(line.key, line.status) for line in verdict.lines] == [("a", "ok"), ("b", "failed")]
    assert verdict.not_run == ("c",)
    assert verdict.other_machine == "here"


def test_a_reference_with_nothing_in_common_is_no_pass() -> None:
    with pytest.raises(ReferenceFileError, match="at least one of these rows: x"):
        compare({"x": 1.0}, [], REFERENCE, machine="here")


def test_a_reference_comes_back_as_it_was_saved(done: Bench, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    save_reference(done, path)
    verdict = judge(done, load_reference(path))
    assert verdict.ok
    assert {line.key: line.change for line in verdict.lines} == {
        row_key("colours-int8.tflite", "litert", 1): 1.0,
        row_key("colours.onnx", "onnxruntime", 1): 1.0,
    }
    assert not verdict.other_machine
    assert np.__version__ in machine_name()


@pytest.mark.parametrize(
    "text",
    [None, "", "[]", "\xff\xfe", '{"machine": "m", "ratios": {"a": -1}}', '{"ratios": {}}'],
)
def test_a_reference_that_is_none_is_explained(text: str | None, tmp_path: Path) -> None:
    path = tmp_path / "reference.json"
    if text is not None:
        path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ReferenceFileError, match=r"reference\.json: .*--save-reference"):
        load_reference(path)


def test_the_chart_is_a_picture_with_a_bar_for_each_row(done: Bench) -> None:
    image = cv2.imdecode(np.frombuffer(chart(done), np.uint8), cv2.IMREAD_COLOR)
    assert image is not None and image.shape[1] > 800
    # Bars have the two first colours of the palette (BGR here).
    for colour in ((180, 119, 31), (14, 127, 255)):
        assert (np.abs(image.astype(int) - colour).max(axis=2) < 3).sum() > 500

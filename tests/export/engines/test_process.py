"""An engine in its own process: it takes turns, and its end is noticed."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import colours
import pytest

from reflexarc.export.engines.process import Process
from reflexarc.export.engines.registry import EngineError
from reflexarc.export.engines.worker import CALIBRATION, turn
from reflexarc.perception.modelfile import read_card
from reflexarc.perception.tasks import default_model_path


def digits() -> Process:
    path = default_model_path("digits")
    return Process("litert", path, read_card(path), 1)


def test_it_answers_in_turns_and_knows_its_memory() -> None:
    with digits() as process:
        assert 0 < process.load_s < process.cold_start_s
        wall_ms, cpu_ms = process.turn(0.001)
        assert len(wall_ms) >= 3 and min(wall_ms) > 0 and cpu_ms > 0
        # Python and numpy alone take more than 20 MB; TensorFlow would take 500.
        assert 20e6 < process.rss_bytes < 200e6


def test_the_calibration_loop_is_one_of_them() -> None:
    with Process(CALIBRATION, None, None, 1) as process:
        wall_ms, cpu_ms = process.turn(0.01)
        assert min(wall_ms) > 0 and cpu_ms > 0


def test_a_broken_file_is_told_by_the_child(tmp_path: Path) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(b"\x08\x07broken")
    with pytest.raises(EngineError, match="that onnxruntime accepts; found"):
        Process("onnxruntime", path, colours.CARD, 1)


def test_a_child_that_dies_is_an_error_and_leaves_nothing_behind() -> None:
    process = digits()
    os.kill(process.pid, signal.SIGKILL)
    with pytest.raises(EngineError, match="ended with -9"):
        process.turn(0.001)
    process.close()


def test_closing_ends_the_child() -> None:
    with digits() as process:
        pid = process.pid
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_cpu_time_counts_work_and_not_waiting() -> None:
    wall_ms, cpu_ms = turn(lambda: time.sleep(0.02), 0.0)
    assert min(wall_ms) >= 20
    assert cpu_ms < 10


def test_a_slow_call_is_still_measured_three_times() -> None:
    calls: list[int] = []
    wall_ms, _ = turn(lambda: calls.append(1), 0.0)
    assert len(wall_ms) == 3
    assert len(calls) == 5  # two warm it up

"""device="auto": what it measures, remembers and says."""

from __future__ import annotations

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from reflexarc.perception import load_model
from reflexarc.perception.backends import choice
from reflexarc.perception.backends.base import BackendError
from reflexarc.perception.backends.litert import open_interpreter
from reflexarc.perception.tasks import default_model_path

DIGITS = default_model_path("digits")


@pytest.fixture(autouse=True)
def memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(choice, "cache_dir", lambda name: tmp_path)
    return tmp_path


@pytest.fixture
def backends(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Only these are installed: LiteRT, slowed down by `ms` in each call."""
    made: dict[str, Any] = {}

    def add(name: str, ms: float, fails: str = "") -> None:
        def open_network(path: Path, card: object, threads: int) -> Any:
            made.setdefault("opened", []).append((name, threads))
            if fails:
                raise RuntimeError(fails)
            real = open_interpreter(path, 1)

            class Slow:
                def __getattr__(self, attribute: str) -> Any:
                    return getattr(real, attribute)

                def invoke(self) -> None:
                    time.sleep(ms / threads * 1e-3)
                    real.invoke()

            return Slow()

        made[name] = SimpleNamespace(
            FORMATS=(".tflite",), why_not=lambda path: "", open_network=open_network
        )

    made["add"] = add
    monkeypatch.setattr(
        choice,
        "plugins",
        lambda group: tuple(sorted(name for name, b in made.items() if hasattr(b, "FORMATS"))),
    )
    monkeypatch.setattr(choice, "load_plugin", lambda group, name, what: made[name])
    return made


def test_the_only_one_is_not_measured(backends: dict[str, Any]) -> None:
    backends["add"]("litert", 0)
    model = load_model(DIGITS)
    assert model.choice is not None
    assert (model.choice.backend, model.choice.threads) == ("litert", 1)
    assert backends["opened"] == [("litert", 1)]


def test_the_fastest_is_taken_remembered_and_said(backends: dict[str, Any], memory: Path) -> None:
    backends["add"]("litert", 20)
    backends["add"]("rocket", 2)
    chosen = load_model(DIGITS).choice
    assert chosen is not None
    assert chosen.backend == "rocket"
    assert "litert x1" in chosen.why
    assert "rocket x1" in chosen.why
    opened = len(backends["opened"])
    assert load_model(DIGITS).choice == chosen
    # Not measured again: opened once.
    assert len(backends["opened"]) == opened + 1
    assert len(list(memory.iterdir())) == 1


def test_one_that_fails_is_passed_over_and_named(backends: dict[str, Any]) -> None:
    backends["add"]("litert", 5)
    backends["add"]("broken", 0, fails="no such instruction")
    chosen = load_model(DIGITS).choice
    assert chosen is not None
    assert chosen.backend == "litert"
    assert "broken failed: no such instruction" in chosen.why


def test_a_slight_gain_is_not_worth_another_thread(
    backends: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backends["add"]("litert", 0)
    monkeypatch.setattr(choice, "_thread_counts", lambda: [1, 2])
    times = {1: 1.0, 2: 0.95}
    monkeypatch.setattr(choice, "_milliseconds", lambda path, card, name, count: times[count])
    assert load_model(DIGITS, threads=None).choice.threads == 1  # type: ignore[union-attr]


def test_threads_that_help_are_used(
    backends: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    backends["add"]("litert", 0)
    monkeypatch.setattr(choice, "_thread_counts", lambda: [1, 2])
    monkeypatch.setattr(choice, "_milliseconds", lambda path, card, name, count: 1 / count)
    chosen = load_model(DIGITS, threads=None).choice
    assert chosen is not None
    assert chosen.threads == 2


def test_a_memory_that_is_spoilt_is_made_again(backends: dict[str, Any], memory: Path) -> None:
    backends["add"]("litert", 0)
    backends["add"]("rocket", 0)
    first = load_model(DIGITS).choice
    (file,) = memory.iterdir()
    file.write_text("{")
    assert load_model(DIGITS).choice is not None
    assert first is not None
    assert file.read_text().startswith('{"backend"')


def test_a_backend_by_name_must_take_the_file() -> None:
    with pytest.raises(BackendError, match=r"a \.onnx file for onnxruntime; found digits\.tflite"):
        load_model(DIGITS, "onnxruntime")


def test_pixels_are_copied_once_and_scores_once(monkeypatch: pytest.MonkeyPatch) -> None:
    model = load_model(DIGITS)
    real, given, got = model._interpreter, [], []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def set_tensor(self, index: int, tensor: Any) -> None:
            given.append(tensor)
            real.set_tensor(index, tensor)

        def get_tensor(self, index: int) -> Any:
            got.append(index)
            return real.get_tensor(index)

    monkeypatch.setattr(model, "_interpreter", Watched())
    picture = np.random.default_rng(0).integers(0, 256, (28, 28), np.uint8)
    scores = model.predict(picture)
    # Up to the interpreter it is the caller's own memory.
    assert np.shares_memory(given[0], picture)
    # Back from it, codes are read where they are.
    assert got == []
    assert scores.dtype == np.float32


def test_asked_in_advance_is_answered_in_order() -> None:
    model = load_model(DIGITS)
    pictures = np.random.default_rng(0).integers(0, 256, (50, 28, 28), np.uint8)
    futures = [model.submit(picture) for picture in pictures]
    batch = model.run_batch(pictures)
    for future, (scores,) in zip(futures, batch, strict=True):
        np.testing.assert_array_equal(future.result()[0], scores)

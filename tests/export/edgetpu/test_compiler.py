"""The compiler's log, and its result beside the prediction. The compiler itself is a stand-in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tflite_graph import TfliteGraph

from reflexarc.core import ReflexarcError
from reflexarc.export.edgetpu import EdgeTpuError, words
from reflexarc.export.edgetpu.compiler import Disagreement, compile_model, parse_log

# The form of a real log (google-coral/edgetpu#427, #512), with the counts of the graph below.
LOG = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.

Model compiled successfully in 1379 ms.

Input model: model.tflite
Input size: 4.41MiB
Output model: model_edgetpu.tflite
Output size: 5.49MiB
On-chip memory used for caching model parameters: 1.92MiB
On-chip memory remaining for caching model parameters: 1.75KiB
Off-chip memory used for streaming uncached model parameters: 0.00B
Number of Edge TPU subgraphs: 1
Total number of operations: 3
Operation log: model_edgetpu.log

Model successfully compiled but not all operations are supported by the Edge TPU. A percentage \
of the model will instead run on the CPU, which is slower. If possible, consider updating your \
model to use only operations supported by the Edge TPU. For details, visit \
g.co/coral/model-reqs.
Number of operations that will run on Edge TPU: 2
Number of operations that will run on CPU: 1

Operator                       Count      Status

CONV_2D                        2          Mapped to Edge TPU
LEAKY_RELU                     1          Operation not supported
Compilation child process completed within timeout period.
Compilation succeeded!
"""
FAILED = """\
Edge TPU Compiler version 16.0.384591198
Started a compilation timeout timer of 180 seconds.
ERROR: Restored original execution plan after delegate application failure.
Compilation failed: Compilation failed due to large activation tensors in model.
Compilation child process completed within timeout period.
Compilation failed!
"""
SHAPE = (1, 8, 8, 4)

Compiler = Callable[..., None]


def source() -> bytes:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    y = g.conv(g.conv(x, SHAPE, 4), SHAPE, 4)
    return g.pack([x], [g.then("LEAKY_RELU", y, to=SHAPE)])


def result(left: list[str]) -> bytes:
    """A compiled file with one custom op, and what was left to the CPU behind it."""
    g = TfliteGraph()
    x, names = g.tensor(*SHAPE, name="t0"), {"CONV_2D": "t6", "LEAKY_RELU": "t7"}
    y = g.tensor(*SHAPE, name="in the chip")
    g.op("CUSTOM", [x], [y], custom="edgetpu-custom-op")
    for kind in left:
        out = g.tensor(*SHAPE, name=names[kind])
        g.op(kind, [y], [out])
        y = out
    return g.pack([x], [y])


@pytest.fixture
def compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Compiler:
    """Put an `edgetpu_compiler` on the PATH that prints a log and leaves a file."""

    def install(log: str, made: bytes | None = None, code: int = 0) -> None:
        folder = tmp_path / "bin"
        folder.mkdir()
        (folder / "log").write_text(log)
        (folder / "made").write_bytes(made or b"")
        copy = f'cp {folder}/made "$3/$(basename "$4" .tflite)_edgetpu.tflite"' if made else ":"
        script = folder / "edgetpu_compiler"
        script.write_text(
            f'#!/bin/sh\n[ "$1 $2" = "-s -o" ] || exit 9\n{copy}\ncat {folder}/log\nexit {code}\n'
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")

    return install


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "a model.tflite"
    path.write_bytes(source())
    return path


def test_a_log_is_read_to_the_last_count() -> None:
    log = parse_log(LOG)
    assert log.version == "16.0.384591198"
    assert log.counts == {
        ("CONV_2D", words.MAPPED): 2,
        ("LEAKY_RELU", words.NOT_SUPPORTED): 1,
    }
    assert log.mapped == 2
    assert (log.cached_bytes, log.remaining_bytes, log.streamed_bytes) == (2_013_266, 1792, 0)


def test_a_right_prediction_has_no_disagreement(compiler: Compiler, model: Path) -> None:
    compiler(LOG, result(["LEAKY_RELU"]))
    done = compile_model(model, model.parent / "new" / "folder")
    assert done.disagreements == ()
    assert done.output == model.parent / "new/folder/a model_edgetpu.tflite"
    assert done.output.read_bytes() == result(["LEAKY_RELU"])


def test_a_wrong_prediction_is_named_op_for_op(compiler: Compiler, model: Path) -> None:
    compiler(LOG, result(["CONV_2D", "LEAKY_RELU"]))
    done = compile_model(model, model.parent)
    assert done.disagreements == (Disagreement(1, "CONV_2D", "edgetpu", "cpu"),)


def test_a_folder_that_cannot_be_written_is_an_error(compiler: Compiler, model: Path) -> None:
    compiler(LOG, result(["LEAKY_RELU"]))
    with pytest.raises(ReflexarcError, match="below a file"):
        compile_model(model, model / "below a file")


def test_a_failed_compilation_says_what_the_compiler_said(compiler: Compiler, model: Path) -> None:
    compiler(FAILED, code=1)
    with pytest.raises(EdgeTpuError, match="large activation tensors"):
        compile_model(model, model.parent)
    assert not list(model.parent.glob("*_edgetpu.tflite"))


def test_a_compiler_that_leaves_no_file_has_failed(compiler: Compiler, model: Path) -> None:
    compiler(LOG)
    with pytest.raises(EdgeTpuError, match="Compilation succeeded"):
        compile_model(model, model.parent)


def test_a_compiler_for_another_machine_is_an_error(compiler: Compiler, model: Path) -> None:
    compiler(LOG)
    program = model.parent / "bin" / "edgetpu_compiler"
    program.write_bytes(b"\x7fELF of another kind")
    with pytest.raises(EdgeTpuError, match="x86-64"):
        compile_model(model, model.parent)


def test_without_a_compiler_the_remedy_is_said(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing here"))
    with pytest.raises(EdgeTpuError, match="edgetpu check"):
        compile_model(model, tmp_path)

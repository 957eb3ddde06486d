"""`reflexarc edgetpu`, as people and machines read it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from shell import Run
from tflite_graph import TfliteGraph

SHAPE = (1, 8, 8, 4)


def cut_model(activation_version: int = 1) -> bytes:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    y = g.then("LEAKY_RELU", g.conv(x, SHAPE, 4), to=SHAPE, version=activation_version)
    return g.pack([x], [g.conv(y, SHAPE, 4)])


@pytest.fixture
def model(tmp_path: Path) -> Path:
    path = tmp_path / "model.tflite"
    path.write_bytes(cut_model())
    return path


def test_the_json_is_what_machines_were_promised(reflexarc: Run, model: Path) -> None:
    done = reflexarc("edgetpu", "check", model, "--json")
    assert done.code == 0
    report = json.loads(done.out)
    assert report["ops"] == [
        {
            "index": 0,
            "op": "CONV_2D",
            "version": 3,
            "target": "edgetpu",
            "reason": "Mapped to Edge TPU",
        },
        {
            "index": 1,
            "op": "LEAKY_RELU",
            "version": 1,
            "target": "cpu",
            "reason": "Operation not supported",
        },
        {
            "index": 2,
            "op": "CONV_2D",
            "version": 3,
            "target": "cpu",
            "reason": "More than one subgraph is not supported",
        },
    ]
    assert (report["mapped"], report["cpu"]) == (1, 2)
    assert (report["parameter_bytes"], report["fits_cache"]) == (4 * 4 + 4 * 4, True)
    assert report["cut"]["op"] == "LEAKY_RELU"


def test_people_see_the_verdict_the_cut_and_the_remedy(reflexarc: Run, model: Path) -> None:
    done = reflexarc("edgetpu", "check", model)
    assert done.code == 0
    for words in ("1 of 3 operations", "cut: LEAKY_RELU (op 1)", "PRELU", "streamed"):
        assert words in done.out


def test_all_lists_every_operation(reflexarc: Run, model: Path) -> None:
    brief = reflexarc("edgetpu", "check", model).out
    whole = reflexarc("edgetpu", "check", model, "--all").out
    assert "index" in whole and "index" not in brief


def test_a_refused_model_ends_with_one(reflexarc: Run, model: Path) -> None:
    model.write_bytes(cut_model(activation_version=9))
    done = reflexarc("edgetpu", "check", model, "--json")
    assert done.code == 1
    report = json.loads(done.out)
    assert "LEAKY_RELU' version '9'" in report["refused"]
    assert report["mapped"] == 0
    assert "refuses" in reflexarc("edgetpu", "check", model).out


@pytest.mark.parametrize("content", [b"", b"no model", cut_model()[:300]])
def test_what_is_no_model_is_one_line(reflexarc: Run, model: Path, content: bytes) -> None:
    model.write_bytes(content)
    for verb in ("check", "compile"):
        done = reflexarc("edgetpu", verb, model)
        assert done.code == 2
        assert done.err.startswith("error: expected a") and done.err.count("\n") == 1


def test_compile_without_the_compiler_says_where_it_is(
    reflexarc: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(model.parent))
    done = reflexarc("edgetpu", "compile", model)
    assert done.code == 2
    assert "edgetpu-compiler" in done.err


def test_compile_compares_with_coral_s_own_result(
    reflexarc: Run, shared_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "mobilenet_v1_0.25_128_quant"
    coral = shared_data / "coral"
    program = tmp_path / "edgetpu_compiler"
    program.write_text(
        f'#!/bin/sh\ncp {coral}/{name}_edgetpu.tflite "$3"\n'
        "echo 'Edge TPU Compiler version 16.0.384591198'\n"
        "echo 'RESHAPE                        1          Mapped to Edge TPU'\n"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    done = reflexarc("edgetpu", "compile", coral / f"{name}.tflite", "--out", tmp_path, "--json")
    assert done.code == 0
    report = json.loads(done.out)
    assert report["disagreements"] == []
    assert report["log"] == [{"op": "RESHAPE", "count": 1, "reason": "Mapped to Edge TPU"}]
    assert Path(report["output"]).is_file()


def test_a_disagreement_is_shown_and_ends_with_one(
    reflexarc: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    g = TfliteGraph()  # a compiler that knows LEAKY_RELU
    x, y = g.tensor(*SHAPE, name="t0"), g.tensor(*SHAPE, name="t7")
    g.op("CUSTOM", [x], [y], custom="edgetpu-custom-op")
    (model.parent / "made").write_bytes(g.pack([x], [y]))
    program = model.parent / "edgetpu_compiler"
    program.write_text(f'#!/bin/sh\ncp {model.parent}/made "$3/model_edgetpu.tflite"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(model.parent), prepend=":")
    done = reflexarc("edgetpu", "compile", model)
    assert done.code == 1
    assert "differs in 2" in done.out and "LEAKY_RELU" in done.out

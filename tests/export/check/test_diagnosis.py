"""INT8 models that really collapse: the right layer is named, and the right remedy helps."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import keras
import numpy as np
import pytest
import shapes

from reflexarc.export.calibration import byte_range, calibrate
from reflexarc.export.calibration import run as run_graph
from reflexarc.export.check import run
from reflexarc.export.check.equalize import equalize
from reflexarc.export.check.noise import layer_noise
from reflexarc.export.check.remedies import Tried
from reflexarc.export.check.trial import Samples, Subject
from reflexarc.export.convert import float_graph, quantize
from reflexarc.export.flatbuffer import layer_names
from reflexarc.export.graph import Graph
from reflexarc.models.family import Dataset, Split

Make = Callable[..., Subject]


@pytest.fixture(scope="module")
def collapsed(lopsided: keras.Model, subject_of: Make) -> run.Diagnosis:
    return run.diagnose(subject_of(lopsided))


def bought(diagnosis: run.Diagnosis, remedy: str) -> list[Tried]:
    return [tried for tried in diagnosis.tried if tried.remedy == remedy]


def test_a_lopsided_channel_ruins_int8_and_its_layer_is_named(collapsed: run.Diagnosis) -> None:
    assert collapsed.keras.accuracy == 1.0
    assert collapsed.plain.accuracy < 0.8
    assert collapsed.blamed == ("first",)
    first = next(n for n in collapsed.noise if n.layer == "first")
    assert first.own_db == pytest.approx(first.total_db)
    # What comes after carries that noise on, but adds hardly any.
    second = next(n for n in collapsed.noise if n.layer == "second")
    assert second.total_db < 10 < second.own_db


def test_equalisation_brings_it_back_at_no_cost(collapsed: run.Diagnosis) -> None:
    (equalised,) = bought(collapsed, "cross-layer equalisation")
    assert equalised.drop <= run.MOST_DROP
    assert equalised.test.accuracy >= 0.99
    assert equalised.edgetpu == "8/8"
    assert collapsed.recommended is equalised


def test_the_named_layer_in_float_brings_it_back_at_a_cost(collapsed: run.Diagnosis) -> None:
    kept = bought(collapsed, "noisiest layers in float")[-1]
    assert kept.drop <= run.MOST_DROP
    # The tensor between the two convolutions is what must not be bytes.
    assert kept.card.kept_float == ("first", "pool", "second")
    mapped, ops = map(int, kept.edgetpu.split("/"))
    assert mapped < ops
    graph = Graph(kept.flatbuffer)
    floats = [graph.name(op) for op, _ in graph.activations()]
    assert floats.count("CONV_2D") == 2 and "FULLY_CONNECTED" not in floats


def test_int16_activations_bring_it_back_but_leave_the_edge_tpu(collapsed: run.Diagnosis) -> None:
    (whole,) = bought(collapsed, "int16x8")
    assert whole.drop <= run.MOST_DROP
    assert whole.edgetpu.startswith("0/")
    assert whole.card.quantization == "int16x8"


def test_equalised_float_answers_are_the_same_to_the_last_bit(
    lopsided: keras.Model, values: np.ndarray
) -> None:
    graph = float_graph(lopsided)
    edited, pairs = equalize(graph, values[:20])
    assert pairs == 2
    (answer,) = Graph(graph).outputs
    for before, after in zip(run_graph(graph, values), run_graph(edited, values), strict=True):
        assert np.array_equal(before.get_tensor(answer), after.get_tensor(answer))


def test_relu6_stays_as_it_is_where_a_channel_reaches_the_six() -> None:
    image = keras.Input((8, 8, 3))
    first = keras.layers.Conv2D(4, 1, activation="relu6", name="first")
    second = keras.layers.DepthwiseConv2D(3, name="second")
    model = keras.Model(image, second(first(image)), name="six")
    kernel = np.zeros((1, 1, 3, 4), np.float32)
    kernel[0, 0, 0] = (40, 0.04, 0.5, 3)  # the first channel is cut off at 6
    first.set_weights([kernel, np.zeros(4, np.float32)])
    samples = np.random.default_rng(0).random((20, 8, 8, 3), np.float32)
    graph = float_graph(model)
    edited, pairs = equalize(graph, samples)
    assert pairs == 1
    (answer,) = Graph(graph).outputs
    for before, after in zip(run_graph(graph, samples), run_graph(edited, samples), strict=True):
        assert np.allclose(before.get_tensor(answer), after.get_tensor(answer), atol=1e-6)
    weights = Graph(edited).constant(0, 1)
    assert weights is not None
    assert weights[:, 0, 0, 0].tolist() == [40, pytest.approx(0.04 * 64), 4, 3]


def test_rare_flashes_stretch_the_ranges_and_percentiles_leave_them_out(
    healthy: keras.Model, data: Dataset, subject_of: Make
) -> None:
    flashed = replace(
        data,
        train=_with_flashes(data.train),
        validation=_with_flashes(data.validation),
        test=_with_flashes(data.test),
    )
    found = run.diagnose(subject_of(_watching_for_flashes(healthy), flashed))
    assert found.plain.accuracy < 0.9 < found.keras.accuracy
    assert found.blamed[0] == "first"
    assert found.recommended is not None
    assert found.recommended.remedy == "percentile calibration"
    assert found.recommended.test.accuracy >= 0.99


def test_calibration_on_dim_pictures_only_is_mended_by_more_data(
    healthy: keras.Model, subject_of: Make
) -> None:
    subject = subject_of(healthy)
    rng = np.random.default_rng(0)
    dim = Split(np.stack([shapes.shape(i % 4, rng, 16) for i in range(60)]), np.arange(60) % 4)
    found = run.diagnose(subject, Samples(subject.card, dim, np.arange(60)))
    assert found.plain.accuracy < 0.9
    assert found.recommended is not None
    assert found.recommended.remedy == "more calibration data"
    assert found.recommended.detail == "240 samples instead of 60"
    assert found.recommended.test.accuracy >= 0.99


def test_sqnr_is_what_the_formula_says(healthy: keras.Model, values: np.ndarray) -> None:
    ranged = calibrate(float_graph(healthy), values, byte_range(shapes.FAMILY.input))
    few = list(values[:10])
    noise = layer_noise(ranged, few, layer_names(healthy))
    logits = next(n for n in noise if n.op == "FULLY_CONNECTED")
    assert logits.layer == "score"
    signal = unwanted = 0.0
    int8 = quantize(ranged, whole=False)
    for plain, coded in zip(run_graph(ranged, few), run_graph(int8, few), strict=True):
        true = plain.get_tensor(_index(plain, logits.tensor))
        seen = coded.get_tensor(_index(coded, logits.tensor))
        scale, zero_point = _detail(coded, logits.tensor)["quantization"]
        signal += float(np.square(true).sum())
        unwanted += float(np.square(true - (seen.astype(np.float32) - zero_point) * scale).sum())
    assert logits.total_db == pytest.approx(10 * np.log10(signal / unwanted), abs=0.1)
    # The shares of what reaches the answer add up.
    assert sum(n.contribution for n in noise) == pytest.approx(1.0, abs=0.05)


def _detail(interpreter: object, name: str) -> dict:
    (detail,) = (d for d in interpreter.get_tensor_details() if d["name"] == name)  # type: ignore[attr-defined]
    return detail


def _index(interpreter: object, name: str) -> int:
    return _detail(interpreter, name)["index"]


def _with_flashes(split: Split) -> Split:
    """One picture in 37 has a fully white pixel in its corner; no other has any."""
    inputs = np.minimum(split.inputs, 249)
    inputs[::37, 1, 1] = 255
    return Split(inputs, split.labels)


def _watching_for_flashes(model: keras.Model) -> keras.Model:
    """A channel that is 0 but at a white pixel, where it is huge; nothing reads it."""
    changed = keras.models.clone_model(model)
    changed.set_weights(model.get_weights())
    kernel, bias = changed.get_layer("first").get_weights()
    kernel[..., 3] = 0
    kernel[1, 1, :, 3] = 40_000
    bias[3] = -40_000 * 250 / 255
    changed.get_layer("first").set_weights([kernel, bias])
    kernel, bias = changed.get_layer("second").get_weights()
    kernel[:, :, 3] = 0
    changed.get_layer("second").set_weights([kernel, bias])
    return changed

"""Where the one cut falls."""

from __future__ import annotations

from tflite_graph import TfliteGraph

from reflexarc.export.edgetpu import Report, check, words

SHAPE = (1, 8, 8, 4)


def targets(report: Report) -> str:
    """One letter for each operation: e(dge TPU) or c(pu)."""
    return "".join(op.target[0] for op in report.ops)


def test_what_follows_an_unsupported_operation_stays_on_the_cpu() -> None:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    y = g.conv(x, SHAPE, 4)
    y = g.then("LEAKY_RELU", y, to=SHAPE)
    y = g.conv(y, SHAPE, 4)
    report = check(g.pack([x], [y]))
    assert targets(report) == "ecc"
    assert [op.reason for op in report.ops] == [words.MAPPED, words.NOT_SUPPORTED, words.SUBGRAPH]
    assert report.cut is not None and report.cut.index == 1
    assert "stranded" in report.advice[-1]


def test_a_parallel_branch_is_mapped_wherever_it_stands() -> None:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    trunk = g.conv(x, SHAPE, 4)
    blocked = g.then("LEAKY_RELU", trunk, to=SHAPE)
    branch = g.conv(trunk, SHAPE, 4)  # after the cut in order, beside it in the graph
    joined = g.then("ADD", blocked, branch, to=SHAPE)
    report = check(g.pack([x], [joined, branch]))
    assert targets(report) == "ecec"
    assert report.cut is not None and report.cut.tensors == ("t3", "t7")


def test_float_ends_stay_on_the_cpu_and_spoil_nothing() -> None:
    g = TfliteGraph()
    x = g.tensor(*SHAPE, dtype="FLOAT32")
    y = g.then("QUANTIZE", x, to=SHAPE)
    y = g.conv(y, SHAPE, 4)
    out = g.tensor(*SHAPE, dtype="FLOAT32")
    g.op("DEQUANTIZE", [y], [out])
    report = check(g.pack([x], [out]))
    assert targets(report) == "cec"
    # the words of a real log: google-coral/edgetpu#342 and others
    assert report.ops[0].reason == words.UNSPECIFIED
    assert report.ops[2].reason == words.DATA_TYPE
    assert report.advice == (
        "uint8 in and out: set inference_input_type and inference_output_type",
    )


def test_of_two_parts_the_first_is_compiled_though_the_second_is_larger() -> None:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    y = g.then("LEAKY_RELU", g.conv(x, SHAPE, 4), to=SHAPE)
    for _ in range(3):
        y = g.conv(y, SHAPE, 4)
    assert targets(check(g.pack([x], [y]))) == "ecccc"


def test_the_closing_quantize_behind_the_cut_has_other_words() -> None:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    y = g.then("LEAKY_RELU", g.conv(x, SHAPE, 4), to=SHAPE)
    rescaled = g.then("QUANTIZE", y, to=SHAPE)
    out = g.tensor(*SHAPE, dtype="UINT8")
    g.op("QUANTIZE", [rescaled], [out])
    reasons = [op.reason for op in check(g.pack([x], [out])).ops]
    assert reasons[2:] == [words.SUBGRAPH, words.UNSPECIFIED]


def test_several_inputs_and_outputs_are_one_part() -> None:
    g = TfliteGraph()
    a, b = g.tensor(*SHAPE), g.tensor(*SHAPE)
    left, right = g.conv(a, SHAPE, 4), g.conv(b, SHAPE, 4)
    joined = g.then("ADD", left, right, to=SHAPE)
    report = check(g.pack([a, b], [left, joined]))
    assert targets(report) == "eee"
    assert report.memory.transfer_bytes == 4 * 8 * 8 * 4


def test_nothing_supported_is_nothing_mapped() -> None:
    g = TfliteGraph()
    x = g.tensor(*SHAPE)
    report = check(g.pack([x], [g.then("LEAKY_RELU", x, to=SHAPE)]))
    assert (report.mapped, report.cpu, report.refused) == (0, 1, None)
    assert report.memory.parameter_bytes == 0


def test_parameters_beyond_the_cache_are_streamed() -> None:
    g = TfliteGraph()
    x = g.tensor(1, 1, 1, 2048)
    y = g.conv(x, (1, 1, 1, 2048), 2048)
    y = g.conv(y, (1, 1, 1, 2048), 2048)
    report = check(g.pack([x], [y]))
    assert report.memory.parameter_bytes == 2 * (2048 * 2048 + 4 * 2048)
    assert not report.memory.fits_cache
    assert report.memory.streamed_bytes == 2048 * (2048 + 8)  # the second layer, whole
    assert "sent at every inference" in report.advice[0]

"""What mends an INT8 model that lost accuracy, tried in turn, cheapest on the device first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from reflexarc.core import ReflexarcError
from reflexarc.export import edgetpu
from reflexarc.export.check.activations import clip_ranges
from reflexarc.export.check.equalize import equalize
from reflexarc.export.check.noise import LayerNoise, float_region, noisiest
from reflexarc.export.check.trial import Samples, Subject
from reflexarc.export.convert import convert, prepare, quantize
from reflexarc.export.parity import Parity
from reflexarc.perception.card import Card, Quantization

# The limit: half a percentage point.
MOST_DROP = 0.005 + 1e-9  # half a point; the rest is for the division of whole numbers
_MORE = 4  # times the calibration data
_FEW = 100  # samples for statistics of every value in every tensor
_PERCENTILES = (99.99, 99.9)
_FLOAT_STEPS = (1, 2, 4, 8)  # so many of the noisiest tensors in float
_LEAST_SHARE = 0.01  # of the noise in the answer; less is not worth a float op


@dataclass(frozen=True)
class Tried:
    """A remedy and what it bought.

    Attributes:
        remedy: "percentile calibration".
        detail: with which numbers.
        validation: on the split that the choice is made by.
        test: on the test set; only reported.
        drop: accuracy lost against the Keras model on the validation split.
        edgetpu: what it means for a Coral.
        cost: 0 none on the device, 1 some float ops, 2 INT16 activations.
        flatbuffer, card: the model, for who wants to keep it.
    """

    remedy: str
    detail: str
    validation: Parity
    test: Parity
    drop: float
    edgetpu: str
    cost: int
    flatbuffer: bytes
    card: Card

    def as_dict(self) -> dict[str, Any]:
        """Plain data for JSON."""
        names = ("remedy", "detail", "drop", "edgetpu")
        return {
            **{name: getattr(self, name) for name in names},
            "kept_float": self.card.kept_float,
            "validation": asdict(self.validation),
            "test": asdict(self.test),
        }


@dataclass(frozen=True)
class _Made:
    detail: str
    flatbuffer: bytes
    quantization: Quantization = "int8"
    kept_float: tuple[str, ...] = ()
    cost: int = 0


def try_all(
    subject: Subject,
    graph: bytes,
    ranged: bytes,
    samples: Samples,
    noise: Sequence[LayerNoise],
    tell: Callable[[str], None],
) -> list[Tried]:
    """Convert with each remedy in turn and measure it.

    Args:
        subject: the float model and its answers.
        graph, ranged: its float flatbuffer, and the same calibrated on `samples`.
        samples: what the plain INT8 file was calibrated on.
        noise: of that file; the noisiest layers are kept in float.
        tell: is called with the name of each step as it begins.

    Returns:
        In the order of trial; a remedy that cannot be applied is left out.
    """
    few = samples[:: max(1, len(samples) // _FEW)]

    def more() -> Iterator[_Made]:
        many = subject.samples(_MORE * len(samples))
        if len(many) > len(samples):
            again = prepare(graph, many, subject.card.input)
            yield _Made(f"{len(many)} samples instead of {len(samples)}", quantize(again))

    def percentile() -> Iterator[_Made]:
        for limit in _PERCENTILES:
            yield _Made(f"{limit} %", quantize(clip_ranges(ranged, few, limit)))

    def equal() -> Iterator[_Made]:
        edited, pairs = equalize(graph, few)
        if pairs:
            again = prepare(edited, samples, subject.card.input)
            yield _Made(f"{pairs} pairs of layers", quantize(again))

    def kept_float() -> Iterator[_Made]:
        layers = {n.tensor: n.layer for n in noise}
        guilty = [n.tensor for n in noisiest(noise) if n.contribution >= _LEAST_SHARE]
        for count in sorted({min(step, len(guilty)) for step in _FLOAT_STEPS} - {0}):
            region = float_region(ranged, guilty[:count])
            names = tuple(dict.fromkeys(layers.get(tensor, tensor) for tensor in region))
            partly = prepare(graph, samples, subject.card.input, region)
            yield _Made(", ".join(names), quantize(partly, region), kept_float=names, cost=1)

    def int16x8() -> Iterator[_Made]:
        representative = np.stack(list(few))
        yield _Made(
            "whole model", convert(subject.model, "int16x8", representative), "int16x8", cost=2
        )

    done: list[Tried] = []
    for remedy, make in {
        "more calibration data": more,
        "percentile calibration": percentile,
        "cross-layer equalisation": equal,
        "noisiest layers in float": kept_float,
        "int16x8": int16x8,
    }.items():
        tell(remedy)
        for made in make():
            tell(f"{remedy}: {made.detail}")
            tried = _measure(subject, remedy, made)
            done.append(tried)
            if made.cost == 1 and tried.drop <= MOST_DROP:
                break  # more float would only cost more
    return done


def recommend(tried: Sequence[Tried], plain_drop: float) -> Tried | None:
    """The cheapest remedy that keeps the drop within the limit, else the most accurate one.

    Args:
        tried: of `try_all`.
        plain_drop: of the plain INT8 file on the validation split.

    Returns:
        None where nothing is better than the plain file.
    """
    better = [t for t in tried if t.drop < plain_drop]
    if not better:
        return None
    mended = [t for t in better if t.drop <= MOST_DROP]
    if mended:
        return min(mended, key=lambda t: (t.cost, t.drop, t.test.size_bytes))
    return min(better, key=lambda t: t.drop)


def edgetpu_note(flatbuffer: bytes) -> str:
    """How much of a model a Coral would run: "12/14" ops, or "refused: why"."""
    try:
        report = edgetpu.check(flatbuffer)
    except ReflexarcError as error:
        return f"refused: {error.found}"
    if report.refused:
        return f"refused: {report.refused.split('. ')[0]}"
    return f"{report.mapped}/{len(report.ops)}"


def _measure(subject: Subject, remedy: str, made: _Made) -> Tried:
    card = subject.card.model_copy(
        update={"quantization": made.quantization, "kept_float": made.kept_float}
    )
    validation, test = subject.measure_bytes(remedy, made.flatbuffer, card)
    return Tried(
        remedy=remedy,
        detail=made.detail,
        validation=validation.row,
        test=test.row,
        drop=subject.keras_row("validation").accuracy - validation.row.accuracy,
        edgetpu=edgetpu_note(made.flatbuffer),
        cost=made.cost,
        flatbuffer=made.flatbuffer,
        card=card,
    )

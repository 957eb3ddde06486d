"""Which learnt helper the order parser should have: `python -m benchmarks.orders [MODEL.keras]`.

Scores the grammar alone, with the sentence embedding, and with the small Transformer (trained
here, ten minutes, unless a trained one is given; INT8 by our own exporter), on the orders of
tests/data/orders; and both helpers on examples whose wording neither was fitted to.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import numpy.typing as npt
from ai_edge_litert.interpreter import Interpreter
from rich.console import Console
from rich.table import Table

from benchmarks.orders.corpus import split
from benchmarks.orders.features import SPEC, features
from benchmarks.orders.net import FAMILY, HELD_OUT, SEED
from reflexarc.export.convert import convert
from reflexarc.models.family import Options
from reflexarc.robot.embedding import default_embedder
from reflexarc.robot.planners.evaluate import Score, evaluate, read_orders
from reflexarc.robot.planners.parser import Parser, open_parser
from reflexarc.robot.planners.parser.examples import fit
from reflexarc.robot.planners.parser.opinion import Guess, Opinion

ORDERS = Path(__file__).resolve().parents[2] / "tests" / "data" / "orders"
_CALIBRATION = 400


class Transformer:
    """Opinions of the small Transformer's INT8 file."""

    def __init__(self, flatbuffer: bytes, labels: tuple[str, ...]) -> None:
        self.size = len(flatbuffer)
        self._labels = labels
        self._net = Interpreter(model_content=flatbuffer, num_threads=1)
        self._net.allocate_tensors()
        (self._input,) = self._net.get_input_details()
        (self._output,) = self._net.get_output_details()

    def load(self) -> None:
        """It is loaded."""

    def clause(self, words: str) -> Opinion:
        scale, zero = self._input["quantization"]
        codes = np.clip(np.round(features(words) / scale + zero), 0, 255).astype(np.uint8)
        self._net.set_tensor(self._input["index"], codes[None])
        self._net.invoke()
        scores = self._net.get_tensor(self._output["index"])[0]
        scale, zero = self._output["quantization"]
        best = int(scores.argmax())
        return Opinion(frozenset(self._labels[best].split()), float(scale * (scores[best] - zero)))

    def event(self, words: str) -> Opinion:
        """It has learnt no events."""
        return Opinion(frozenset({"digit_seen"}), 0.0)


def transformer(path: Path | None) -> Transformer:
    import keras

    data = FAMILY.load(None)
    model = keras.models.load_model(path) if path else FAMILY.train(data, Options()).model
    some = data.train.inputs[:: len(data.train) // _CALIBRATION]
    return Transformer(convert(model, "int8", some, SPEC), data.labels)


def unseen_by_embedding() -> float:
    rows, unseen = split(SEED, HELD_OUT)
    machine = fit(rows, _points([sentence for _, sentence in rows]))
    points = _points([sentence for _, sentence in unseen])
    found = [machine.opinion(point).tags for point in points]
    return _right(found, unseen)


def unseen_by(net: Guess) -> float:
    _, unseen = split(SEED, HELD_OUT)
    return _right([net.clause(sentence).tags for _, sentence in unseen], unseen)


def _right(found: list[frozenset[str]], wanted: list[tuple[str, str]]) -> float:
    pairs = zip(found, wanted, strict=True)
    return float(np.mean([tags == frozenset(label.split()) for tags, (label, _) in pairs]))


def _points(sentences: list[str]) -> npt.NDArray[np.float32]:
    return np.concatenate(
        [default_embedder().embed(sentences[i : i + 64]) for i in range(0, len(sentences), 64)]
    )


def main() -> None:
    net = transformer(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
    helpers = {
        "grammar": (Parser(), None),
        "grammar + embedding": (open_parser(), unseen_by_embedding()),
        f"grammar + Transformer ({net.size // 1024} kB)": (Parser(net), unseen_by(net)),
    }
    files = sorted(ORDERS.glob("*.jsonl"))
    shown = Table(
        "parser", "unseen wording", *(f"{path.stem} (unsafe)" for path in files), "p50/p99 ms"
    )
    for name, (parser, unseen) in helpers.items():
        scores = [evaluate(parser, read_orders(path)) for path in files]
        shown.add_row(name, _percent(unseen), *map(_cell, scores), _times(scores))
    Console(width=240).print(shown)


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def _cell(score: Score) -> str:
    return f"{score.exact:.1%} ({score.unsafe_accepted})"


def _times(scores: list[Score]) -> str:
    return f"{np.median([s.p50_ms for s in scores]):.2f} / {max(s.p99_ms for s in scores):.1f}"


if __name__ == "__main__":
    main()

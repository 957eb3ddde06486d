"""The corpus and the small Transformer: what it is fed, and that it learns and exports."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.orders.corpus import corpus, language, split
from benchmarks.orders.features import FEATURES, STEPS, features
from benchmarks.orders.net import build, samples


@given(st.text(max_size=200))
def test_any_text_has_features(text: str) -> None:
    found = features(text)
    assert found.shape == (STEPS, FEATURES)
    assert np.isfinite(found).all()


def test_a_mistake_changes_few_features() -> None:
    right, wrong, other = (features(word) for word in ("forward", "forwrad", "gripper"))
    assert np.abs(right - wrong).sum() < np.abs(right - other).sum()


def test_the_test_wording_is_never_trained_on() -> None:
    rows, unseen = split(seed=3, held_out=0.2)
    assert len(unseen) > 100
    assert not {sentence for _, sentence in unseen} & {sentence for _, sentence in rows}
    assert {label for label, _ in unseen} <= {label for label, _ in rows}


def test_the_corpus_is_both_languages_every_label_and_repeatable() -> None:
    rows, _ = split(seed=3, held_out=0.2)
    made = corpus(rows, 2000, seed=1)
    assert made == corpus(rows, 2000, seed=1)
    assert made != corpus(rows, 2000, seed=2)
    assert {label for label, _ in made} == {label for label, _ in rows}
    chinese = sum(language(sentence) == "zh" for _, sentence in made)
    assert 0.3 < chinese / len(made) < 0.7


def test_a_small_net_learns_and_exports_to_int8() -> None:
    import keras
    from ai_edge_litert.interpreter import Interpreter

    from benchmarks.orders.features import SPEC
    from reflexarc.export.convert import convert

    keras.utils.set_random_seed(0)
    rows = [row for row in split(3, 0.2)[0] if row[0] in ("nod", "go forward")]
    labels = ("go forward", "nod")
    data = samples(corpus(rows, 1000, seed=1), labels)
    net = build(len(labels))
    assert net.count_params() < 2_000_000
    net.compile("adam", "sparse_categorical_crossentropy")
    net.fit(data.inputs, data.labels, epochs=8, batch_size=32, verbose=0)
    fresh = samples(corpus(rows, 100, seed=2), labels)
    guesses = net.predict(fresh.inputs, verbose=0).argmax(1)
    assert (guesses == fresh.labels).mean() > 0.9

    chip = Interpreter(model_content=convert(net, "int8", data.inputs[:100], SPEC))
    chip.allocate_tensors()
    (entry,), (out,) = chip.get_input_details(), chip.get_output_details()
    scale, zero = entry["quantization"]
    same = 0
    for sample, guess in zip(fresh.inputs, guesses, strict=True):
        codes = np.clip(np.round(sample / scale + zero), 0, 255).astype(np.uint8)
        chip.set_tensor(entry["index"], codes[None])
        chip.invoke()
        same += int(chip.get_tensor(out["index"])[0].argmax() == guess)
    assert same >= 95

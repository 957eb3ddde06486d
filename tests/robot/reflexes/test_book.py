from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from reflexarc.core import WriteError
from reflexarc.robot.actions import Gesture, Move, Say, When
from reflexarc.robot.reflexes import Reflex, RuleBook, RuleError
from reflexarc.robot.reflexes.book import MAX_RULES, default_path

NOD = When(event="sit_up", actions=(Gesture(name="nod"),))
SHAKE = When(event="mask_missing", actions=(Gesture(name="shake"),))
STOCK = Reflex(event="person_seen", name="greet", actions=(Say(text="hello"),))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "rules.json"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def titles(book: RuleBook) -> list[str]:
    return [reflex.title for reflex in book.active()]


def test_spoken_rules_outlive_the_program_those_of_the_file_are_its_own(path: Path) -> None:
    book = RuleBook([STOCK], path)
    book.add(NOD, "nod every time I finish a sit-up")
    book.add(SHAKE)
    again = RuleBook([STOCK], path)
    assert titles(again) == ["greet", "sit_up", "mask_missing"]
    assert [rule.number for rule in again.rules()] == [1, 2, 3]
    assert again.rules()[1].said == "nod every time I finish a sit-up"
    assert titles(RuleBook([], path)) == ["sit_up", "mask_missing"]


def test_the_same_rule_twice_is_one_and_the_newest(path: Path) -> None:
    book = RuleBook([], path)
    first = book.add(NOD, "nod when I sit up")
    book.add(SHAKE)
    book.pause([first.number])
    second = book.add(NOD, "do nod, please")
    assert second.number == first.number
    assert titles(book) == ["mask_missing", "sit_up"]  # and it fires again
    assert len(json.loads(path.read_text())["rules"]) == 2


def test_numbers_are_never_given_twice(path: Path) -> None:
    book = RuleBook([], path)
    first = book.add(NOD)
    book.forget([first.number])
    assert book.add(SHAKE).number == first.number + 1


def test_a_pause_is_kept(path: Path) -> None:
    book = RuleBook([], path)
    number = book.add(NOD).number
    book.pause([number])
    assert titles(book) == titles(RuleBook([], path)) == []
    assert RuleBook([], path).pause([number], False)[0].reflex.event == "sit_up"
    assert titles(RuleBook([], path)) == ["sit_up"]


def test_a_rule_of_the_file_rests_when_it_is_forgotten(path: Path) -> None:
    book = RuleBook([STOCK], path)
    assert [rule.number for rule in book.forget([1, 99])] == [1]
    assert titles(book) == []
    assert len(book.rules()) == 1
    assert titles(RuleBook([STOCK], path)) == ["greet"]


def test_there_is_an_end_to_what_it_can_keep(path: Path) -> None:
    book = RuleBook([], path)
    for distance in range(MAX_RULES):
        book.add(When(event="obstacle", actions=(Move(distance_m=-distance / 100),)))
    with pytest.raises(RuleError, match='at most 100 rules; found one more; .*"forget all rules"'):
        book.add(NOD)
    book.add(When(event="obstacle", actions=(Move(distance_m=-0.5),)))  # it has that one
    assert len(RuleBook([], path).rules()) == MAX_RULES


@pytest.mark.parametrize("configured", [False, True])
def test_rules_expire(path: Path, configured: bool) -> None:
    clock = Clock()
    short = Reflex(event="person_seen", expires_s=60, actions=(Say(text="hi"),))
    book = RuleBook([short] if configured else [], path, now=clock)
    book.add(NOD)
    if not configured:
        book.add(short)
    assert len(book.active()) == 2
    clock.now += 59
    kept = book.active()
    assert book.active() is kept  # the same object: nothing has changed
    clock.now += 2
    assert titles(book) == ["sit_up"]
    assert len(book.rules()) == 1
    if not configured:  # as old when it is read again
        assert len(RuleBook([], path, now=clock).rules()) == 1


def test_saying_it_again_makes_it_last_longer(path: Path) -> None:
    clock = Clock()
    book = RuleBook([], path, now=clock)
    short = Reflex(event="person_seen", expires_s=60, actions=(Say(text="hi"),))
    book.add(short)
    clock.now += 50
    book.add(short)
    clock.now += 50
    assert len(book.active()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "7",
        '{"rules": 7}',
        '{"rules": [{}]}',
        '{"rules": ["nod"]}',
        '{"rules": [{"rule": {"event": "tea_time"}, "said": "", "made_at": 0, "paused": false}]}',
        "[" * 100_000,
        "\x00\xff",
    ],
)
def test_a_file_that_is_no_rule_book_is_not_thrown_away(path: Path, text: str) -> None:
    path.parent.mkdir()
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(RuleError, match=r"rules.json; found \w+: .*; move the file away") as caught:
        RuleBook([], path)
    assert "\n" not in str(caught.value)
    assert path.read_bytes() == text.encode("latin-1")


def test_what_cannot_be_written_down_is_not_kept(path: Path) -> None:
    book = RuleBook([], path)
    book.add(NOD)
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("a file where the folder should be")
    with pytest.raises(WriteError):
        book.add(SHAKE)
    with pytest.raises(WriteError):
        book.forget([1])
    assert titles(book) == ["sit_up"]


def test_threads_may_share_it(path: Path) -> None:
    book = RuleBook([], path)

    def keep(start: int) -> None:
        for distance in range(start, start + 10):
            rule = book.add(When(event="obstacle", actions=(Move(distance_m=-distance / 100),)))
            if distance % 2:
                book.forget([rule.number])

    threads = [threading.Thread(target=keep, args=(10 * i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rules = book.rules()
    assert len(rules) == 30
    assert len({rule.number for rule in rules}) == 30
    assert {r.reflex for r in RuleBook([], path).rules()} == {r.reflex for r in rules}


def test_each_robot_has_a_book_of_its_own() -> None:
    assert default_path("a/../b") != default_path("b")
    assert default_path("a/../b").parent == default_path("b").parent
    assert len(default_path("x" * 500).name) < 100

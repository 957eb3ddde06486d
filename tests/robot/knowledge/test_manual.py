"""Questions about the robot's own manual, in English and Chinese, and about anything else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from reflexarc.robot.knowledge import KnowledgeBase


def questions(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name(name).read_text("utf-8"))
    return loaded


def answered(base: KnowledgeBase, question: dict[str, str]) -> bool:
    """Whether one of the three quotes is a right passage, and the robot says that it knows."""
    answer = base.ask(question["ask"])
    return answer.known and any(
        re.search(question["file"], quote.name)
        and re.search(question["says"], f"{quote.passage.heading} {quote.passage.text}")
        for quote in answer.quotes
    )


def test_the_manual_is_known_from_the_start(manual_base: KnowledgeBase) -> None:
    names = {document.name for document, _ in manual_base.documents()}
    assert {"README.md", "docs/bridge.md", "docs/questions.md"} <= names


def test_at_least_18_of_20_questions_find_the_right_passage(manual_base: KnowledgeBase) -> None:
    asked = questions("questions.yaml")["manual"]
    missed = [question["ask"] for question in asked if not answered(manual_base, question)]
    assert len(asked) == 20 and len(missed) <= 2, missed


def test_10_of_10_off_topic_questions_are_not_known(manual_base: KnowledgeBase) -> None:
    asked = questions("questions.yaml")["off_topic"]
    assert len(asked) == 10
    assert [question for question in asked if manual_base.answer(question) is not None] == []


def test_the_questions_that_it_was_calibrated_with_still_fit(manual_base: KnowledgeBase) -> None:
    """Pages come and go: where this fails, look at LEAST_NEARNESS again."""
    asked = questions("calibration.yaml")
    missed = [
        question["ask"] for question in asked["manual"] if not answered(manual_base, question)
    ]
    known = [question for question in asked["off_topic"] if manual_base.ask(question).known]
    assert len(missed) <= 0.15 * len(asked["manual"]), missed
    assert len(known) <= 0.05 * len(asked["off_topic"]), known


@pytest.mark.parametrize("question", ["how do I charge you?", "怎么给你充电？"])
def test_an_answer_is_a_quotation_with_its_place(manual_base: KnowledgeBase, question: str) -> None:
    answer = manual_base.answer(question)
    assert answer is not None
    quoted, place = re.fullmatch(r"“(.*)” \((.*)\)", answer, re.DOTALL).groups()  # type: ignore[union-attr]
    assert "charger" in quoted
    assert re.fullmatch(r"docs/questions\.md, line \d+ \(How do I charge the robot\?\)", place)
    (line,) = re.findall(r"line (\d+)", place)
    manual = manual_base.ask(question).quotes[0].path.read_text("utf-8").splitlines()
    assert manual[int(line) - 1].startswith(quoted[:20])


@pytest.mark.parametrize(
    "question",
    [
        "",
        "   ",
        "🙂🙂",
        "12345",
        "\x00\x07",
        "\ud800",
        "?" * 10_000,
        "nan",
        "'; DROP TABLE words; --",
    ],
)
def test_what_is_no_question_is_not_known(manual_base: KnowledgeBase, question: str) -> None:
    assert manual_base.answer(question) is None


@pytest.mark.parametrize("question", ["charge " * 2000, "充电" * 5000, "battery\x00 🙂 充电"])
def test_a_strange_question_is_survived(manual_base: KnowledgeBase, question: str) -> None:
    assert len(manual_base.ask(question).quotes) == 3


def test_cosine_and_euclidean_rank_alike(
    manual_base: KnowledgeBase, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = manual_base._store._path
    with KnowledgeBase(path, metric="euclidean") as other:
        for question in ("how do I calibrate the wheels?", "怎样更新固件？"):
            ours, theirs = manual_base.ask(question), other.ask(question)
            assert [q.passage for q in ours.quotes] == [q.passage for q in theirs.quotes]
            assert ours.nearness == pytest.approx(theirs.nearness, abs=1e-4)

"""A conversation, sentence by sentence, in simulated time."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from model_robot import ModelRobot

from reflexarc.robot.actions import Action, Follow, Gesture, Light, Move, Say, Stop, Turn, When
from reflexarc.robot.config import LanguageConfig, Limits, RobotConfig
from reflexarc.robot.plan import Plan
from reflexarc.robot.plan_check import checked, needs_word
from reflexarc.robot.planners.evaluate import read_orders
from reflexarc.robot.reflexes import RuleBook
from reflexarc.robot.session import Session, is_question, is_yes

NOD = When(event="sit_up", actions=(Gesture(name="nod"),))


def ok(*actions: Action, confidence: float = 0.97) -> Plan:
    return Plan(status="ok", actions=actions, planner="book", confidence=confidence)


PLANS = {
    "go": ok(Move(distance_m=0.5)),
    "go far": ok(Move(distance_m=4)),
    "往前走四米": ok(Move(distance_m=4)),
    "go too far": ok(Move(distance_m=5)),
    "light": ok(Light(color="red")),
    "mumble": ok(Light(color="red"), confidence=0.7),
    "halt please good robot": ok(Stop()),
    "stop, then go far": ok(Stop(), Move(distance_m=4)),
    "nod rule": ok(NOD),
    "follow me": ok(Follow()),
    "fly": Plan(status="refuse", message="I have no wings.", planner="book"),
    "what": Plan(status="clarify", message="Say that again?", planner="book"),
}


class Talk:
    """A session with a planner that knows some sentences."""

    name = "book"

    def __init__(self, **settings: Any) -> None:
        self.robot = ModelRobot(RobotConfig(**settings))
        self.asked: list[str] = []
        self.noted: list[tuple[str, str]] = []
        self.now = 0.0
        self.session = Session(
            self.robot.config,
            self,
            self.robot.controller,
            self.robot.book,
            answer={"what": "It is a robot.", "how do I stop it?": "Say stop."}.get,
            note=lambda text, plan: self.noted.append((text, plan.status)),
            clock=lambda: self.now,
        )
        self.robot.run(0.05)

    def plan(self, text: str) -> Plan:
        self.asked.append(text)
        return PLANS[text]

    def hear(self, text: str) -> tuple[str, str]:
        reply = self.session.hear(text)
        self.robot.run(0.05)
        return reply.kind, reply.text


def test_an_order_is_said_back_and_done() -> None:
    talk = Talk()
    assert talk.hear("go") == ("doing", "Drive forward 0.5 m.")
    assert talk.robot.controller.has_order
    assert talk.noted == [("go", "ok")]


@pytest.mark.parametrize(
    ("text", "preview", "yes"),
    [
        ("go far", "Drive forward 4 m. Shall I?", "yes"),
        ("go far", "Drive forward 4 m. Shall I?", "OK, do it!"),
        ("往前走四米", "前进4米。可以吗？", "好的"),
        ("follow me", "Follow the person. Shall I?", "sure"),
        ("mumble", "Make the light red. Shall I?", "yep"),
    ],
)
def test_what_is_risky_waits_for_a_yes(text: str, preview: str, yes: str) -> None:
    talk = Talk()
    if yes == "OK, do it!":
        yes = "ok"
    assert talk.hear(text) == ("confirm", preview)
    assert not talk.robot.controller.busy
    assert talk.hear(yes)[0] == "doing"
    assert talk.asked == [text]
    assert talk.robot.said("started")


@pytest.mark.parametrize(
    ("order", "no", "answer"),
    [("go far", "不用", "All right, I leave it."), ("往前走四米", "no", "好的，不做了。")],
)
def test_a_no_is_a_no_in_the_language_of_the_order(order: str, no: str, answer: str) -> None:
    talk = Talk()
    talk.hear(order)
    assert talk.hear(no) == ("answer", answer)
    with pytest.raises(KeyError):  # the next yes is an order like any other
        talk.hear("yes")
    assert not talk.robot.controller.busy


def test_another_order_instead_of_a_yes_replaces_the_question() -> None:
    talk = Talk()
    talk.hear("go far")
    assert talk.hear("light") == ("doing", "Make the light red.")
    with pytest.raises(KeyError):
        talk.hear("yes")


def test_a_yes_that_comes_late_is_no_yes() -> None:
    talk = Talk()
    talk.hear("go far")
    talk.now += 61
    with pytest.raises(KeyError):
        talk.hear("yes")


def test_stop_during_the_question_is_a_no() -> None:
    talk = Talk()
    talk.hear("go far")
    assert talk.hear("stop!") == ("answer", "Stopped.")
    with pytest.raises(KeyError):
        talk.hear("yes")
    assert not talk.robot.controller.busy


@pytest.mark.parametrize(
    ("text", "answer"),
    [("STOP", "Stopped."), ("停下", "已停下。"), ("please stop now!!", "Stopped.")],
)
def test_stop_asks_nobody(text: str, answer: str) -> None:
    talk = Talk(language={"confirm": "always"})
    talk.robot.order(Move(distance_m=5))
    talk.robot.run(1)
    assert talk.hear(text) == ("answer", answer)
    assert talk.asked == []
    assert talk.robot.board.order == (0, 0)
    assert not talk.robot.controller.busy


def test_a_planner_that_finds_a_stop_is_as_good() -> None:
    talk = Talk(language={"confirm": "always"})
    talk.robot.order(Move(distance_m=5))
    assert talk.hear("halt please good robot") == ("answer", "Stopped.")
    assert not talk.robot.controller.busy
    assert talk.robot.events[-1].kind == "stopped"


def test_what_was_being_understood_when_somebody_said_stop_is_not_done() -> None:
    """A slow planner thinks; meanwhile, from another thread, stop."""
    talk = Talk()
    thinking, go_on = threading.Event(), threading.Event()

    class Slow:
        name = "slow"

        def plan(self, text: str) -> Plan:
            thinking.set()
            assert go_on.wait(10)
            return PLANS[text]

    replies = []
    for text in ("go", "go far"):
        session = Session(talk.robot.config, Slow(), talk.robot.controller, talk.robot.book)
        thinking.clear()
        go_on.clear()
        thread = threading.Thread(target=lambda s=session, t=text: replies.append(s.hear(t)))
        thread.start()
        assert thinking.wait(10)
        assert session.hear("stop").text == "Stopped."
        go_on.set()
        thread.join(10)
    assert [reply.text for reply in replies] == ["Stopped.", "Stopped."]
    talk.robot.run(1)
    assert talk.robot.board.metres() == (0, 0)


def test_a_refusal_says_why_and_a_question_is_asked_of_who_knows() -> None:
    talk = Talk()
    assert talk.hear("fly") == ("answer", "I have no wings.")
    reply = talk.session.hear("what")
    assert (reply.kind, reply.text, reply.as_dict()["status"]) == ("answer", "It is a robot.", "ok")
    assert talk.session.hear("fly").as_dict()["status"] == "refuse"
    # A question of how or why is for the manual; no planner is asked.
    assert talk.hear("how do I stop it?") == ("answer", "Say stop.")
    assert talk.noted[-1][0] == "fly"


def test_the_robots_own_limits_refuse_in_the_users_words() -> None:
    talk = Talk(limits={"distance_m": 3})
    assert talk.hear("go too far") == ("answer", "That is too far: at most 3 m.")
    assert talk.hear("往前走四米") == ("answer", "太远了：最多3米。")
    assert not talk.robot.controller.busy


def test_rules_by_word_of_mouth(tmp_path: Path) -> None:
    talk = Talk()
    assert talk.hear("what are your rules?") == ("answer", "I have no rules.")
    assert talk.hear("nod rule") == ("doing", "Whenever a sit-up is finished: nod.")
    listed = "My rules: 1. Whenever a sit-up is finished: nod."
    assert talk.hear("list the rules") == ("answer", listed)
    assert talk.hear("你有哪些规则？") == (
        "answer",
        "我的规则：1. 每当做完一个仰卧起坐就点头。",
    )
    paused = ("answer", "Paused: Whenever a sit-up is finished: nod.")
    assert talk.hear("pause the nod rule") == paused
    assert talk.robot.book.active() == ()
    assert talk.hear("resume the nod rule")[1].startswith("Going on with: Whenever")
    assert len(talk.robot.book.active()) == 1
    assert talk.hear("forget the elephant rule") == ("answer", "I know no such rule.")
    assert talk.hear("forget that")[1].startswith("Forgotten: Whenever")
    assert talk.robot.book.rules() == ()
    assert talk.asked == ["nod rule"]


def test_a_rule_too_many_is_an_answer_not_the_end() -> None:
    talk = Talk()
    for i in range(100):
        talk.robot.book.add(When(event="obstacle", actions=(Move(distance_m=-i / 100),)))
    kind, text = talk.hear("nod rule")
    assert kind == "answer"
    assert "at most 100 rules" in text
    assert talk.hear("forget all rules") == ("answer", "I have forgotten all 100 rules.")


def test_a_disk_that_is_full_is_an_answer_too(tmp_path: Path) -> None:
    talk = Talk()
    blocked = tmp_path / "state"
    talk.session._book = talk.robot.controller._book = RuleBook([], blocked / "rules.json")
    blocked.write_text("a file where the folder should be")
    kind, text = talk.hear("nod rule")
    assert (kind, text.startswith("expected to write")) == ("answer", True)


def test_text_that_is_no_text_is_harmless() -> None:
    talk = Talk()
    with pytest.raises(KeyError):
        talk.hear("\ud800\udfff bad \udce9")
    assert talk.asked == ["?? bad ?"]


@pytest.mark.parametrize(
    ("plan", "policy", "asks"),
    [
        (ok(Move(distance_m=1)), "never", False),
        (ok(Move(distance_m=5)), "never", False),
        (ok(Light(color="red")), "always", True),
        (ok(Stop()), "always", False),
        (ok(Stop(), Move(distance_m=5)), "risky", True),
        (ok(Stop(), Light(color="red")), "risky", False),
        (ok(Move(distance_m=2)), "risky", False),
        (ok(Move(distance_m=1.5), Move(distance_m=-1.5)), "risky", True),
        (ok(Turn(angle_deg=360)), "risky", False),
        (ok(Turn(angle_deg=-361)), "risky", True),
        (ok(Follow()), "risky", True),
        (ok(NOD), "risky", False),
        (ok(When(event="sit_up", actions=(Move(distance_m=0.1),))), "risky", True),
        (ok(Say(text="hi"), confidence=0.79), "risky", True),
        (PLANS["fly"], "always", False),
    ],
)
def test_which_plans_need_a_word(plan: Plan, policy: Any, asks: bool) -> None:
    assert needs_word(plan, policy) is asks


def test_a_stop_before_a_long_way_does_not_hide_it() -> None:
    """Stop first, then far: the first is done at once, so the rest has to wait for a word."""
    plan = ok(Stop(), Move(distance_m=5))
    assert checked(plan, Limits(), "en") == plan
    assert needs_word(plan, "risky")


@pytest.mark.parametrize("text", ["yes", "Yes!", "ok", "okay", "好", "可以。", "go ahead", "是的"])
def test_yes(text: str) -> None:
    assert is_yes(text)


@pytest.mark.parametrize("text", ["", "no", "yesterday", "not ok", "不好", "可以吗", "go left"])
def test_not_yes(text: str) -> None:
    assert not is_yes(text)


def test_the_default_policy_is_to_ask_before_what_is_risky() -> None:
    assert LanguageConfig().confirm == "risky"


def test_what_comes_after_a_stop_waits_for_a_word_like_any_other_and_the_stop_does_not() -> None:
    talk = Talk()
    talk.hear("go")
    talk.robot.run(0.5)
    assert talk.hear("stop, then go far")[0] == "confirm"
    assert talk.robot.said("stopped")
    at = talk.robot.board.metres()
    talk.robot.run(2)
    assert talk.robot.board.metres() == pytest.approx(at, abs=0.05)  # it rolls out, no more
    assert talk.hear("yes")[0] == "doing"
    talk.robot.run(3)
    assert talk.robot.board.metres()[0] > at[0] + 0.5


def test_no_order_is_taken_for_a_question() -> None:
    """The manual is asked before the planner: it must not swallow what is to be done."""
    folder = Path(__file__).parents[1] / "data" / "orders"
    orders = [order for path in sorted(folder.glob("*.jsonl")) for order in read_orders(path)]
    meant = [order.said for order in orders if order.status == "ok"]
    assert len(meant) > 1000
    assert [text for text in meant if is_question(text)] == []
    for question in (
        "How do I charge you?",
        "怎么给你充电？",
        "为什么不动了？",
        "where do I plug it in",
    ):
        assert is_question(question), question

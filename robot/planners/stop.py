"""The one order that no planner may delay: stop, in any language."""

from __future__ import annotations

import re
import unicodedata

from reflexarc.robot.actions import Stop
from reflexarc.robot.plan import Plan

NAME = "stop"
_MAX_CHARACTERS = 60

# Whole sentences that mean "stop now", after what does not change that is taken away.
_WORDS = frozenset(
    [
        "stop",
        "halt",
        "freeze",
        "whoa",
        "abort",
        "cancel",
        "emergency",
        "estop",
        "standstill",
        "stopp",
        "alto",
        "arrete",
        "stoj",
        "стоп",
        "停",
        "停下",
        "停住",
        "停止",
        "停车",
        "停下来",
        "急停",
        "别动",
        "不要动",
        "不许动",
        "站住",
        "住手",
        "紧急停止",
        "立刻停止",
        "马上停下",
        "刹车",
        "快停",
        "打住",
        "取消",
        "全部取消",
        "取消全部",
        "停車",
        "停下來",
        "別動",
        "緊急停止",
        "剎車",
        "とまれ",
        "止まれ",
    ]
)
_PHRASES = frozenset(
    phrase.strip()
    for phrase in """
    stop moving|stop it|stop that|stop the motors|stop the robot|stop everything|stop driving
    stop there|stop right there|dont move|do not move|stand still|hold still|hold it|hold on
    emergency stop|e stop|all stop|full stop|stop everything right now|stop what you are doing
    stop what youre doing|come to a stop|come to a halt|cancel that|cancel it|cancel this
    cancel everything|cancel all|abort that|abort everything
    """.replace("\n", "|").split("|")
)
_FILLERS_EN = frozenset(
    [
        "please",
        "now",
        "right",
        "hey",
        "robot",
        "rover",
        "ok",
        "okay",
        "immediately",
        "at",
        "once",
        "no",
        "oh",
        "god",
        "quick",
        "quickly",
        "just",
        "everything",
        "pls",
        "plz",
        "the",
    ]
)
_FILLERS_ZH = [
    "请",
    "請",
    "快点",
    "快點",
    "快",
    "赶紧",
    "趕緊",
    "立刻",
    "立即",
    "马上",
    "馬上",
    "现在",
    "現在",
    "机器人",
    "機器人",
    "小车",
    "小車",
    "喂",
    "嘿",
    "你",
    "给我",
    "給我",
    "一下",
    "吧",
    "啊",
    "呀",
    "了",
    "哦",
    "啦",
]


def is_stop(text: str) -> bool:
    """Whether the whole of a text is an order to stop now. Quick, and never raises."""
    if len(text) > _MAX_CHARACTERS:
        return False
    plain = unicodedata.normalize("NFKC", text).casefold()
    plain = re.sub(r"['’`]", "", plain)
    words = re.findall(r"\w+", plain)
    if not words:
        return False
    if _squeezed("".join(words)) in _WORDS:
        return True
    left = [_squeezed(word) for word in words]
    while left and left[0] in _FILLERS_EN:
        left.pop(0)
    while left and left[-1] in _FILLERS_EN:
        left.pop()
    if not left:
        return False
    if " ".join(left) in _PHRASES or all(word in _WORDS for word in left):
        return True
    return _is_stop_zh("".join(words))


def _squeezed(word: str) -> str:
    """Letters drawn out in a cry count once: "stooop", "stopppp"; Chinese doubles too."""
    squeezed = re.sub(r"(.)\1+", r"\1", word)
    return word if word in _WORDS else squeezed


def _is_stop_zh(text: str) -> bool:
    """Chinese: fillers before and after a word of the list."""
    changed = True
    while changed and text:
        if text in _WORDS or re.sub(r"(.)\1+", r"\1", text) in _WORDS:
            return True
        changed = False
        for filler in _FILLERS_ZH:
            if text.startswith(filler) and len(text) > len(filler):
                text, changed = text[len(filler) :], True
            elif text.endswith(filler) and len(text) > len(filler):
                text, changed = text[: -len(filler)], True
    return text in _WORDS


def stop_plan() -> Plan:
    """The plan that stops."""
    return Plan(status="ok", actions=(Stop(),), planner=NAME)

"""What is to be said: where it begins and ends, in the user's own characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from reflexarc.robot.planners.parser.clauses import is_connector, is_head
from reflexarc.robot.planners.parser.events import event_of
from reflexarc.robot.planners.parser.problems import Problem, problem
from reflexarc.robot.planners.parser.text import Text
from reflexarc.robot.planners.parser.tokens import Token

_LISTENER = frozenset({"me", "person", "that", "face"})
_TOPICS = frozenset(
    [
        "question",
        "how_many",
        "how_much",
        "who",
        "mask",
        "no_mask",
        "battery",
        "pose",
        "digit",
        "what_digit",
        "check",
        "situp",
        "obstacle",
        "read",
        "low",
    ]
)
_BEGINS = frozenset(
    [
        "light",
        "color:red",
        "color:green",
        "color:blue",
        "color:white",
        "when",
        "do_then",
        "left",
        "right",
    ]
)
_TRAILING = (
    "please",
    "pls",
    "for me",
    "thanks",
    "thank you",
    "吧",
    "好吗",
    "好不好",
    "一下",
    "可以吗",
    "行吗",
)
_TO_SOMEBODY = frozenset({"to", "at"})
_PERFORMS = frozenset(
    {"recite", "read aloud", "read out loud", "念", "讲", "朗读", "播放", "念一句"}
)
_MOTIONS = frozenset({"go", "turn", "look"})
_WHERE = frozenset({"left", "right", "forward", "back", "up", "down", "around"})
_NO_WORDS = frozenset(
    {"something", "anything", "it", "that", "this", "stuff", "again", "点什么", "什么", "东西"}
)
""" "Say something": not what is to be said."""
_SOFT_BEFORE = frozenset(
    {
        "to",
        "that",
        "out",
        "loud",
        "aloud",
        "loudly",
        "一下",
        "一声",
        "一句",
        "the words",
        "个",
        "出",
        "out loud",
        "的",
        "得",
        "大声",
        "小声",
        "大声地",
    }
)


def with_speech(tokens: Sequence[Token], text: Text) -> list[Token]:
    """Turn what follows "say" into a quotation, unless it is one already."""
    done: list[Token] = []
    index = 0
    while index < len(tokens):
        token = tokens[index]
        done.append(token)
        index += 1
        if token.quoted or not _speaks(tokens, index - 1):
            continue
        begin = _quotation(tokens, index) or _begin(tokens, index)
        for kept in tokens[index:begin]:  # "three times:", "to her"
            if kept.dimension == "times":
                done.append(kept)
        if begin < len(tokens) and tokens[begin].quoted:
            index = begin
            continue
        end = _end(tokens, begin)
        last = end
        while last > begin and tokens[last - 1].dimension == "times":
            last -= 1  # "say hello three times"
        said = _trimmed(tokens, begin, last, text)
        if any(t.tags & {"shell", "inject"} for t in tokens[begin:last]):
            said = None  # "say your password"
        if said is not None and end < len(tokens) and _orders(tokens[begin:last]):
            # "Say turn left and go forward": where does the text end?
            raise problem("what_say", 0.7)
        if said is not None:
            # The verb may be "tell": with words to speak it is "say".
            done = [replace(t, tags=frozenset({"say"})) if t is token else t for t in done]
            done.append(said)
            done += tokens[last:end]
        elif any(t.dimension == "times" for t in tokens[begin:end]):
            done += tokens[begin:end]
        else:
            done += tokens[begin:end]
        index = end
    return done


def _speaks(tokens: Sequence[Token], index: int) -> bool:
    token = tokens[index]
    if "say" in token.tags:
        for before in reversed(tokens[:index]):
            if is_connector(before):
                break
            if before.tags & {"unreal", "not", "question"}:
                return False
        performs = token.text in _PERFORMS
        if performs and any("cannot" in t.tags for t in tokens[index + 1 : index + 6]):
            return False  # "recite a poem"
        # "The manual says ..." tells of an order and is none.
        return token.text not in ("says", "said") or index == 0
    if "tell" in token.tags and token.text in (
        "tell",
        "inform",
        "warn",
        "remind",
        "告诉",
        "提醒",
        "通知",
        "警告",
    ):
        listener = tokens[index + 1] if index + 1 < len(tokens) else None
        rest = tokens[index + 2 : _end(tokens, min(index + 2, len(tokens)))]
        return (
            listener is not None
            and bool(listener.tags & {"person", "that"})
            and any(not t.tags & {"filler"} for t in rest)
            and not any(t.tags & _TOPICS for t in rest if t.text != "wear")
        )
    return False


def _orders(tokens: Sequence[Token]) -> bool:
    """Whether a text to be said reads like an order itself."""
    tags = frozenset().union(*(token.tags for token in tokens))
    return bool(tags & _MOTIONS) and bool(tags & _WHERE)


def _quotation(tokens: Sequence[Token], index: int) -> int:
    """The quotation that the verb means, though words stand between: "say, loudly, ..."."""
    for at in range(index, len(tokens)):
        if tokens[at].quoted:
            return at
        if is_head(tokens[at]) or tokens[at].tags & {"period", "then", "when"}:
            break
    return 0


def _begin(tokens: Sequence[Token], index: int) -> int:
    """Past "to her", "：", "out loud", "three times"."""
    while index < len(tokens):
        token = tokens[index]
        if token.quoted:
            return index
        to_somebody = (
            token.text in ("to", "at")
            and index + 1 < len(tokens)
            and tokens[index + 1].tags & _LISTENER
        )
        if to_somebody:
            index += 2
        elif (
            token.text in (":", ",", "，", "-")
            or token.dimension == "times"
            or token.text in _SOFT_BEFORE
            or (token.tags & _LISTENER and "tell" in tokens[index - 1].tags)
        ):
            index += 1
        else:
            return index
    return index


def _end(tokens: Sequence[Token], begin: int) -> int:
    """The first connector behind which an action begins, or the end of the sentence."""
    for index in range(begin, len(tokens)):
        token = tokens[index]
        if "period" in token.tags:
            if index > begin:
                return index
            continue
        if index == begin:
            continue
        if "each" in token.tags and _is_event(tokens[index + 1 : index + 3]):
            return index
        if "when" in token.tags and token.value is None and _is_event(tokens[index + 1 :]):
            return index
        if is_connector(token) and _action_follows(tokens, index + 1):
            return index
    return len(tokens)


def _action_follows(tokens: Sequence[Token], index: int) -> bool:
    first = index - 1
    while index < len(tokens) and (
        is_connector(tokens[index])
        or tokens[index].tags == {"filler"}
        or tokens[index].text == "把"
    ):
        if "period" in tokens[index].tags:
            return True
        index += 1
    if index >= len(tokens):
        return True
    token = tokens[index]
    strong = any("then" in t.tags for t in tokens[first:index])
    if strong and token.tags & {"cannot", "harm", "shell", "safety"}:
        return True
    return is_head(token) or bool(token.tags & _BEGINS) or token.dimension == "times"


def _is_event(tokens: Sequence[Token]) -> bool:
    for length in range(1, min(len(tokens), 12) + 1):
        try:
            if event_of(tokens[:length]) is not None:
                return True
        except Problem:
            return True
    return False


def _trimmed(tokens: Sequence[Token], begin: int, end: int, text: Text) -> Token | None:
    """The words as one quotation, without "please" and "to everybody" at their end."""
    changed = True
    while changed and end > begin:
        changed = False
        if tokens[end - 1].text in _TRAILING and end - 1 > begin:
            end, changed = end - 1, True
        for back in range(2, 5):
            at = end - back
            if (
                at > begin
                and tokens[at].text in _TO_SOMEBODY
                and tokens[end - 1].tags & _LISTENER
                and all(t.tags for t in tokens[at:end])
            ):
                end, changed = at, True
    if end <= begin or all(t.text in _NO_WORDS for t in tokens[begin:end]):
        return None
    start, stop = tokens[begin].start, tokens[end - 1].end
    if not text.verbatim(start, stop).strip(" .。，,!！:："):
        return None
    return Token(text.plain[start:stop], start, stop, quoted=True)

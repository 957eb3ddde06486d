"""What one clause means: the grammar, a learnt opinion where it does not know, and doubts."""

from __future__ import annotations

from dataclasses import dataclass, replace

from reflexarc.robot.actions import Follow, Grip, Step
from reflexarc.robot.planners.parser.clauses import Clause, is_head
from reflexarc.robot.planners.parser.intents import intent_of
from reflexarc.robot.planners.parser.opinion import Guess, Opinion
from reflexarc.robot.planners.parser.problems import problem
from reflexarc.robot.planners.parser.slots import fill, repeated, times_of
from reflexarc.robot.planners.parser.text import Text
from reflexarc.robot.planners.parser.tokens import Token

_ENOUGH = 0.6
"""Confidence from which an opinion is acted on."""
_MOTIONS = frozenset({"move", "turn", "grip", "gesture", "follow", "wait", "square"})
_AMOUNTS = frozenset({"length", "angle", "time", "times"})
_BODILY = ("move", "turn", "gesture", "light", "grip")
_FIRM = frozenset({"clarify.unreal", "clarify.negation", "clarify.except", "clarify.what_color"})
"""Questions that no opinion answers."""
TAKES = {
    "move": {"length"},
    "turn": {"angle"},
    "look": {"angle"},
    "wait": {"time"},
    "square": {"length"},
}
"""Amounts that an action takes."""


@dataclass(frozen=True)
class Made:
    """The steps of a clause; `learnt` from examples rather than known."""

    steps: tuple[Step, ...]
    confidence: float = 1.0
    learnt: bool = False


def mean(
    piece: Clause, tags: frozenset[str], text: Text, guess: Guess | None, before: list[Step]
) -> Made:
    """The steps of a clause.

    Args:
        piece, tags: the clause and `tags_of` it.
        text: where its words are taken from.
        guess: whom to ask about unknown wording.
        before: the steps that come before it.

    Raises:
        Problem: it cannot be done, or one has to ask.
    """
    intent = intent_of(tags)
    confidence = 0.97
    learnt = False
    words = text.verbatim(piece.start, piece.end)
    unknown = sum(token.unknown for token in piece.tokens)
    guessed = sum(token.guessed for token in piece.tokens)
    open_question = (intent.startswith("clarify") and intent not in _FIRM) or not intent
    if (
        guess is not None
        and (unknown or not intent)
        and not intent.startswith("say")
        and intent not in _FIRM
    ):
        opinion = guess.clause(words)
        helped = _helped(tags, opinion) if open_question else ""
        if open_question and _gibberish(piece):
            raise problem("unknown", 0.5, part=words[:80] or "?")
        if helped.startswith("refuse"):
            raise problem(helped.partition(".")[2], opinion.confidence)
        if helped:
            intent, confidence, learnt = helped, opinion.confidence, True
            piece = replace(piece, tokens=(*piece.tokens, _extra(opinion, piece)))
            tags |= opinion.tags
        elif intent and not open_question:
            agrees = intent_of(opinion.tags).split(".")[0] == intent.split(".")[0]
            confidence = 0.9 if agrees else 0.97 - 0.2 * min(unknown, 3)
            doubted = not tags & _AMOUNTS or unknown > 1
            if not agrees and doubted and intent.startswith(_BODILY):
                raise problem("unknown", 0.5, part=words[:80] or "?")
            if not agrees and "refuse" in intent_of(opinion.tags) and opinion.confidence > 0.85:
                raise problem("cannot", opinion.confidence)
        elif (
            open_question
            and opinion.confidence > 0.3
            and intent_of(opinion.tags).startswith("refuse")
        ):
            raise problem(intent_of(opinion.tags).partition(".")[2], opinion.confidence)
    elif unknown:
        known = sum(not token.unknown and token.tags != {"filler"} for token in piece.tokens)
        if intent and not open_question and unknown > known and not intent.startswith("refuse"):
            raise problem("unknown", 0.4, part=words[:80])
        confidence -= 0.2 * min(unknown, 3)
    if not (learnt or tags & _AMOUNTS) and intent.startswith(_BODILY) and _part_of_a_word(piece):
        raise problem("unknown", 0.4, part=words[:80] or "?")
    if not intent:
        raise problem("unknown", 0.3, part=words[:80] or "?")
    _refuse_doubt(intent, tags, words)
    if intent == "clarify.what_grip" and tags & {"open", "close"} and _holds(before):
        intent = "grip.open" if "open" in tags else "grip.close"
    if intent == "follow.it":
        intent = _follow_it(tags, before, words)
    _account(intent, tags, words)
    actions = fill(intent, piece, text)
    confidence -= 0.02 * min(guessed, 3)
    _nothing_left(intent, tags, words)
    if tags & {"again", "there", "that", "harm", "shell"} and not intent.startswith(
        ("report", "grip", "follow", "say")
    ):
        confidence -= 0.15
    times = None if intent == "count" else times_of(piece)
    if intent.startswith("gesture") and times is None and "number" in tags:
        times = times_of(_counted(piece))  # "three nods"
    return Made(repeated(actions, times), confidence, learnt)


_STRANGE = frozenset(
    [
        "person",
        "nobody",
        "who",
        "question",
        "inquiry",
        "obstacle",
        "digit",
        "what_digit",
        "battery",
        "mask",
        "no_mask",
        "pose",
        "harm",
        "shell",
        "inject",
        "safety",
        "cannot",
        "object",
        "break",
        "exercise",
        "situp",
        "bad_color",
        "read",
        "tell",
        "disable",
        "path",
        "state",
        "low",
        "gone",
        "appear",
        "number",
        "someone",
        "said",
        "reckless",
        "sideways",
        "speed",
        "that",
        "there",
    ]
)
"""Tags that say that a motion is not all that is meant, unless the motion takes them."""
_WELCOME = {
    "move": frozenset({"there", "that", "question"}),
    "square": frozenset({"that", "question"}),
    "turn": frozenset({"number", "there", "that", "state", "question", "appear"}),
    "look": frozenset({"question", "number", "there", "that", "object", "who", "person", "state"})
    | frozenset({"cannot", "read", "digit", "low", "appear"}),
    "grip": frozenset({"that", "object", "there", "digit", "safety", "question"}),
    "gesture": frozenset({"person", "someone", "that", "there", "number", "nobody", "who"})
    | frozenset({"question", "appear"}),
    "light": frozenset({"that", "there", "disable", "question", "appear", "read"}),
    "follow": frozenset({"person", "someone", "that", "there", "who", "digit", "appear"})
    | frozenset({"obstacle", "question", "state", "number"}),
    "wait": frozenset({"that", "there", "number", "break", "question"}),
}


def _account(intent: str, tags: frozenset[str], words: str) -> None:
    """Every known word must have its place in what is done, or one asks."""
    kind = intent.partition(".")[0]
    if kind not in _WELCOME:
        return
    left = tags & _STRANGE - _WELCOME[kind]
    if "length" not in tags and kind == "move":
        left |= tags & {"there"}
    if "maybe" in tags and not tags & {"length", "angle", "time"}:
        left |= {"maybe"}
    if left:
        raise problem("except", 0.6, part=words[:80] or "?")


def _counted(piece: Clause) -> Clause:
    return replace(
        piece,
        tokens=tuple(
            replace(t, dimension="times") if t.value is not None and not t.dimension else t
            for t in piece.tokens
        ),
    )


def _nothing_left(intent: str, tags: frozenset[str], words: str) -> None:
    """An amount that the action does not take means that something was not understood."""
    kind = intent.partition(".")[0]
    left = (tags & {"length", "angle", "time"}) - TAKES.get(kind, set())
    if left and kind not in ("say", "report"):
        raise problem("except", 0.6, part=words[:80] or "?")


def _part_of_a_word(piece: Clause) -> bool:
    """Whether a Chinese verb of one character is glued to unknown ones: 退 of 退货."""
    return any(
        one.end == other.start
        and (one.unknown or other.unknown)
        and any(len(t.text) == 1 and not t.text.isascii() and is_head(t) for t in (one, other))
        for one, other in zip(piece.tokens, piece.tokens[1:], strict=False)
    )


def _gibberish(piece: Clause) -> bool:
    """Letters that make no word of any language: no use in guessing."""
    unknown = [token.text for token in piece.tokens if token.unknown and token.text.isascii()]
    letters = [word for word in unknown if word.isalpha()]
    return bool(letters) and (
        all(len(word) == 1 for word in letters)
        or any(len(word) > 3 and not set(word) & set("aeiouy") for word in letters)
    )


def _helped(tags: frozenset[str], opinion: Opinion) -> str:
    intent = intent_of(tags | opinion.tags)
    if opinion.confidence < _ENOUGH or intent.startswith("clarify"):
        return ""
    return intent


def _extra(opinion: Opinion, piece: Clause) -> Token:
    return Token("", piece.end, piece.end, tags=opinion.tags)


def _holds(before: list[Step]) -> bool:
    """Whether the gripper was spoken of: "open the gripper, ..., close it"."""
    return any(isinstance(step, Grip) for step in before)


def _follow_it(tags: frozenset[str], before: list[Step], words: str) -> str:
    if before and isinstance(before[-1], Follow):
        return f"follow.{before[-1].target}"
    if tags & {"there", "unknown"}:
        raise problem("cannot_follow", 0.6)
    if "that" in tags:
        raise problem("what", 0.8, part=words[:80])
    return "follow.person"


def _refuse_doubt(intent: str, tags: frozenset[str], words: str) -> None:
    """What could turn the meaning round is asked about, never passed over."""
    kind = intent.partition(".")[0]
    if kind in ("say", "refuse"):
        return
    part = words[:80] or "?"
    if "minus" in tags:
        raise problem("except", 0.7, part=part)
    if kind != "report":
        if "not" in tags and kind not in ("clarify",) and intent not in ("report.mask",):
            raise problem("negation")
        if "unreal" in tags or (kind in _MOTIONS and tags & {"inquiry"}):
            raise problem("unreal")
        if tags & {"when", "if_end"}:
            raise problem("which_event", 0.6, part=part)
        if "except" in tags or ("until" in tags and kind != "count"):
            raise problem("except", 0.8, part=part)
        if "not" in tags:
            raise problem("negation")
        if kind == "gesture" and tags & {"vague", "unit"}:
            raise problem("many", 0.8)

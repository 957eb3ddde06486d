"""What a clause leaves out, taken from its neighbours: "turn left 30 and right 60"."""

from __future__ import annotations

from dataclasses import replace

from reflexarc.robot.planners.parser.clauses import Clause, tags_of
from reflexarc.robot.planners.parser.intents import intent_of
from reflexarc.robot.planners.parser.lexicon import HEADS
from reflexarc.robot.planners.parser.meaning import TAKES
from reflexarc.robot.planners.parser.tokens import Token

SIDES = frozenset({"left", "right", "up", "down", "forward", "back"})
BEARING = HEADS | frozenset(
    [
        "light",
        "gripper",
        "situp",
        "mask",
        "no_mask",
        "battery",
        "pose",
        "who",
        "how_many",
        "how_much",
        "question",
        "digit",
        "what_digit",
        "safety",
        "shell",
        "inject",
        "harm",
        "cannot",
        "exercise",
        "around",
        "circle",
        "bad_color",
        "square",
        "color:red",
        "color:green",
        "color:blue",
        "color:white",
        "there",
        "head",
        "that",
        "again",
        "nobody",
        "person",
        "unreal",
        "read",
    ]
)
"""Tags of a clause that stands by itself."""
_EMPTY = frozenset({"go", "look", "check", "filler", "shine", "turn"})


def completed(found: list[Clause]) -> list[Clause]:
    """Give a clause without a verb that of its neighbour."""
    done: list[Clause] = []
    for index, piece in enumerate(found):
        tags = tags_of(piece)
        follows = found[index + 1] if index + 1 < len(found) else None
        if (
            follows is not None
            and _is_empty(piece, tags)
            and follows.joiner in ("and", "comma", "then", "")
        ):
            continue
        if done and {"axis", "look"} <= tags & tags_of(done[-1]) and piece.joiner == "and":
            done[-1] = replace(done[-1], tokens=(*done[-1].tokens, *piece.tokens))
            continue  # "tilt up 15 and pan left 20"
        if done and _counts_together(tags_of(done[-1]), tags):
            done[-1] = replace(done[-1], tokens=(*done[-1].tokens, *piece.tokens))
            continue
        if (
            done
            and "light" in tags_of(done[-1])
            and tags & {"off", "on", "open", "close"}
            and not tags & {"light", "gripper", "hand", "cannot"}
        ):
            done.append(_inheriting(done[-1], piece, tags))
            continue
        if done and "greet" in tags_of(done[-1]) and "say" in tags and piece.joiner == "then":
            done.pop()  # "greet them by saying ..."
        if tags & BEARING or "quoted" in tags:
            done.append(piece)
            continue
        last = done[-1] if done else None
        if last is None or "unknown" in tags:
            if (
                follows is not None
                and tags & SIDES
                and not tags & {"length", "angle"}
                and not tags_of(follows) & SIDES
            ):
                found[index + 1] = replace(follows, tokens=(*piece.tokens, *follows.tokens))
            else:
                done.append(piece)
            continue
        joined = _with_last(last, piece, tags)
        if joined is None:
            done.append(_inheriting(last, piece, tags))
        else:
            done[-1] = joined
    return done


def _counts_together(before: frozenset[str], tags: frozenset[str]) -> bool:
    """ "I am going to do sit-ups, keep count": what is counted stands in the other clause."""
    one, other = {"situp"} <= before, {"situp"} <= tags
    return (
        one != other
        and ("count" in (tags if one else before))
        and not ({"person"} & (before | tags))
    )


def _is_empty(piece: Clause, tags: frozenset[str]) -> bool:
    return (
        bool(tags)
        and tags <= _EMPTY
        and not any(token.quoted or token.unknown for token in piece.tokens)
        and bool(tags & {"go", "look", "check"})
    )


def _with_last(last: Clause, piece: Clause, tags: frozenset[str]) -> Clause | None:
    """The last clause with what this one adds to it, None if it is a step of its own."""
    before = tags_of(last)
    both = replace(last, tokens=(*last.tokens, *piece.tokens))
    if not tags & SIDES:
        amounts = tags & {"length", "angle", "time", "number"}
        fitting = TAKES.get(intent_of(before).partition(".")[0], set()) | {"number"}
        if amounts and amounts <= fitting and not before & {"length", "angle", "time", "number"}:
            return both  # "turn left, 30 degrees please"
        if not amounts and tags & {"little", "vague", "not", "except", "until", "minus"}:
            return both
        return None
    if "look" in before and piece.joiner in ("and", "comma") and before & SIDES:
        across = bool(before & {"left", "right"}) != bool(tags & {"left", "right"})
        if across and tags & {"left", "right", "up", "down"}:
            return both  # "look left and up"
    if before & {"go", "turn", "look", "head"} and not before & (
        SIDES | {"around", "circle", "straight"}
    ):
        return both  # "turn 30 degrees, to the left"
    return None


def _inheriting(last: Clause, piece: Clause, tags: frozenset[str]) -> Clause:
    """A clause of its own with the verb of the last: "turn left 30 and right 60"."""
    before = tags_of(last)
    verb = ""
    if (
        before & {"look", "head"}
        and tags & {"left", "right", "up", "down"}
        and "length" not in tags
    ):
        verb = "look"
    elif tags & {"left", "right"} and "length" not in tags:
        verb = "turn"
    elif tags & {"forward", "back"}:
        verb = "go"
    elif "angle" in tags and "turn" in before:
        verb = "turn"
    if not verb and "length" in tags and not tags & SIDES:
        verb = "back" if "back" in before else "forward"  # "then another meter"
    if not verb and tags & {"on", "off", "open", "close"} and "light" in before:
        verb = "light"
    if not verb:
        return piece
    extra = Token("", piece.end, piece.end, tags=frozenset({verb}))
    return replace(piece, tokens=(*piece.tokens, extra))

"""Cut a sentence where one action ends and the next begins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from reflexarc.robot.planners.parser.lexicon import HEADS, read_table
from reflexarc.robot.planners.parser.tokens import PREFIXES, Token

_KINDS = (
    "before",
    "zh_before",
    "after",
    "then",
    "do_then",
    "period",
    "asks",
    "together",
    "and",
    "comma",
)
"""Connectors, the strongest first."""
CONNECTORS = frozenset(_KINDS)
NOISE = frozenset({"filler", "bye", "self", "unit"})
_SIDES = frozenset({"left", "right", "up", "down", "forward", "back", "straight"})
_PRONOUNS = ("把", "将")


@dataclass(frozen=True)
class Clause:
    """Tokens of one action, without what joins it to its neighbours.

    Attributes:
        joiner: the connector before it: "then", "and", "comma", "period" or "".
        question: the sentence ended with a question mark.
    """

    tokens: tuple[Token, ...]
    joiner: str = ""

    @property
    def tags(self) -> frozenset[str]:
        """All tags of its tokens."""
        return frozenset().union(*(token.tags for token in self.tokens))

    @property
    def start(self) -> int:
        """Where it begins in the plain text."""
        return self.tokens[0].start

    @property
    def end(self) -> int:
        """Where it ends in the plain text."""
        return self.tokens[-1].end


def meaningful(token: Token) -> bool:
    """Whether a token is more than noise."""
    noise = NOISE | CONNECTORS
    return not token.tags or bool(token.tags - noise) or token.value is not None


def is_connector(token: Token) -> bool:
    """Whether a token joins clauses."""
    return bool(token.tags & CONNECTORS) and token.value is None


def is_head(token: Token) -> bool:
    """Whether a token may begin an action."""
    return bool(token.tags & HEADS)


def clauses(tokens: Sequence[Token]) -> list[Clause]:
    """Cut at connectors, and before the head of a further action."""
    found: list[Clause] = []
    joiner = ""
    piece: list[Token] = []

    def close() -> None:
        nonlocal piece, joiner
        if any(map(meaningful, piece)):
            parts = _at_heads(piece)
            found.append(Clause(tuple(parts[0]), joiner))
            found.extend(Clause(tuple(part), "then") for part in parts[1:])
            joiner = ""
        piece = []

    for index, token in enumerate(tokens):
        if not is_connector(token) or _is_preposition(tokens, index):
            piece.append(token)
            continue
        close()
        kind = next(kind for kind in _KINDS if kind in token.tags)
        kind = {"do_then": "then", "asks": "period"}.get(kind, kind)
        # "..., and then": the strongest of several connectors in a row counts.
        if joiner in ("", "comma", "and") or kind in ("before", "zh_before", "after"):
            joiner = kind
    close()
    return found


def _is_preposition(tokens: Sequence[Token], index: int) -> bool:
    """ "After me": no order of actions."""
    following = tokens[index + 1 : index + 2]
    return "after" in tokens[index].tags and any(
        token.tags & {"me", "person", "that", "each"} for token in following
    )


def in_order(found: list[Clause]) -> list[Clause]:
    """In the order of doing: "A after B" is B, A; "before A, B" is B, A; "A之前B" too."""
    done = list(found)
    for index, piece in enumerate(found):
        if piece.joiner in ("after", "zh_before") and index:
            done[index - 1 : index + 1] = [done[index], done[index - 1]]
        elif piece.joiner == "before" and not index:
            end = next(
                (i for i, p in enumerate(found) if i > 1 and p.joiner == "period"), len(found)
            )
            done[:end] = [*done[1:end], done[0]]
    return done


def _at_heads(tokens: list[Token]) -> list[list[Token]]:
    parts: list[list[Token]] = []
    begin = 0
    head: Token | None = None
    for index, token in enumerate(tokens):
        first = head is None and meaningful(token) and not token.tags & {"wait", "stop"}
        if first and _waits(tokens[begin:index]):
            parts.append(tokens[begin:index])
            begin = index
        if token.quoted or not is_head(token):
            continue
        if head is not None and not _joined(head, token, tokens[begin:index]):
            cut = _cut(tokens, begin, index)
            if any(map(meaningful, tokens[begin:cut])):
                parts.append(tokens[begin:cut])
                begin = cut
        head = token
    parts.append(tokens[begin:])
    return parts


def _waits(tokens: list[Token]) -> bool:
    """A time and no more, before an action: "in five seconds"."""
    return any("delay" in t.tags for t in tokens) and all(
        "delay" in t.tags or not meaningful(t) for t in tokens
    )


@cache
def _joined_pairs() -> frozenset[tuple[str, ...]]:
    """One predicate though both words begin actions: "stop following", "check and tell"."""
    return frozenset(tuple(pair.split()) for pair in read_table("intents")["joined"])


def _joined(head: Token, token: Token, between: list[Token]) -> bool:
    """Whether a second head belongs to the action of the first."""
    if (
        between
        and between[-1] is head
        and head.tags & token.tags & HEADS
        and not token.tags & _SIDES
    ):
        return True  # "瞧瞧"
    said = any(t.quoted for t in between)
    if said:
        return False
    gap = between[between.index(head) + 1 :] if head in between else between
    if not any(meaningful(t) for t in gap) and not _alone(head):
        return True  # "go follow", "turn to look", "come open"
    pairs = {(one, other) for one in head.tags & HEADS for other in token.tags & HEADS}
    if pairs & _joined_pairs():
        return True
    tags = frozenset().union(*(t.tags for t in between))
    if "shine" in token.tags and len(token.tags & HEADS) == 1 and tags & {"light"}:
        return True  # "make the light go green"
    if token.tags & {"open", "close"} and tags & {"gripper", "hand", "light"}:
        return True
    if "head" in tags and tags & {"turn", "go", "open"} and "look" in token.tags:
        return True
    return bool(
        tags & {"question", "how_many", "how_much", "who", "mask", "no_mask", "battery", "pose"}
    ) and bool(token.tags & {"see", "check", "tell", "shine", "open", "close", "go"})


def _alone(head: Token) -> bool:
    """Heads that are whole actions by themselves, so that another may follow at once."""
    return bool(
        head.tags
        & {"nod", "shake", "wave", "stop", "around", "circle", "open", "close", "say", "wait"}
    ) or (bool(head.tags & {"go", "turn", "look", "grip"}) and bool(head.tags & _SIDES))


def _cut(tokens: list[Token], begin: int, index: int) -> int:
    """Where the clause of tokens[index] begins: "把", "往前" and the like belong to it."""
    for at in range(index - 1, begin, -1):
        if tokens[at].text in _PRONOUNS:
            return at
        if is_head(tokens[at]):
            break
    cut = index
    while cut - 1 > begin and (
        (tokens[cut - 1].tags & _SIDES and tokens[cut - 1].text.startswith(PREFIXES))
        or "filler" in tokens[cut - 1].tags
        or (tokens[cut - 1].tags & {"not", "little"} and not tokens[cut - 1].text.isascii())
    ):
        cut -= 1
    return cut


def tags_of(piece: Clause) -> frozenset[str]:
    """A clause's tags, with its kinds of amounts, "quoted" and "unknown"."""
    tags = set(piece.tags)
    for token in piece.tokens:
        if token.value is not None:
            tags.add(token.dimension or "number")
        if token.quoted:
            tags.add("quoted")
        if token.unknown:
            tags.add("unknown")
    if "repeat" in tags and tags & (HEADS - {"repeat"}):
        tags.discard("repeat")  # "repeat nodding three times"
    return frozenset(tags)

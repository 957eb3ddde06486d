"""Clauses to learn from: the lexicon's phrases and the examples, varied and made noisy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from reflexarc.robot.planners.parser.examples import labelled_clauses

Clause = tuple[str, str]
"""A label (tags of the parser's lexicon) and a sentence."""

_BEFORE = {
    "en": (
        "",
        "",
        "",
        "please ",
        "could you ",
        "hey robot, ",
        "now ",
        "robot ",
        "can you ",
        "i want you to ",
        "would you mind to ",
        "just ",
        "ok ",
    ),
    "zh": (
        "",
        "",
        "",
        "请",
        "帮我",
        "机器人，",
        "麻烦你",
        "现在",
        "能不能",
        "你",
        "快",
        "给我",
        "那就",
    ),
}
_AFTER = {
    "en": ("", "", "", "", " please", " now", " for me", " thanks", " robot", ", ok?"),
    "zh": ("", "", "", "", "吧", "好吗", "一下", "呀", "谢谢", "了"),
}
_AMOUNTS = {
    "go": (
        ("1 meter", "half a metre", "30 cm", "two feet", "a bit", "20 inches"),
        ("一米", "半米", "30厘米", "两米五", "一点", "二十公分"),
    ),
    "turn": (
        ("30 degrees", "ninety degrees", "a quarter turn", "45°", "a little"),
        ("三十度", "90度", "半圈", "一点", "四十五度"),
    ),
    "look": (("20 degrees", "a bit", "15°"), ("二十度", "一点", "十度")),
    "gesture": (("twice", "three times", "2 times", "once"), ("两次", "三下", "2遍", "一下")),
}
_KINDS = {
    "go": "go",
    "turn": "turn",
    "look": "look",
    "nod": "gesture",
    "shake": "gesture",
    "wave": "gesture",
}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def language(sentence: str) -> str:
    """ "zh" for Chinese characters, else "en"."""
    return "en" if sentence.isascii() else "zh"


def split(seed: int, held_out: float) -> tuple[list[Clause], list[Clause]]:
    """Phrases to learn from, and phrases whose wording the net shall never see.

    Args:
        seed: of the choice.
        held_out: fraction of the examples that is kept apart.
    """
    known, examples = labelled_clauses()
    order = np.random.default_rng(seed).permutation(len(examples))
    apart = {int(i) for i in order[: round(held_out * len(examples))]}
    kept = [row for i, row in enumerate(examples) if i not in apart]
    return [*known, *kept], [examples[i] for i in sorted(apart)]


def vary(clause: Clause, rng: np.random.Generator) -> Clause:
    """One way to say a clause: polite words, an amount, a mistake."""
    label, sentence = clause
    which = language(sentence)
    if kind := _KINDS.get(label.split()[0]):
        amounts = _AMOUNTS[kind][which == "zh"]
        if rng.random() < 0.4:
            gap = "" if which == "zh" else " "
            sentence = f"{sentence}{gap}{rng.choice(amounts)}"
    sentence = f"{rng.choice(_BEFORE[which])}{sentence}{rng.choice(_AFTER[which])}"
    if rng.random() < 0.35:
        sentence = _MISTAKES[int(rng.integers(len(_MISTAKES)))](sentence, rng)
    return label, sentence


def _swapped(text: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(max(len(text) - 1, 1)))
    return text[:at] + text[at : at + 2][::-1] + text[at + 2 :]


def _dropped(text: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(len(text)))
    return text[:at] + text[at + 1 :] or text


def _doubled(text: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(len(text)))
    return text[:at] + text[at] + text[at:]


def _mistyped(text: str, rng: np.random.Generator) -> str:
    at = int(rng.integers(len(text)))
    if not text[at].isascii() or not text[at].isalpha():
        return text
    return text[:at] + _LETTERS[int(rng.integers(26))] + text[at + 1 :]


def _run_together(text: str, rng: np.random.Generator) -> str:
    spaces = [i for i, char in enumerate(text) if char == " "]
    if not spaces:
        return text
    at = spaces[int(rng.integers(len(spaces)))]
    return text[:at] + text[at + 1 :]


_MISTAKES: tuple[Callable[[str, np.random.Generator], str], ...] = (
    _swapped,
    _dropped,
    _doubled,
    _mistyped,
    _run_together,
)


def corpus(rows: list[Clause], size: int, seed: int) -> list[Clause]:
    """`size` varied clauses, each label as often as the square root of its phrases says."""
    rng = np.random.default_rng(seed)
    labels = sorted({label for label, _ in rows})
    groups = [[row for row in rows if row[0] == label] for label in labels]
    weights = np.sqrt([len(group) for group in groups])
    chosen = rng.choice(len(groups), size, p=weights / weights.sum())
    return [vary(groups[g][int(rng.integers(len(groups[g])))], rng) for g in chosen]

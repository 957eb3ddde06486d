"""Rank passages for a question: by what the sentence means, and by which words it shares.

The sentence embedding alone finds the matter but not always the place; with BM25 over words
that are matched by their own embedding, so that "充电" finds "charge", more right passages
are among the first three (the figures are beside `_WORDS_IN_RANK`).
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import dataclass

from reflexarc.robot.embedding import Embedder
from reflexarc.robot.knowledge.store import Metric, Store
from reflexarc.robot.knowledge.terms import content, grams, words

LEAST_NEARNESS = 0.305
"""Below it the answer is "I don't know": set on calibration.yaml, whose questions about the
manual are above it and whose off-topic ones below, but one ("怎样学好英语？", which the manual's
page on languages comes near)."""

_SAME_WORD = 0.6
"""Cosine similarity from which two words count as one: "充电" and "charge" have 0.75,
"天气" (weather) and its nearest word of the manual 0.37."""
_WORDS_IN_RANK = 0.8
"""Of calibration.yaml's 54 questions, 36 find their passage among the first three with 0 (the
sentence embedding alone), 46 with 0.4, 49 with 0.8, 50 with 1.2."""

# How near a question is: its cosine similarity, its words in the passage, and less for words
# that are in no document ("how do I charge my toothbrush").
_WORDS_FOUND, _WORDS_UNKNOWN = 0.3, 0.4
_K1, _B = 1.2, 0.75  # BM25's usual ones (Robertson and Zaragoza 2009)


@dataclass(frozen=True)
class Hit:
    """A passage's number, what it is ranked by, and how near to the question it is.

    `similarity` is the cosine; `nearness` takes words into account too.
    """

    passage: int
    score: float
    similarity: float
    nearness: float


def search(store: Store, embedder: Embedder, question: str, metric: Metric = "cosine") -> list[Hit]:
    """All passages, the best first; none where the question has no words.

    Raises:
        KnowledgeError: the store cannot be read.
        EmbeddingError: no encoder.
    """
    if not any(char.isalpha() for char in question):
        return []
    by_meaning = store.similarities(embedder.embed([question])[0], metric)
    matched, unknown = _matched(store, embedder, question)
    by_words = _word_scores(store, matched)
    hits = [
        Hit(
            number,
            similarity + _WORDS_IN_RANK * by_words.get(number, 0.0),
            similarity,
            similarity + _WORDS_FOUND * by_words.get(number, 0.0) - _WORDS_UNKNOWN * unknown,
        )
        for number, similarity in by_meaning.items()
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.passage))


def _word_scores(store: Store, matched: list[dict[int, float]]) -> dict[int, float]:
    """How much of a question's words each passage has, 0 to about 1, rare words counting more."""
    passages, mean_terms = store.totals()
    scores: dict[int, float] = defaultdict(float)
    possible = 0.0
    for same in matched:
        best: dict[int, float] = {}
        weight = _idf(passages, 1)  # of a word that is nowhere
        nearest = max(same.values(), default=0.0)
        for word, similarity in same.items():
            postings = store.postings(word)
            idf = _idf(passages, len(postings))
            if similarity == nearest:
                weight = idf
            for passage, count, terms in postings:
                norm = _K1 * (1 - _B + _B * terms / mean_terms)
                score = similarity**2 * idf * count * (_K1 + 1) / (count + norm)
                best[passage] = max(best.get(passage, 0.0), score)
        possible += weight
        for passage, score in best.items():
            scores[passage] += score
    # BM25's saturation reaches K1 + 1; a word that is there once in a mean passage gives 1.
    return {number: score / (possible * 1.5) for number, score in scores.items()}


def _idf(passages: int, having: int) -> float:
    return math.log(1 + (passages - having + 0.5) / (having + 0.5))


def _matched(
    store: Store, embedder: Embedder, question: str
) -> tuple[list[dict[int, float]], float]:
    """For each word of a question, the words of the store that mean it, and how nearly.

    And the share of the question's words that no document has, 0 to 1.
    """
    matched = []
    english = list(dict.fromkeys(words(question)))
    for word, vector in zip(english, embedder.embed(english), strict=True):
        same = {} if word[0].isdigit() else store.similar_words(vector, _SAME_WORD)
        if (exact := store.word(word)) is not None:
            same[exact] = 1.0
        matched.append(same)
    unknown = float(sum(not same for same in matched))
    chosen = _segmented(store, embedder, question)
    matched += [same for _, _, same in chosen]
    taken = {place for start, end, _ in chosen for place in range(start, end)}
    # A Chinese word is two characters as a rule; one left over says little.
    left = "".join(
        char if place not in taken else " " for place, char in enumerate(content(question))
    )
    unknown += sum(len(run) // 2 for run in left.split())
    return matched, unknown / max(1.0, unknown + sum(map(bool, matched)))


def _segmented(
    store: Store, embedder: Embedder, question: str
) -> list[tuple[int, int, dict[int, float]]]:
    """Chinese into words: the runs (start, end) that together mean words of the store best."""
    runs = grams(question, 4)
    ending: dict[int, list[tuple[int, dict[int, float]]]] = defaultdict(list)
    for (run, start), vector in zip(runs, embedder.embed([run for run, _ in runs]), strict=True):
        if same := store.similar_words(vector, _SAME_WORD):
            ending[start + len(run)].append((start, same))
    # The best segmentation of each beginning of the question: (worth, its runs).
    best: list[tuple[float, list[tuple[int, int, dict[int, float]]]]] = [(0.0, [])]
    for end in range(1, len(question) + 1):
        options = [best[end - 1]]
        for start, same in ending[end]:
            worth, before = best[start]
            options.append(
                (worth + (end - start) * max(same.values()), [*before, (start, end, same)])
            )
        best.append(max(options, key=lambda option: option[0]))
    return best[-1][1]

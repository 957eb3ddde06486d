"""The vector store: SQLite with sqlite-vec, one file, every change whole or not at all.

apsw brings a SQLite that loads extensions; Python's own often cannot. Search is exhaustive:
some thousands of passages of a robot's documents take a few milliseconds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from reflexarc.core import ReflexarcError
from reflexarc.robot.knowledge.chunks import Passage

Metric = Literal["cosine", "euclidean"]
Vectors = npt.NDArray[np.float32]
_WAIT_MS = 5000

_TABLES = """
CREATE TABLE IF NOT EXISTS settings(name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS sources(path TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS documents(
  id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE, source TEXT NOT NULL, name TEXT NOT NULL,
  sha256 TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS passages(
  id INTEGER PRIMARY KEY, document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
  text TEXT NOT NULL, heading TEXT NOT NULL, line INTEGER NOT NULL, terms INTEGER NOT NULL,
  embedding BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS passages_of ON passages(document);
CREATE TABLE IF NOT EXISTS words(
  id INTEGER PRIMARY KEY, word TEXT NOT NULL UNIQUE, embedding BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS postings(
  word INTEGER NOT NULL REFERENCES words,
  passage INTEGER NOT NULL REFERENCES passages ON DELETE CASCADE,
  count INTEGER NOT NULL, PRIMARY KEY(word, passage)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS postings_of ON postings(passage);
"""
_DISTANCE = {"cosine": "vec_distance_cosine", "euclidean": "vec_distance_L2"}


class KnowledgeError(ReflexarcError):
    """A knowledge base that cannot be opened, read or changed."""


@dataclass(frozen=True)
class Document:
    """A file that is known: its path, the source that it was added by, and its state then."""

    path: Path
    source: str
    name: str
    sha256: str
    size: int
    mtime_ns: int


@dataclass(frozen=True)
class Indexed:
    """A passage as it is stored: with its vector and how often each term is in it."""

    passage: Passage
    embedding: Vectors
    terms: Mapping[str, int]


class Store:
    """Documents, their passages and vectors, and the words of all. Safe to share."""

    def __init__(self, path: Path, settings: Mapping[str, str]) -> None:
        """Open or make a store; one that was made with other settings loses its documents.

        Raises:
            KnowledgeError: not installed, no such folder, not a store, or locked.
        """
        self._path = path
        self._lock = threading.RLock()
        with self._explained():
            self._db = _open(path)
            self._db.execute(_TABLES)
        if dict(self._rows("SELECT name, value FROM settings")) != dict(settings):
            with self.changing():
                for table in ("documents", "postings", "words", "settings"):
                    self._db.execute(f"DELETE FROM {table}")
                self._db.executemany("INSERT INTO settings VALUES(?, ?)", settings.items())

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._db.close()

    @contextmanager
    def changing(self) -> Iterator[None]:
        """A transaction: all changes in it, or none."""
        with self._lock, self._explained():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                self._db.execute("ROLLBACK")
                raise

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Reads within it see one state of the store, whoever changes it meanwhile."""
        with self._lock, self._explained():
            self._db.execute("BEGIN")
            try:
                yield
            finally:
                self._db.execute("ROLLBACK")

    def sources(self) -> list[str]:
        """What was added, in alphabetical order."""
        return [path for (path,) in self._rows("SELECT path FROM sources ORDER BY path")]

    def add_source(self, path: str) -> None:
        """Remember a file or folder."""
        with self.changing():
            self._db.execute("INSERT OR IGNORE INTO sources VALUES(?)", (path,))

    def remove_source(self, path: str) -> None:
        """Forget a file or folder, and its documents."""
        with self.changing():
            self._db.execute("DELETE FROM sources WHERE path = ?", (path,))
            self._db.execute("DELETE FROM documents WHERE source = ?", (path,))
            self._forget_unused_words()

    def documents(self) -> dict[Path, tuple[Document, int]]:
        """Every document by its path, and how many passages it has."""
        rows = self._rows(
            "SELECT path, source, name, sha256, size, mtime_ns, "
            "(SELECT count(*) FROM passages WHERE document = documents.id) "
            "FROM documents ORDER BY source, name"
        )
        return {Path(row[0]): (Document(Path(row[0]), *row[1:6]), row[6]) for row in rows}

    def touch(self, document: Document) -> None:
        """The same content with another time."""
        with self.changing():
            self._db.execute(
                "UPDATE documents SET size = ?, mtime_ns = ? WHERE path = ?",
                (document.size, document.mtime_ns, str(document.path)),
            )

    def remove(self, paths: Iterable[Path]) -> None:
        """Forget documents."""
        with self.changing():
            self._db.executemany(
                "DELETE FROM documents WHERE path = ?", [(str(path),) for path in paths]
            )
            self._forget_unused_words()

    def unknown_words(self, words: Iterable[str]) -> list[str]:
        """Those of some words whose vectors are not stored yet."""
        known = {word for (word,) in self._rows("SELECT word FROM words")}
        return sorted(set(words) - known)

    def put(
        self, document: Document, passages: Sequence[Indexed], words: Mapping[str, Vectors]
    ) -> None:
        """Store a document in the place of what was there under its path."""
        with self.changing():
            run = self._db.execute
            run("DELETE FROM documents WHERE path = ?", (str(document.path),))
            ((number,),) = run(
                "INSERT INTO documents(path, source, name, sha256, size, mtime_ns) "
                "VALUES(?, ?, ?, ?, ?, ?) RETURNING id",
                (
                    *(str(document.path), document.source, document.name),
                    *(document.sha256, document.size, document.mtime_ns),
                ),
            )
            self._db.executemany(
                "INSERT OR IGNORE INTO words(word, embedding) VALUES(?, ?)",
                [(word, vector.tobytes()) for word, vector in words.items()],
            )
            for indexed in passages:
                passage = indexed.passage
                ((place,),) = run(
                    "INSERT INTO passages(document, text, heading, line, terms, embedding) "
                    "VALUES(?, ?, ?, ?, ?, ?) RETURNING id",
                    (
                        *(number, passage.text, passage.heading, passage.line),
                        *(sum(indexed.terms.values()), indexed.embedding.tobytes()),
                    ),
                )
                self._db.executemany(
                    "INSERT INTO postings SELECT id, ?, ? FROM words WHERE word = ?",
                    [(place, count, word) for word, count in indexed.terms.items()],
                )
            self._forget_unused_words()

    def similarities(self, vector: Vectors, metric: Metric) -> dict[int, float]:
        """The cosine similarity of every passage to a unit vector, by the passage's number."""
        rows = self._rows(f"SELECT id, {_DISTANCE[metric]}(embedding, ?) FROM passages", vector)
        if metric == "euclidean":  # of unit vectors: d^2 = 2 - 2 cos
            return {number: 1 - distance**2 / 2 for number, distance in rows}
        return {number: 1 - distance for number, distance in rows}

    def similar_words(self, vector: Vectors, least: float) -> dict[int, float]:
        """Words whose cosine similarity to a unit vector is `least` or more."""
        rows = self._rows(
            "SELECT id, distance FROM (SELECT id, vec_distance_cosine(embedding, ?) AS distance "
            "FROM words) WHERE distance <= ?",
            vector,
            1 - least,
        )
        return {number: 1 - distance for number, distance in rows}

    def word(self, word: str) -> int | None:
        """The number of a word."""
        return next((n for (n,) in self._rows("SELECT id FROM words WHERE word = ?", word)), None)

    def postings(self, word: int) -> list[tuple[int, int, int]]:
        """Passages with a word: (passage, how often, all terms of the passage)."""
        return self._rows(
            "SELECT passage, count, terms FROM postings JOIN passages ON passages.id = passage "
            "WHERE word = ?",
            word,
        )

    def totals(self) -> tuple[int, float]:
        """How many passages there are, and their mean number of terms."""
        ((count, mean),) = self._rows("SELECT count(*), avg(terms) FROM passages")
        return count, mean or 1.0

    def passage(self, number: int) -> tuple[Passage, Path, str]:
        """A passage, and its document's path and name."""
        ((text, heading, line, path, name),) = self._rows(
            "SELECT text, heading, line, path, name FROM passages "
            "JOIN documents ON documents.id = document WHERE passages.id = ?",
            number,
        )
        return Passage(text, line, heading), Path(path), name

    def _forget_unused_words(self) -> None:
        self._db.execute("DELETE FROM words WHERE id NOT IN (SELECT word FROM postings)")

    def _rows(self, sql: str, *values: Any) -> list[Any]:
        bound = [v.tobytes() if isinstance(v, np.ndarray) else v for v in values]
        with self._lock, self._explained():
            return list(self._db.execute(sql, bound))

    @contextmanager
    def _explained(self) -> Iterator[None]:
        apsw = _apsw()
        try:
            yield
        except apsw.BusyError as error:
            raise KnowledgeError(
                expected=f"the knowledge base {self._path} to be free",
                found=f"another program has been writing for {_WAIT_MS / 1000:g} s",
                remedy="try again when it is done",
            ) from error
        except apsw.Error as error:
            raise KnowledgeError(
                expected=f"a knowledge base at {self._path}",
                found=str(error) or type(error).__name__,
                remedy="check the folder's rights and room; if the file is broken, delete it and "
                "add your documents again",
            ) from error


def _apsw() -> Any:
    try:
        import apsw
        import sqlite_vec  # noqa: F401
    except ImportError as error:
        raise KnowledgeError(
            expected="the vector store's libraries",
            found=f"no {error.name}",
            remedy="pip install 'reflexarc[language]'",
        ) from error
    return apsw


def _open(path: Path) -> Any:
    apsw = _apsw()
    import sqlite_vec

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise KnowledgeError(
            expected=f"a folder for {path}",
            found=error.strerror or str(error),
            remedy="give another path",
        ) from error
    db = apsw.Connection(str(path))
    db.set_busy_timeout(_WAIT_MS)
    db.enable_load_extension(True)
    db.load_extension(sqlite_vec.loadable_path())
    db.enable_load_extension(False)
    db.execute("PRAGMA foreign_keys = ON")
    return db

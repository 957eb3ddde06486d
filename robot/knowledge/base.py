"""What the robot knows: documents in folders, asked in plain language, answered by quotation.

An answer is only ever text of a document, quoted with its place. Nothing in a document is
an order: no path leads from here to a planner.
"""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from reflexarc.robot.embedding import Embedder, default_embedder
from reflexarc.robot.knowledge import manual
from reflexarc.robot.knowledge.chunks import OVERLAP, SIZE, Method, Passage, passages
from reflexarc.robot.knowledge.documents import READERS, DocumentError, read_document
from reflexarc.robot.knowledge.search import LEAST_NEARNESS, search
from reflexarc.robot.knowledge.store import Document, Indexed, KnowledgeError, Metric, Store
from reflexarc.robot.knowledge.terms import index_terms

FORMAT = "1"
"""Of what is stored; another one is read anew from the documents."""
MAX_FILES = 10_000
MAX_QUESTION = 300
"""Characters; what follows is not read."""


@dataclass(frozen=True)
class Quote:
    """A passage as an answer: its text, and where it stands.

    Attributes:
        passage: text, heading, line (in a PDF: page).
        path, name: of the document; the name is short and for people.
        similarity: to the question: the cosine of their embeddings.
    """

    passage: Passage
    path: Path
    name: str
    similarity: float

    @property
    def place(self) -> str:
        """File, line and heading in a line: "bridge.md, line 210 (Faults)"."""
        unit = "page" if self.path.suffix.lower() == ".pdf" else "line"
        heading = self.passage.heading.rpartition(" > ")[2]
        return f"{self.name}, {unit} {self.passage.line}" + (f" ({heading})" if heading else "")


@dataclass(frozen=True)
class Answer:
    """What was found for a question.

    Attributes:
        known: whether it is near enough to be an answer.
        nearness: of the nearest quote, about 0 to 1; see `search`.
        quotes: the best first; where it is not known, near misses.
    """

    question: str
    known: bool
    nearness: float
    quotes: tuple[Quote, ...]


@dataclass
class Changes:
    """What an update did, by the documents' names; and what could not be read, and why."""

    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    failed: list[DocumentError] = field(default_factory=list)


def default_store() -> Path:
    """Where the knowledge base is kept: the user's data folder (XDG on Linux)."""
    return Path(platformdirs.user_data_dir("reflexarc")) / "knowledge.db"


class KnowledgeBase:
    """Documents that can be asked. Safe to share between threads.

    The robot's manual is in it from the start. Files are read again when their
    content has changed, and forgotten when they are gone: see `update`.

    Args:
        path: of the store; None is `default_store()`.
        method, size, overlap: how documents are cut; see `passages`.
        metric: what the vector search compares by. Vectors have length 1, so both rank alike.
        embedder: of sentences; None is the one that the process shares.

    Raises:
        KnowledgeError: the store cannot be opened.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        method: Method = "sentence",
        size: int = SIZE,
        overlap: int = OVERLAP,
        metric: Metric = "cosine",
        embedder: Embedder | None = None,
    ) -> None:
        """Open it, or make a new one."""
        self._embedder = embedder or default_embedder()
        self._method, self._size, self._overlap = method, size, overlap
        self._metric: Metric = metric
        settings = {"format": FORMAT, "embedder": self._embedder.name, "method": method}
        settings |= {"size": str(size), "overlap": str(overlap)}
        self._store = Store(path or default_store(), settings)

    def close(self) -> None:
        """Close the store."""
        self._store.close()

    def __enter__(self) -> KnowledgeBase:
        """Itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def add(self, paths: Iterable[Path]) -> Changes:
        """Add files and folders (with all that is below them), and read what is new.

        Raises:
            KnowledgeError: no such file or folder.
            DocumentError: a file, named itself, that cannot be read.
        """
        chosen = [path.expanduser().absolute() for path in paths]
        for path in chosen:
            if not path.exists():
                raise KnowledgeError(
                    expected=f"a file or folder at {path}",
                    found="nothing",
                    remedy="check the path",
                )
            if path.is_file():
                read_document(path)
        for path in chosen:
            self._store.add_source(str(path))
        return self.update()

    def remove(self, path: Path) -> Changes:
        """Forget a file or folder that was added. The manual stays.

        Raises:
            KnowledgeError: it was not added.
        """
        source = str(path.expanduser().absolute())
        if source not in self._store.sources():
            raise KnowledgeError(
                expected="a file or folder that was added",
                found=str(path),
                remedy="see `reflexarc know list`",
            )
        gone = [doc.name for doc, _ in self._store.documents().values() if doc.source == source]
        self._store.remove_source(source)
        changes = self.update()  # what another source holds as well comes back
        return Changes(removed=gone, failed=changes.failed)

    def sources(self) -> list[str]:
        """What was added; the manual is not named."""
        return self._store.sources()

    def documents(self) -> list[tuple[Document, int]]:
        """What is known, and in how many passages."""
        return list(self._store.documents().values())

    def update(self) -> Changes:
        """Read what is new or has changed since, and forget what is gone.

        A document is stored whole or not at all, one after the other: after a crash the
        next update goes on. A file that cannot be read is told of, and is not known.

        Raises:
            KnowledgeError: the store cannot be written.
            EmbeddingError: no encoder.
        """
        changes = Changes()
        known = self._store.documents()
        seen: set[Path] = set()
        for path, source, name in self._files():
            if path in seen:
                continue
            seen.add(path)
            before = known[path][0] if path in known else None
            try:
                done = self._read(path, source, name, before)
            except DocumentError as error:
                changes.failed.append(error)
                seen.discard(path)
                continue
            if done:
                (changes.changed if before else changes.added).append(name)
        gone = [path for path in known if path not in seen]
        if gone:
            self._store.remove(gone)
            changes.removed += [known[path][0].name for path in gone]
        return changes

    def ask(self, question: str, k: int = 3) -> Answer:
        """The `k` best passages for a question, and whether the best is near enough.

        Raises:
            KnowledgeError: the store cannot be read.
            EmbeddingError: no encoder.
        """
        quotes = []
        with self._store.snapshot():
            hits = search(self._store, self._embedder, question[:MAX_QUESTION], self._metric)[:k]
            for hit in hits:
                passage, path, name = self._store.passage(hit.passage)
                quotes.append(Quote(passage, path, name, hit.similarity))
        nearness = max((hit.nearness for hit in hits), default=0.0)
        return Answer(question, nearness >= LEAST_NEARNESS, nearness, tuple(quotes))

    def answer(self, question: str) -> str | None:
        """The best passage and its place, as one text; None where it is not known."""
        answer = self.ask(question)
        if not answer.known:
            return None
        best = answer.quotes[0]
        return f"“{best.passage.text}” ({best.place})"

    def _files(self) -> Iterator[tuple[Path, str, str]]:
        """Every file there is: its path, its source, and its name for people."""
        for path, name in manual.manual_files():
            yield path, manual.NAME, name
        for source in self._store.sources():
            root = Path(source)
            if root.is_file():
                yield root, source, root.name
                continue
            for number, path in enumerate(_below(root)):
                if number >= MAX_FILES:
                    raise KnowledgeError(
                        expected=f"at most {MAX_FILES:,} documents below {root}",
                        found="more",
                        remedy="add the folders that matter instead",
                    )
                yield path, source, str(path.relative_to(root.parent))

    def _read(self, path: Path, source: str, name: str, before: Document | None) -> bool:
        """Store a file if its content is not what is stored; True where it was stored."""
        try:
            status = path.stat()
            if before and (before.size, before.mtime_ns, before.source) == (
                status.st_size,
                status.st_mtime_ns,
                source,
            ):
                return False
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise DocumentError(
                expected=f"a document in {path}",
                found=error.strerror or str(error),
                remedy="check its rights",
            ) from error
        document = Document(path, source, name, sha256, status.st_size, status.st_mtime_ns)
        if before and before.sha256 == sha256 and before.source == source:
            self._store.touch(document)
            return False
        cut = passages(read_document(path), self._method, size=self._size, overlap=self._overlap)
        with_headings = [f"{p.heading.replace(' > ', '. ')}. {p.text}" for p in cut]
        terms = [Counter(index_terms(text)) for text in with_headings]
        new = self._store.unknown_words(word for counts in terms for word in counts)
        vectors = self._embedder.embed(with_headings)
        self._store.put(
            document,
            [Indexed(*of) for of in zip(cut, vectors, terms, strict=True)],
            dict(zip(new, self._embedder.embed(new), strict=True)),
        )
        return True


def _below(root: Path) -> Iterator[Path]:
    """Documents in a folder and its folders, in order; nothing hidden, no links to folders."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and Path(name).suffix.lower() in READERS:
                yield Path(folder) / name

"""Read documents into blocks: paragraphs, table rows and code, each with its heading and place."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from reflexarc.core import ReflexarcError

MAX_BYTES = 50_000_000


class DocumentError(ReflexarcError):
    """A file that cannot be read as a document."""


@dataclass(frozen=True)
class Block:
    """A piece of a document that belongs together.

    Attributes:
        text: plain, without markup; a table's row as "head: cell; head: cell".
        line: where it begins, from 1; in a PDF the page.
        heading: the headings above it, outermost first; "" before the first.
        whole: not to be cut into sentences (code, a row).
    """

    text: str
    line: int
    heading: str = ""
    whole: bool = False


def read_document(path: Path) -> tuple[Block, ...]:
    """The blocks of a Markdown, text or PDF file, in their order.

    Raises:
        DocumentError: another kind of file, unreadable, too large, broken or encrypted.
    """
    reader = READERS.get(path.suffix.lower())
    if reader is None:
        raise DocumentError(
            expected=f"a document ({', '.join(READERS)})",
            found=str(path),
            remedy="convert it to text or Markdown",
        )
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise DocumentError(
                expected=f"at most {MAX_BYTES // 1_000_000} MB in {path}",
                found=f"{size / 1e6:.0f} MB",
                remedy="split it",
            )
        return tuple(block for block in reader(path) if block.text.strip())
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error


def _unreadable(path: Path, found: str) -> DocumentError:
    return DocumentError(
        expected=f"a document in {path}", found=found, remedy="check the file, or leave it out"
    )


def _read_text(path: Path) -> str:
    raw = path.read_bytes()
    # Chinese text files of Windows are mostly GB 18030.
    encodings = ("utf-16",) if raw[:2] in (b"\xff\xfe", b"\xfe\xff") else ("utf-8-sig", "gb18030")
    for encoding in encodings:
        try:
            text = raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text
    raise _unreadable(path, "binary data")


def _text_blocks(path: Path) -> Iterator[Block]:
    yield from _paragraphs(_read_text(path).splitlines())


def _paragraphs(lines: Iterable[str]) -> Iterator[Block]:
    paragraph: list[str] = []
    start = 1
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            if not paragraph:
                start = number
            paragraph.append(line.strip())
        elif paragraph:
            yield Block(" ".join(paragraph), start)
            paragraph = []


def _markdown_blocks(path: Path) -> Iterator[Block]:
    tokens = MarkdownIt("commonmark").enable("table").parse(_read_text(path))
    above: dict[str, str] = {}  # "h1" -> its text
    for node in SyntaxTreeNode(tokens).children:
        if node.type == "heading":
            above = {tag: text for tag, text in above.items() if tag < node.tag}
            above[node.tag] = _plain(node)
        else:
            heading = " > ".join(text for text in above.values() if text)
            yield from _blocks_of(node, heading)


def _blocks_of(node: SyntaxTreeNode, heading: str) -> Iterator[Block]:
    line = (node.map or (0, 0))[0] + 1
    match node.type:
        case "paragraph":
            yield Block(_plain(node), line, heading)
        case "fence" | "code_block":
            yield Block(node.content.strip(), line, heading, whole=True)
        case "table":
            yield from _rows(node, heading)
        case "heading":  # in a list or a quotation
            yield Block(_plain(node), line, heading, whole=True)
        case "html_block":
            pass
        case _:
            for child in node.children:
                yield from _blocks_of(child, heading)


def _rows(table: SyntaxTreeNode, heading: str) -> Iterator[Block]:
    rows = [row for part in table.children for row in part.children]
    head = [_plain(cell) for cell in rows[0].children]
    for row in rows[1:]:
        cells = zip(head, map(_plain, row.children), strict=False)
        text = "; ".join(f"{name}: {cell}" if name else cell for name, cell in cells if cell)
        yield Block(text, (row.map or (0, 0))[0] + 1, heading, whole=True)


def _plain(node: SyntaxTreeNode) -> str:
    """Inline text without its markup; of a picture, what is written in its place."""
    if node.type in ("softbreak", "hardbreak"):
        return " "
    if node.type == "html_inline":
        return ""
    if node.children:
        return "".join(map(_plain, node.children))
    return node.content


def _pdf_blocks(path: Path) -> Iterator[Block]:
    import pypdf

    logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it tells of every odd byte
    try:
        pages = [page.extract_text() for page in pypdf.PdfReader(path).pages]
    except OSError:
        raise
    except Exception as error:  # broken files raise whatever the place they break at does
        raise _unreadable(path, f"{type(error).__name__}: {str(error)[:200]}") from error
    for number, text in enumerate(pages, start=1):
        for block in _paragraphs(text.splitlines()):
            yield Block(block.text, number)


READERS: dict[str, Callable[[Path], Iterator[Block]]] = {
    ".md": _markdown_blocks,
    ".markdown": _markdown_blocks,
    ".txt": _text_blocks,
    ".pdf": _pdf_blocks,
}
"""By the ending of a file's name."""

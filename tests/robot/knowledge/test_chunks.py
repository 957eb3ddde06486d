"""Documents become blocks, and blocks passages that can be quoted."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reflexarc.robot.knowledge.chunks import Passage, passages, sentences
from reflexarc.robot.knowledge.documents import Block, DocumentError, read_document

MARKDOWN = """\
Before any heading, with a [link](https://example.org) and `code`.

# Rover

## Power & **wires**

First sentence. Second one!
Still the second paragraph's line.

| what | volts |
|---|---|
| battery | 7.4 |
| | 5 |

- one item
- another

Install it like this:

```
pip install .
```

# Other

<!-- hidden -->
Last.
"""


@pytest.fixture
def blocks(tmp_path: Path) -> tuple[Block, ...]:
    path = tmp_path / "rover.md"
    path.write_text(MARKDOWN, "utf-8")
    return read_document(path)


def test_markdown_gives_plain_text_with_headings_and_lines(blocks: tuple[Block, ...]) -> None:
    power = "Rover > Power & wires"
    assert [(b.text, b.line, b.heading) for b in blocks] == [
        ("Before any heading, with a link and code.", 1, ""),
        ("First sentence. Second one! Still the second paragraph's line.", 7, power),
        ("what: battery; volts: 7.4", 12, power),
        ("volts: 5", 13, power),
        ("one item", 15, power),
        ("another", 16, power),
        ("Install it like this:", 18, power),
        ("pip install .", 20, power),
        ("Last.", 27, "Other"),
    ]


def test_a_sentence_that_leads_to_code_is_quoted_with_it(blocks: tuple[Block, ...]) -> None:
    found = passages(blocks)
    assert Passage("Install it like this: pip install .", 18, "Rover > Power & wires") in found


def test_a_title_of_a_plain_text_is_quoted_with_what_it_stands_above() -> None:
    assert passages([Block("The cat", 1), Block("It sleeps.", 3), Block("Often.", 5)]) == [
        Passage("The cat It sleeps.", 1),
        Passage("Often.", 5),
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("At 3.5 V it stops. See e.g. the page.", ["At 3.5 V it stops.", "See e.g. the page."]),
        ("你好。再见！好吗？", ["你好。", "再见！", "好吗？"]),
        ("他说：“停。”然后走了。", ["他说：“停。”", "然后走了。"]),
        ("电池低。Charge it. 然后开机。", ["电池低。", "Charge it.", "然后开机。"]),
        ("no end", ["no end"]),
        ("", []),
    ],
)
def test_sentences_end_as_they_do_in_english_and_chinese(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


def test_fixed_length_passages_overlap_and_stay_in_their_section() -> None:
    text = "abcdefghij" * 10
    found = passages([Block(text, 3, "A"), Block("other", 9, "B")], "fixed", size=40, overlap=10)
    assert [p.text for p in found] == [text[0:40], text[30:70], text[60:100], "other"]
    assert [(p.line, p.heading) for p in found] == [(3, "A")] * 3 + [(9, "B")]


@pytest.mark.parametrize(("size", "overlap"), [(0, 0), (10, 10), (10, -1), (-5, 0)])
def test_sizes_that_cannot_be_are_refused(size: int, overlap: int) -> None:
    with pytest.raises(ValueError, match="overlap"):
        passages([], "fixed", size=size, overlap=overlap)


@given(
    st.lists(st.builds(Block, st.text(max_size=300), st.integers(1, 99), st.sampled_from("AB"))),
    st.integers(2, 50),
    st.data(),
)
def test_no_text_is_lost_whatever_the_method(
    given_blocks: list[Block], size: int, data: st.DataObject
) -> None:
    def letters(texts: list[str]) -> str:
        return "".join("".join(texts).split())

    whole = letters([block.text for block in given_blocks])
    assert letters([p.text for p in passages(given_blocks, size=size, overlap=0)]) == whole
    fixed = passages(given_blocks, "fixed", size=size, overlap=0)
    assert letters([p.text for p in fixed]) == whole
    overlap = data.draw(st.integers(1, size - 1))
    overlapping = passages(given_blocks, "fixed", size=size, overlap=overlap)
    assert all(len(p.text) <= size for p in overlapping)
    assert set(whole) == set(letters([p.text for p in overlapping]))


def pdf_of(*pages: str) -> bytes:
    """A PDF as small as one can be: its pages' texts in Helvetica."""
    kids = " ".join(f"{4 + 2 * n} 0 R" for n in range(len(pages)))
    bodies = [
        "<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>",
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, page in enumerate(pages):
        stream = f"BT /F1 12 Tf 72 700 Td ({page}) Tj ET"
        bodies.append(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>"
        )
        bodies.append(f"<< /Length {len(stream)} >>\nstream\n{stream}\nendstream")
    out, places = b"%PDF-1.4\n", []
    for number, body in enumerate(bodies, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n{body}\nendobj\n".encode()
    table = len(out)
    out += f"xref\n0 {len(bodies) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010} 00000 n \n".encode() for place in places)
    size = len(bodies) + 1
    return out + f"trailer << /Size {size} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF".encode()


def test_a_pdf_gives_its_text_by_pages(tmp_path: Path) -> None:
    pytest.importorskip("pypdf", reason="no pypdf: pip install 'reflexarc[language]'")
    path = tmp_path / "leaflet.PDF"
    path.write_bytes(pdf_of("The charger has 2 amperes.", "Keep it dry."))
    assert [(block.text, block.line) for block in read_document(path)] == [
        ("The charger has 2 amperes.", 1),
        ("Keep it dry.", 2),
    ]


@pytest.mark.parametrize(
    ("name", "content", "text"),
    [
        ("a.txt", "电池".encode("gb18030"), "电池"),
        ("a.txt", "\ufeffbattery".encode(), "battery"),
        ("a.txt", "battery".encode("utf-16"), "battery"),
        ("a.md", b"", None),
        ("a.txt", b"\n\n \n", None),
    ],
)
def test_texts_of_all_usual_encodings_are_read(
    tmp_path: Path, name: str, content: bytes, text: str | None
) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert [block.text for block in read_document(path)] == ([text] if text else [])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", b"\x00\x01"),
        ("a.txt", b"\xff\xfe\x00"),
        ("a.pdf", b""),
        ("a.pdf", b"%PDF-1.4\n%%EOF"),
        ("a.docx", b"PK"),
        ("a", b"text"),
    ],
)
def test_what_is_no_document_is_explained(tmp_path: Path, name: str, content: bytes) -> None:
    pytest.importorskip("pypdf", reason="no pypdf: pip install 'reflexarc[language]'")
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DocumentError) as caught:
        read_document(path)
    assert caught.value.remedy


@given(st.binary(max_size=200))
def test_any_bytes_are_a_document_or_an_error(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    folder = tmp_path_factory.getbasetemp()
    for name in ("any.md", "any.txt"):
        (folder / name).write_bytes(raw)
        with contextlib.suppress(DocumentError):
            passages(read_document(folder / name))

"""docs/bridge.md says what the code does, byte by byte."""

from __future__ import annotations

import ast
import binascii
import dataclasses
import re
from enum import IntEnum
from pathlib import Path
from typing import Any

import pytest

from reflexarc.firmware_bridge.protocol import messages
from reflexarc.firmware_bridge.protocol.frame import (
    MAX_ENCODED,
    Frame,
    FrameDecoder,
    encode_frame,
)
from reflexarc.firmware_bridge.protocol.messages import MessageType

DOCS = Path(__file__).resolve().parents[3] / "docs"
PAGE = (DOCS / "bridge.md").read_text()
_C_NAMES = {"B": "u8", "H": "u16", "I": "u32", "b": "i8", "h": "i16", "i": "i32"}
# Its reply is its end.
_TEST_HOOKS = {MessageType.HANG, MessageType.OVERFLOW}


def fenced(kind: str) -> list[str]:
    return re.findall(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


def message_class(type_: MessageType) -> Any:
    """The class of its payload; None where there is none."""
    name = type_.name
    if name.startswith("GET_") and name != "GET_CLOCK_REPLY":
        name = name.removeprefix("GET_").removesuffix("_REPLY") if name.endswith("_REPLY") else ""
    return getattr(messages, "".join(word.capitalize() for word in name.split("_")), None)


def fields(kind: Any) -> str:
    codes = re.findall(r"(\d*)(\w)", kind.LAYOUT.format.removeprefix("<"))
    names = [field.name for field in dataclasses.fields(kind)]
    return ", ".join(
        f"`{_C_NAMES[code]}{f'[{count}]' if count else ''} {name}`"
        for (count, code), name in zip(codes, names, strict=True)
    )


def examples() -> list[tuple[str, str]]:
    lines = [line for block in fenced("frames") for line in block.splitlines() if line]
    return list(zip(lines[::2], lines[1::2], strict=True))


def described(words: str) -> Frame:
    """`DRIVE 1 speed=(1000, -1000)` as a frame."""
    name, seq, *_ = words.split()
    type_ = MessageType[name]
    values = {
        key: ast.literal_eval(value) for key, value in re.findall(r"(\w+)=(\([^)]*\)|\S+)", words)
    }
    kind = message_class(type_)
    payload = kind(**values).pack() if kind is not None else b""
    assert values or not payload
    return Frame(type_, int(seq), payload)


def test_there_are_examples_of_the_common_messages() -> None:
    names = {words.split()[0] for words, _ in examples()}
    assert {"HELLO", "HELLO_REPLY", "DRIVE", "DRIVE_REPLY", "STOP", "ACK", "STATE"} <= names


@pytest.mark.parametrize(("words", "line"), examples(), ids=lambda value: value.split()[0])
def test_an_example_encodes_to_its_bytes_and_back(words: str, line: str) -> None:
    frame = described(words)
    assert encode_frame(*frame).hex(" ") == line
    assert FrameDecoder().feed(bytes.fromhex(line)) == [frame]


@pytest.mark.parametrize("row", "".join(fenced("broken")).splitlines())
def test_a_broken_example_is_dropped_and_the_next_frame_found(row: str) -> None:
    line, why = re.split(r"\s{2,}", row)
    assert why
    decoder = FrameDecoder()
    assert decoder.feed(bytes.fromhex(line)) == []
    assert decoder.statistics.crc_errors + decoder.statistics.framing_errors == 1
    assert decoder.feed(encode_frame(1, 2, b"3")) == [Frame(1, 2, b"3")]


def test_the_frames_made_by_hand() -> None:
    hand = re.findall(r"^body( .*)\nCRC( .*)\ntogether.*\nline( .*)", PAGE, re.MULTILINE)
    assert len(hand) == 2
    for body_words, crc_words, line_words in hand:
        body_hex, crc, line = (
            re.match(r"((?:\s+[0-9a-f]{2})+|\s+[0-9a-f]{4})(?=\s|$)", words)
            for words in (body_words, crc_words, line_words)
        )
        assert body_hex and crc and line
        body = bytes.fromhex(body_hex[1])
        assert f"{binascii.crc_hqx(body, 0xFFFF):04x}" == crc[1].strip()
        assert encode_frame(body[0], body[1], body[2:]) == bytes.fromhex(line[1])


def test_the_checksum_s_check_value() -> None:
    assert "0x29B1" in PAGE
    assert binascii.crc_hqx(b"123456789", 0xFFFF) == 0x29B1
    assert encode_frame(ord("1"), ord("2"), b"3456789")[-3:] == b"\xb1\x29\0"


def test_the_frame_s_sizes() -> None:
    assert f"0..{messages.MAX_PAYLOAD} " in PAGE
    assert f"body is at most {MAX_ENCODED - 1} bytes" in PAGE
    assert f"at most {MAX_ENCODED + 1} bytes with its closing zero" in PAGE
    assert f"not store more than {MAX_ENCODED} bytes" in PAGE


def test_every_message_is_in_the_table_as_it_is() -> None:
    rows = {
        int(type_, 16): (sender, name, int(size), text, reply)
        for type_, sender, name, size, text, reply in re.findall(
            r"^\| (0x\w\w) \| (\w+) \| (\w+) \| (\d+) \| (.*) \| (\w*) \|$",
            PAGE,
            re.MULTILINE,
        )
    }
    expected = {}
    for type_ in MessageType:
        if type_ is MessageType.NONE:
            continue
        kind = message_class(type_)
        text = fields(kind) if kind is not None else ""
        if type_.name.startswith("GET_") and type_.name not in {"GET_CLOCK", "GET_CLOCK_REPLY"}:
            shared = type_.name.removeprefix("GET_").removesuffix("_REPLY")
            text = f"as {shared}" if kind is not None else ""
        reply = ""
        if type_ in _TEST_HOOKS:
            reply = "none"
        elif type_ < 0x80:
            own = f"{type_.name}_REPLY"
            reply = own if own in MessageType.__members__ else "ACK"
            if reply == own:
                assert MessageType[own] == type_ + 0x80
        size = kind.LAYOUT.size if kind is not None else 0
        expected[int(type_)] = ("host" if type_ < 0x80 else "chip", type_.name, size, text, reply)
    assert rows == expected


def _constants() -> dict[str, int]:
    """Every constant of the schema under its name there."""
    found = {
        name: value
        for name, value in vars(messages).items()
        if name.isupper() and isinstance(value, int) and name != "SCHEMA_HASH"
    }
    for enum in (messages.Status, messages.BoardKind, messages.SettingsSource):
        assert issubclass(enum, IntEnum)
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", enum.__name__).upper()
        found |= {f"{prefix}_{member.name}": int(member) for member in enum}
    return found


def test_every_number_is_in_the_table_as_it_is() -> None:
    rows = re.findall(r"^\| ([A-Z][A-Z0-9_]+) \| (\w+) \|.*\|$", PAGE, re.MULTILINE)
    assert {name: int(value, 0) for name, value in rows} == _constants()


def test_every_measured_fault_is_in_the_table() -> None:
    tests = (DOCS.parent / "tests" / "hil" / "test_faults.py").read_text()
    names = set(re.findall(r'measured\("([^"]+)"', tests))
    names |= {"host killed", "host hangs", "chip reset", "chip brown-out", "bump", "emergency stop"}
    names |= {"chip hangs (watchdog)", "stack overflow"}
    section = PAGE.split("## Faults")[1].split("\n## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| [0-9,]+ ms \|", section, re.MULTILINE)
    assert set(rows) == names


def test_the_pin_map_shows_every_pin() -> None:
    pins = DOCS.parent / "firmware_bridge" / "firmware" / "chips" / "atmega328p" / "pins.h"
    picture = (DOCS / "images" / "pins.svg").read_text()
    shown = set(re.findall(r">([AD]\d+)\b", picture))
    named = re.findall(r"^//   P.*?\[([^\]]+)\]", pins.read_text(), re.MULTILINE)
    wanted = set()
    for text in named:
        first, _, last = text.replace(", ", "..").partition("..")
        numbers = range(int(first[1:]), int((last or first)[1:]) + 1)
        wanted |= {first[0] + str(number) for number in numbers}
    assert len(wanted) == 20
    assert wanted <= shown


def test_every_source_is_cited_and_every_citation_has_one() -> None:
    table, sources = PAGE.split("## Beside its peers")[1].split("Sources:")
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", table)}
    assert cited == {int(number) for number in re.findall(r"^(\d+)\. ", sources, re.MULTILINE)}


def test_no_link_leads_nowhere() -> None:
    anchors = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", PAGE):
        if target.startswith("#"):
            assert target[1:] in anchors
        else:
            assert (DOCS / target).exists(), target

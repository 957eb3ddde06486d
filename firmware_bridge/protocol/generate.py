"""Write both sides' code from reflexarc.bitproto.

The C side is bitproto's own (optimised: plain byte moves). The Python side is
ours: bitprotolib walks every message bit by bit (85 us each, measured), and the
same layout is one `struct.Struct`. A test holds the two against each other.

    python -m reflexarc.firmware_bridge.protocol.generate [--check]
"""

from __future__ import annotations

import argparse
import hashlib
import re
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from reflexarc.core import ReflexarcError, atomic_write

if TYPE_CHECKING:
    from bitproto._ast import Message, MessageField, Proto

HERE = Path(__file__).resolve().parent
SCHEMA = HERE / "reflexarc.bitproto"
MESSAGES = HERE / "messages.py"
FIRMWARE = HERE.parent / "firmware" / "generated"

_STRUCT_CODES = {
    ("uint", 8): "B",
    ("uint", 16): "H",
    ("uint", 32): "I",
    ("int", 8): "b",
    ("int", 16): "h",
    ("int", 32): "i",
}

_HEADER = '''\
"""The wire protocol's messages. Generated from reflexarc.bitproto: do not edit."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import ClassVar

SCHEMA_HASH = 0x{schema_hash:08X}
'''


def schema_hash(schema: str) -> int:
    """The first 4 bytes of SHA-256 over the schema's tokens.

    Comments and layout do not count; a name does, because a renamed field is
    usually a field with another meaning.
    """
    tokens = " ".join(re.sub(r"//[^\n]*", " ", schema).split())
    return int.from_bytes(hashlib.sha256(tokens.encode()).digest()[:4], "big")


def _parse(schema: Path) -> Proto:
    try:
        from bitproto.linter import lint
        from bitproto.parser import parse
    except ModuleNotFoundError as error:
        raise ReflexarcError(
            expected="the schema compiler bitproto",
            found=str(error),
            remedy="install the development tools: pip install 'reflexarc[dev]'",
        ) from error
    proto = parse(str(schema), traditional_mode=True)
    if lint(proto):
        raise ReflexarcError(
            expected=f"a schema without lint warnings in {schema.name}",
            found="the warnings above",
            remedy="mend them",
        )
    return proto


def _field_layout(field: MessageField) -> tuple[str, int]:
    """`struct` code and number of elements of one field."""
    from bitproto import _ast

    kind, count = field.type, 1
    if isinstance(kind, _ast.Array):
        count, kind = kind.cap, kind.element_type
    names: dict[type, str] = {_ast.Uint: "uint", _ast.Int: "int"}
    name = names.get(type(kind), "")
    code = _STRUCT_CODES.get((name, kind.nbits()))
    if code is None:
        raise ReflexarcError(
            expected="fields of 8, 16 or 32 bit integers, or arrays of them",
            found=f"{field.name} of type {kind}",
            remedy="use whole bytes: the host packs messages with struct",
        )
    return code, count


def _pascal(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


def _render_enums(proto: Proto) -> list[str]:
    lines: list[str] = []
    for name, enum in proto.enums():
        prefix = re.sub(r"(?<!^)(?=[A-Z])", "_", name).upper() + "_"
        lines += ["", "", f"class {name}(IntEnum):", '    """Values on the wire."""', ""]
        lines += [f"    {f.name.removeprefix(prefix)} = 0x{f.value:02X}" for f in enum.fields()]
    return lines


def _render_message(name: str, message: Message, type_name: str) -> list[str]:
    fields = [(field.name, *_field_layout(field)) for field in message.sorted_fields()]
    layout = "<" + "".join(f"{count if count > 1 else ''}{code}" for _, code, count in fields)
    annotations, packed, unpacked, index = [], [], [], 0
    for field, _, count in fields:
        if count == 1:
            annotations.append(f"    {field}: int")
            packed.append(f"self.{field}")
            unpacked.append(f"v[{index}]")
        else:
            annotations.append(f"    {field}: tuple[{', '.join(['int'] * count)}]")
            packed.append(f"*self.{field}")
            unpacked.append("(" + ", ".join(f"v[{index + i}]" for i in range(count)) + ")")
        index += count
    return [
        "",
        "",
        "@dataclass(frozen=True)",
        f"class {name}:",
        f'    """{message.nbytes()} bytes on the wire."""',
        "",
        f"    TYPE: ClassVar[MessageType] = MessageType.{type_name}",
        f'    LAYOUT: ClassVar[struct.Struct] = struct.Struct("{layout}")',
        "",
        *annotations,
        "",
        "    def pack(self) -> bytes:",
        '        """Payload bytes; struct.error where a value does not fit its field."""',
        f"        return self.LAYOUT.pack({', '.join(packed)})",
        "",
        "    @classmethod",
        f"    def unpack(cls, payload: bytes) -> {name}:",
        '        """From payload bytes; struct.error where the length is another."""',
        "        v = cls.LAYOUT.unpack(payload)",
        f"        return cls({', '.join(unpacked)})",
    ]


def render_messages(proto: Proto, digest: int) -> str:
    """The text of messages.py."""
    lines = [_HEADER.format(schema_hash=digest).rstrip("\n")]
    lines += [f"{name} = {constant.value}" for name, constant in proto.constants()]
    lines += _render_enums(proto)
    types = {
        _pascal(field.name.removeprefix("MESSAGE_TYPE_")): field.name.removeprefix("MESSAGE_TYPE_")
        for field in dict(proto.enums())["MessageType"].fields()
    }
    for name, message in proto.messages():
        lines += _render_message(name, message, types[name])
    return "\n".join(lines) + "\n"


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines()) + "\n"


def render_all(schema: Path = SCHEMA) -> dict[Path, str]:
    """Every generated file's path and text."""
    proto = _parse(schema)
    from bitproto.renderer import render

    digest = schema_hash(schema.read_text())
    with tempfile.TemporaryDirectory() as folder:
        c_files = [
            Path(path)
            for path in render(
                proto,
                "c",
                outdir=folder,
                optimization_mode=True,
                optimization_mode_endian="little",
            )
        ]
        texts = {FIRMWARE / path.name: _tidy(path.read_text()) for path in c_files}
    texts[FIRMWARE / "schema_hash.h"] = (
        "// Generated from reflexarc.bitproto: do not edit.\n"
        "#pragma once\n"
        "#ifndef SCHEMA_HASH\n"
        f"#define SCHEMA_HASH 0x{digest:08X}UL\n"
        "#endif\n"
    )
    texts[MESSAGES] = render_messages(proto, digest)
    return texts


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the files, or with --check only say which ones are out of date."""
    parser = argparse.ArgumentParser(description="Generate both sides' protocol code.")
    parser.add_argument("--check", action="store_true", help="write nothing, exit 1 if stale")
    check = parser.parse_args(arguments).check
    stale = [
        (path, text)
        for path, text in render_all().items()
        if not path.exists() or path.read_text() != text
    ]
    for path, text in stale:
        if check:
            print(f"{path} is stale: run python -m {__spec__.name}", file=sys.stderr)
        else:
            with atomic_write(path) as temporary:
                temporary.write_text(text)
            print(path)
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())

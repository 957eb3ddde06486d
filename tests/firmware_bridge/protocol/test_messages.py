"""The generated code: current, and the same on both sides."""

import dataclasses
import importlib.util
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from bitproto.parser import parse
from bitproto.renderer import render
from hypothesis import given
from hypothesis import strategies as st

from reflexarc.core import ReflexarcError
from reflexarc.firmware_bridge.protocol import generate, messages

MESSAGES = [kind for kind in vars(messages).values() if hasattr(kind, "LAYOUT")]
_RANGES = {
    "B": (0, 2**8 - 1),
    "H": (0, 2**16 - 1),
    "I": (0, 2**32 - 1),
    "h": (-(2**15), 2**15 - 1),
    "i": (-(2**31), 2**31 - 1),
}


@pytest.fixture(scope="module")
def bitproto_module(tmp_path_factory: pytest.TempPathFactory) -> types.ModuleType:
    """bitproto's own Python code for the schema."""
    out = tmp_path_factory.mktemp("bitproto")
    (path,) = render(parse(str(generate.SCHEMA)), "py", outdir=str(out))
    spec = importlib.util.spec_from_file_location("reflexarc_bp", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@st.composite
def any_message(draw: Callable[[st.SearchStrategy[Any]], Any]) -> Any:
    kind = draw(st.sampled_from(MESSAGES))
    layout = iter(kind.LAYOUT.format[1:])
    values = []
    for field in dataclasses.fields(kind):
        code = next(layout)
        if code.isdigit():
            low, high = _RANGES[next(layout)]
            values.append(tuple(draw(st.integers(low, high)) for _ in range(int(code))))
        else:
            values.append(draw(st.integers(*_RANGES[code])))
        assert field.name
    return kind(*values)


@given(message=any_message())
def test_struct_and_bitproto_give_the_same_bytes(
    message: Any, bitproto_module: types.ModuleType
) -> None:
    twin = getattr(bitproto_module, type(message).__name__)()
    for name, value in dataclasses.asdict(message).items():
        setattr(twin, name, list(value) if isinstance(value, tuple) else value)
    assert message.pack() == bytes(twin.encode())


@given(message=any_message())
def test_messages_survive_the_way_through_bytes(message: Any) -> None:
    assert type(message).unpack(message.pack()) == message


def test_every_message_is_tried() -> None:
    assert len(MESSAGES) == generate.SCHEMA.read_text().count("\nmessage ")


def test_generated_files_are_current() -> None:
    assert generate.main(["--check"]) == 0


def test_check_finds_a_stale_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate, "MESSAGES", tmp_path / "messages.py")
    assert generate.main(["--check"]) == 1
    assert "messages.py is stale" in capsys.readouterr().err


def test_the_schema_hash_sees_names_and_not_comments() -> None:
    schema = "message A { // one\n  uint8 b = 1 }"
    assert generate.schema_hash(schema) == generate.schema_hash("message A {\n\nuint8 b = 1 } // 2")
    assert generate.schema_hash(schema) != generate.schema_hash(schema.replace("b", "c"))


def test_a_field_of_half_a_byte_is_refused(tmp_path: Path) -> None:
    schema = tmp_path / "odd.bitproto"
    schema.write_text(generate.SCHEMA.read_text().replace("uint8 status = 2", "uint4 status = 2"))
    with pytest.raises(ReflexarcError, match="status of type <type uint4>.*use whole bytes"):
        generate.render_all(schema)

"""Changing a few numbers of a robot.yaml, and not one character more."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from reflexarc.core import atomic_write

if TYPE_CHECKING:
    import yaml


def write_geometry(path: Path, values: dict[str, float]) -> None:
    """Set keys of the section `geometry`; comments and form of the rest stay.

    Raises:
        ConfigError: it was no good robot.yaml before, or would be none afterwards.
        WriteError: it cannot be written.
    """
    import yaml

    from reflexarc.robot.config import ConfigError, load_config

    path = path.resolve()
    load_config(path)
    text = path.read_bytes().decode("utf-8")
    try:
        for key, value in reversed(values.items()):  # Each new one comes before the others.
            text = set_value(text, "geometry", key, f"{value:.10g}")
    except yaml.YAMLError as error:  # Something stood behind the end of the document.
        raise ConfigError(
            expected=f"a form of {path} that numbers can be put into",
            found=" ".join(str(error).split()),
            remedy=f"write them yourself, below geometry: {values}",
        ) from error
    with atomic_write(path) as temporary:
        temporary.write_bytes(text.encode("utf-8"))
        load_config(temporary)


def set_value(text: str, section: str, key: str, value: str) -> str:
    """Set ``section.key`` in a YAML text; added where it is not there yet."""
    import yaml

    newline = "\r\n" if "\r\n" in text else "\n"
    root = yaml.compose(text, Loader=yaml.SafeLoader)
    part = None if root is None else _child(root, section)
    if part is None and root is not None and text[root.start_mark.index] == "{":
        return _insert(text, root, section, f"{{{key}: {value}}}", newline)
    if part is None:
        ending = newline if text and not text.endswith("\n") else ""
        return f"{text}{ending}{section}:{newline}  {key}: {value}{newline}"
    old = _child(part, key)
    if old is not None:
        return _replace(text, old, value)
    if part.value and isinstance(part, yaml.MappingNode):
        return _insert(text, part, key, value, newline)
    # "geometry:" or "geometry: {}"
    gap = "" if text[part.start_mark.index - 1].isspace() else " "
    return _replace(text, part, f"{gap}{{{key}: {value}}}")


def _child(mapping: yaml.Node, key: str) -> yaml.Node | None:
    pairs = mapping.value if isinstance(mapping.value, list) else []
    return next((value for name, value in pairs if name.value == key), None)


def _replace(text: str, node: yaml.Node, value: str) -> str:
    return text[: node.start_mark.index] + value + text[node.end_mark.index :]


def _insert(text: str, mapping: yaml.Node, key: str, value: str, newline: str) -> str:
    """Before the mapping's first key, in its own form."""
    first = mapping.value[0][0].start_mark
    in_braces = text[mapping.start_mark.index] == "{"
    glue = ", " if in_braces else newline + " " * first.column
    return f"{text[: first.index]}{key}: {value}{glue}{text[first.index :]}"

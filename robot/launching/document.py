"""A YAML file as a tree that remembers its lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from reflexarc.robot.launching.errors import LaunchError, Where

_LARGEST_BYTES = 1_000_000
_MOST_ITEMS = 20_000
_DEEPEST = 50


@dataclass(frozen=True)
class Leaf:
    """A scalar: text, number, truth value or nothing."""

    value: str | int | float | bool | None
    where: Where


@dataclass(frozen=True)
class Items:
    """A list."""

    items: tuple[Tree, ...]
    where: Where


@dataclass(frozen=True)
class Table:
    """A mapping with text keys, in the file's order."""

    entries: dict[str, Tree]
    where: Where


Tree = Leaf | Items | Table


def describe(tree: Tree) -> str:
    """What it is, for messages."""
    if isinstance(tree, Items):
        return "a list"
    if isinstance(tree, Table):
        return "a mapping"
    if tree.value is None:
        return "nothing"
    kind = {bool: "the truth value", int: "the number", float: "the number", str: "the text"}
    shown = str(tree.value).lower() if isinstance(tree.value, bool) else repr(tree.value)
    return f"{kind[type(tree.value)]} {shown}"


def read(path: Path) -> Tree:
    """Read a YAML file.

    Raises:
        LaunchError: it cannot be read, is no YAML, or holds what launch files never hold.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST_BYTES:
            raise LaunchError(
                expected=f"a launch file of at most {_LARGEST_BYTES} bytes",
                found=f"{path} with {size}",
                remedy="name a launch file (NAME.launch.yaml)",
            )
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise LaunchError(
            expected=f"{path} in UTF-8",
            found=str(error),
            remedy="name a launch file (NAME.launch.yaml), saved as UTF-8",
        ) from error
    except OSError as error:
        raise LaunchError(
            expected=f"to read {path}",
            found=error.strerror or str(error),
            remedy="check the name and the rights of the file",
        ) from error
    return parse(text, path)


def parse(text: str, path: Path) -> Tree:
    """Read YAML text that came from `path`; see `read`."""
    loader = yaml.SafeLoader("")
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            return Leaf(None, Where(path, 1))
        return _Reader(loader, path).tree(node, 0)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise LaunchError(
            expected="YAML",
            found=" ".join(part for part in (error.context, error.problem) if part),
            remedy="check quotes, colons and the indentation there",
            where=Where(path, mark.line + 1 if mark is not None else 1),
        ) from error
    except (yaml.YAMLError, RecursionError, ValueError, OverflowError) as error:
        raise LaunchError(
            expected="YAML",
            found=str(error).splitlines()[0] if str(error) else type(error).__name__,
            remedy="name a launch file (NAME.launch.yaml), saved as UTF-8",
            where=Where(path, 1),
        ) from error
    finally:
        loader.dispose()


@dataclass
class _Reader:
    loader: yaml.SafeLoader
    path: Path
    count: int = field(default=0)

    def tree(self, node: yaml.Node, depth: int) -> Tree:
        where = Where(self.path, node.start_mark.line + 1)
        self.count += 1
        # Aliases can make a small file endless.
        if self.count > _MOST_ITEMS or depth > _DEEPEST:
            raise LaunchError(
                expected=f"at most {_MOST_ITEMS} items, {_DEEPEST} deep",
                found="more (an anchor that holds itself?)",
                remedy="split the file, or write the anchor's content out",
                where=where,
            )
        if isinstance(node, yaml.MappingNode):
            return self.table(node, where, depth)
        if isinstance(node, yaml.SequenceNode):
            return Items(tuple(self.tree(item, depth + 1) for item in node.value), where)
        value: Any = self.loader.construct_object(node, deep=True)
        if value is not None and not isinstance(value, (str, bool, int, float)):
            raise LaunchError(
                expected="text, a number or a truth value",
                found=f"{node.value!r}, which YAML reads as a {type(value).__name__}",
                remedy="put it in quotes",
                where=where,
            )
        return Leaf(value, where)

    def table(self, node: yaml.MappingNode, where: Where, depth: int) -> Table:
        entries: dict[str, Tree] = {}
        for key, value in node.value:
            there = Where(self.path, key.start_mark.line + 1)
            if not isinstance(key, yaml.ScalarNode):
                raise LaunchError(
                    expected="a name before the colon",
                    found="a list or a mapping",
                    remedy="quote the text if it begins with [ or {",
                    where=there,
                )
            if key.value in entries:
                raise LaunchError(
                    expected=f"{key.value} once",
                    found="a second one",
                    remedy=f"merge it with the one in line {entries[key.value].where.line}",
                    where=there,
                )
            entries[key.value] = self.tree(value, depth + 1)
        return Table(entries, where)

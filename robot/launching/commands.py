"""Command lines in launch files: their words, and the program that the first one names."""

from __future__ import annotations

import os
import shlex
import shutil
from pathlib import Path

from reflexarc.robot.launching import packages
from reflexarc.robot.launching.context import Context
from reflexarc.robot.launching.entity import Entity
from reflexarc.robot.launching.errors import LaunchError, Where
from reflexarc.robot.launching.substitutions import fill
from reflexarc.robot.launching.template import Template, parse_template


def words(entity: Entity, context: Context, name: str) -> list[str]:
    """A command line's words. Spaces that come out of a substitution do not split it.

    Raises:
        LaunchError: a quote that is not closed.
    """
    text = entity.text(name)
    if text is None:
        return []
    where = entity.where_of(name)
    template: Template = parse_template(text, where)
    # Each substitution is one character of Unicode's private use while the shell's rules split.
    filled = [fill((piece,), context, where) for piece in template if not isinstance(piece, str)]
    marks = iter(range(len(filled)))
    line = "".join(
        piece if isinstance(piece, str) else chr(0xF0000 + next(marks)) for piece in template
    )
    try:
        words = shlex.split(line)
    except ValueError as error:
        raise LaunchError(
            expected=f"a command line as {name}",
            found=f"{text!r}: {str(error).lower()}",
            remedy="close the quote",
            where=where,
        ) from error
    return [
        "".join(filled[ord(c) - 0xF0000] if 0 <= ord(c) - 0xF0000 < len(filled) else c for c in w)
        for w in words
    ]


def find_program(
    package: str | None, name: str, context: Context, where: Where
) -> tuple[str | None, LaunchError | None]:
    """The path of a node's program, or why it cannot be had."""
    if package is None:
        return find_on_path(name, context.environment.get("PATH"), None, where)
    try:
        return str(packages.executable(package, name, context.environment, where)), None
    except LaunchError as error:
        return None, error


def find_on_path(
    name: str, path: str | None, cwd: Path | None, where: Where
) -> tuple[str | None, LaunchError | None]:
    """The path of a program that a shell would find, or why it cannot be had."""
    here = cwd / name if cwd is not None and os.sep in name else name
    found = shutil.which(here, path=path)
    if found is not None:
        return str(Path(found).absolute()), None
    return None, LaunchError(
        expected="a program on the PATH, or the path of one",
        found=repr(name),
        remedy="install it, or check its name and that it may be executed",
        where=where,
    )

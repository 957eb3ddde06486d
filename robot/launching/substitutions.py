"""What each `$(substitution)` stands for; the names and meanings are ROS 2's."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path

from reflexarc.robot.launching import packages
from reflexarc.robot.launching.context import Context
from reflexarc.robot.launching.errors import LaunchError, Where, listed, nearest
from reflexarc.robot.launching.expression import ExpressionError, evaluate
from reflexarc.robot.launching.template import Substitution, Template

TRUE = ("true", "1")
FALSE = ("false", "0")
_Do = Callable[[list[str], Context, Where], str]


def fill(template: Template, context: Context, where: Where) -> str:
    """Join a template's pieces, with the substitutions replaced.

    Raises:
        LaunchError: one that is not known or cannot be replaced.
    """
    return "".join(
        piece if isinstance(piece, str) else _replace(piece, context, where) for piece in template
    )


def truth(text: str, where: Where, what: str) -> bool:
    """ROS 2's truth values of `if` and `unless`.

    Raises:
        LaunchError: not one of them.
    """
    word = text.strip().lower()
    if word in TRUE or word in FALSE:
        return word in TRUE
    raise LaunchError(
        expected=f"true, 1, false or 0 as {what}",
        found=repr(text),
        remedy="compare with $(equals LEFT RIGHT), or give the argument true or false",
        where=where,
    )


def _replace(piece: Substitution, context: Context, where: Where) -> str:
    if piece.name in _NOT_HERE:
        raise LaunchError(
            expected=f"one of these substitutions: {listed(_KNOWN)}",
            found=f"$({piece.name}), which ROS 2 knows and `reflexarc launch` does not",
            remedy=_NOT_HERE[piece.name],
            where=where,
        )
    if piece.name not in _KNOWN:
        raise LaunchError(
            expected=f"one of these substitutions: {listed(_KNOWN)}",
            found=f"$({piece.name})",
            remedy=nearest(piece.name, _KNOWN, "use one of these, or write \\$( for the text"),
            where=where,
        )
    least, most, do = _KNOWN[piece.name]
    if not least <= len(piece.arguments) <= most:
        raise LaunchError(
            expected=f"$({piece.name}) with {least if least == most else f'{least} to {most}'} "
            f"argument{'' if most == 1 else 's'}",
            found=f"{len(piece.arguments)}",
            remedy="quote an argument that has spaces: $(name 'two words')",
            where=where,
        )
    if piece.name in ("equals", "not-equals") and () in piece.arguments:
        raise LaunchError(
            expected=f"text on both sides of $({piece.name})",
            found="'', which ROS 2 takes for the text []",
            remedy="put the same letter before both: $(equals 'x$(var NAME)' x)",
            where=where,
        )
    # As in ROS 2, a default is looked at only where it is needed.
    if piece.name in _WITH_DEFAULT:
        return _with_default(piece, context, where)
    return do([fill(argument, context, where) for argument in piece.arguments], context, where)


def _with_default(piece: Substitution, context: Context, where: Where) -> str:
    name = fill(piece.arguments[0], context, where)
    if piece.name == "if":
        chosen = truth(name, where, "the condition of $(if)")
        rest = piece.arguments[1:] if chosen else piece.arguments[2:]
        return fill(rest[0], context, where) if rest else ""
    known = context.variables if piece.name == "var" else context.environment
    if name in known:
        return known[name]
    if len(piece.arguments) == 2:
        return fill(piece.arguments[1], context, where)
    if piece.name == "var":
        raise LaunchError(
            expected=f"an argument or a `let` before this line: {listed(known)}",
            found=f"$(var {name})",
            remedy=nearest(name, known, f"declare it: - arg: {{name: {name}}}"),
            where=where,
        )
    raise LaunchError(
        expected=f"the environment variable {name}",
        found="none",
        remedy=f"set it, or give a default: $(env {name} DEFAULT)",
        where=where,
    )


def _never(arguments: list[str], context: Context, where: Where) -> str:
    raise AssertionError("handled before its arguments are filled")


def _find_exec(arguments: list[str], context: Context, where: Where) -> str:
    found = shutil.which(arguments[0], path=context.environment.get("PATH"))
    if found is None:
        raise LaunchError(
            expected=f"the program {arguments[0]} on the PATH",
            found="none",
            remedy="install it, or give its path",
            where=where,
        )
    return found


def _exec_in_pkg(arguments: list[str], context: Context, where: Where) -> str:
    name, package = arguments
    return str(packages.executable(package, name, context.environment, where))


def _eval(arguments: list[str], context: Context, where: Where) -> str:
    try:
        return evaluate(arguments[0])
    except ExpressionError as error:
        raise LaunchError(
            expected="arithmetic, comparisons, and, or, not, if-else over plain values in $(eval)",
            found=str(error),
            remedy="quote texts inside it: $(eval '\\'$(var mode)\\' == \\'fast\\'')",
            where=where,
        ) from error


def _equals(arguments: list[str], context: Context, where: Where) -> str:
    left, right = arguments
    words = [side.lower() for side in arguments]
    if all(word in TRUE + FALSE for word in words):
        return _say((words[0] in TRUE) is (words[1] in TRUE))
    try:
        return _say(math.isclose(float(left), float(right)))
    except ValueError:
        return _say(left == right)


def _not_equals(arguments: list[str], context: Context, where: Where) -> str:
    return _say(_equals(arguments, context, where) == "false")


def _not(arguments: list[str], context: Context, where: Where) -> str:
    return _say(not truth(arguments[0], where, "the argument of $(not)"))


def _and(arguments: list[str], context: Context, where: Where) -> str:
    left, right = (truth(word, where, "an argument of $(and)") for word in arguments)
    return _say(left and right)


def _or(arguments: list[str], context: Context, where: Where) -> str:
    left, right = (truth(word, where, "an argument of $(or)") for word in arguments)
    return _say(left or right)


def _say(value: bool) -> str:
    return "true" if value else "false"


_WITH_DEFAULT = {"var", "env", "if"}
_KNOWN: dict[str, tuple[int, int, _Do]] = {
    "var": (1, 2, _never),
    "env": (1, 2, _never),
    "if": (2, 3, _never),
    "eval": (1, 1, _eval),
    "find-pkg-share": (1, 1, lambda a, c, w: str(packages.share(a[0], c.environment, w))),
    "find-pkg-prefix": (1, 1, lambda a, c, w: str(packages.prefix_of(a[0], c.environment, w))),
    "find-exec": (1, 1, _find_exec),
    "exec-in-pkg": (2, 2, _exec_in_pkg),
    "dirname": (0, 0, lambda a, c, w: str(Path(c.file).parent)),
    "filename": (0, 0, lambda a, c, w: str(c.file)),
    "equals": (2, 2, _equals),
    "not-equals": (2, 2, _not_equals),
    "not": (1, 1, _not),
    "and": (2, 2, _and),
    "or": (2, 2, _or),
}
_USE_ROS = "run the file with `ros2 launch`, or give the value as an argument"
_NOT_HERE = {
    "command": _USE_ROS,
    "anon": "give the node a name",
    "param": "use an argument: $(var NAME)",
    "file-content": _USE_ROS,
    "launch_log_dir": _USE_ROS,
    "log_dir": _USE_ROS,
    "any": "use $(or LEFT RIGHT)",
    "all": "use $(and LEFT RIGHT)",
}

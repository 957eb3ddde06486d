"""`$(eval ...)`: the arithmetic, comparisons and logic of Python's expressions, no more.

ROS 2 hands the text to Python's eval. A launch file that we run must not be able to run
Python, so only expressions over plain values are taken: what they mean is the same.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable
from typing import Any

_LONGEST = 1000
_LARGEST = 10**15
_CONSTANTS: dict[str, Any] = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}


class ExpressionError(ValueError):
    """Not an expression, or one that does more than compute."""


def evaluate(text: str) -> str:
    """The value of an expression, as text, as ROS 2 gives it ("True", "0.5").

    Raises:
        ExpressionError: with the reason, for people.
    """
    if len(text) > _LONGEST:
        raise ExpressionError(f"an expression of {len(text)} characters")
    try:
        tree = ast.parse(text.strip(), mode="eval")
        return str(_value(tree.body))
    except ExpressionError:
        raise
    except SyntaxError as error:
        raise ExpressionError(f"{text!r}: {error.msg}") from error
    except (ArithmeticError, TypeError, ValueError, RecursionError, MemoryError) as error:
        raise ExpressionError(f"{text!r}: {error}") from error


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, (str, bool, int, float)):
        return node.value
    if isinstance(node, ast.Name) and node.id in _CONSTANTS:
        return _CONSTANTS[node.id]
    if isinstance(node, (ast.Tuple, ast.List)):
        values = [_value(item) for item in node.elts]
        return tuple(values) if isinstance(node, ast.Tuple) else values
    if isinstance(node, ast.BoolOp):
        return _logic(node)
    if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
        return _UNARY[type(node.op)](_value(node.operand))
    if isinstance(node, ast.IfExp):
        return _value(node.body) if _value(node.test) else _value(node.orelse)
    if isinstance(node, ast.Compare):
        return _comparison(node)
    if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
        return _arithmetic(node)
    raise ExpressionError(f"{ast.unparse(node)}, which is more than arithmetic")


def _logic(node: ast.BoolOp) -> Any:
    until = isinstance(node.op, ast.Or)
    value: Any = None
    for item in node.values:
        value = _value(item)
        if bool(value) is until:
            return value
    return value


def _comparison(node: ast.Compare) -> bool:
    left = _value(node.left)
    for sign, item in zip(node.ops, node.comparators, strict=True):
        if type(sign) not in _COMPARE:
            raise ExpressionError(f"{ast.unparse(node)}, which is more than arithmetic")
        right = _value(item)
        if not _COMPARE[type(sign)](left, right):
            return False
        left = right
    return True


def _arithmetic(node: ast.BinOp) -> Any:
    left, right = _value(node.left), _value(node.right)
    # "ab" * 10**9, "%1000000000d" % 1 and long products fill the memory.
    plain = all(isinstance(side, (int, float)) for side in (left, right))
    if not plain and not isinstance(node.op, ast.Add):
        raise ExpressionError(f"{ast.unparse(node)}, which is more than arithmetic")
    value = _BINARY[type(node.op)](left, right)
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ExpressionError(f"{ast.unparse(node)}, which is too large")
    return value

"""Exact arithmetic in the words of Python, read from a text and worked out by hand: nothing is ever executed."""

import ast
import operator
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

from understudy.errors import UserError

MOST = 10**12
"""Numbers beyond this are refused: no word problem needs them, and a tower of powers is never worked out."""


def whole(x: Any) -> Fraction:
    """Towards zero, as Python's int()."""
    return Fraction(int(x))


def near(x: Any, places: int = 0) -> Fraction:
    """Rounded to so many places, halves to even, as Python's round()."""
    return Fraction(round(Fraction(x), int(places)) if places else round(Fraction(x)))


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "int": whole,
    "round": near,
    "Fraction": lambda a, b=1: Fraction(a) / Fraction(b),
    "is_int": lambda x: Fraction(x).denominator == 1,
    "divides": lambda a, b: Fraction(a) % Fraction(b) == 0,
    "min": min,
    "max": max,
    "abs": abs,
    "len": len,
}
"""What may be called: `is_int` and `divides` as in the templates of GSM-Symbolic."""

BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: lambda a, b: a * int(b) if isinstance(a, list) else a * b,
    ast.Div: operator.truediv,
    ast.FloorDiv: lambda a, b: Fraction(a // b),
    ast.Mod: operator.mod,
    ast.Pow: lambda a, b: a ** int(b) if abs(b) <= 12 and Fraction(b).denominator == 1 else _too_large(),
}
COMPARE: dict[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda a, b: a in b,
    ast.NotIn: lambda a, b: a not in b,
}


Names = Mapping[str, Any]
Functions = Mapping[str, Callable[..., Any]]
Work = Callable[[Names, Functions], Any]


def worth(formula: str, names: Names, functions: Functions = FUNCTIONS) -> Any:
    """What a formula comes to: a Fraction, a truth, a text, or a list of these.

    >>> worth("(k + 1) / 2 if k > 3 else 0", {"k": Fraction(4)})
    Fraction(5, 2)

    Raises:
        UserError: it is no formula, names what is unknown, divides by zero, or grows beyond `MOST`.
    """
    try:
        return _ready(formula)(names, functions)
    except (SyntaxError, ZeroDivisionError, TypeError, KeyError, ValueError, IndexError, RecursionError) as error:
        raise UserError(f"The formula {formula!r} cannot be worked out: {error}. Correct it.") from None


def names_in(formula: str) -> set[str]:
    """What it names, functions too."""
    return {node.id for node in ast.walk(ast.parse(formula.strip(), mode="eval")) if isinstance(node, ast.Name)}


@lru_cache(maxsize=4096)
def _ready(formula: str) -> Work:
    return _work(ast.parse(formula.strip(), mode="eval").body)


def _work(node: ast.AST) -> Work:
    """One piece of a formula as a function of its names; what is not listed here is refused."""
    match node:
        case ast.Constant(value=bool() | str()):
            return lambda names, functions: node.value
        case ast.Constant(value=int() | float()):
            number = Fraction(str(node.value))
            return lambda names, functions: number
        case ast.Name(id=name):
            return lambda names, functions: names[name]
        case ast.BinOp(left=left, op=op, right=right):
            a, b, way = _work(left), _work(right), BINARY[type(op)]
            return lambda names, functions: _checked(way(a(names, functions), b(names, functions)))
        case ast.UnaryOp(op=ast.USub() | ast.Not() as op, operand=operand):
            of = _work(operand)
            turn = operator.neg if isinstance(op, ast.USub) else operator.not_
            return lambda names, functions: turn(of(names, functions))
        case ast.BoolOp(op=op, values=values):
            parts, needed = [_work(v) for v in values], all if isinstance(op, ast.And) else any
            return lambda names, functions: needed(part(names, functions) for part in parts)
        case ast.Compare(left=left, ops=ops, comparators=rest):
            return _comparison([COMPARE[type(op)] for op in ops], [_work(side) for side in (left, *rest)])
        case ast.IfExp(test=test, body=body, orelse=other):
            asked, yes, no = _work(test), _work(body), _work(other)
            return lambda names, functions: (yes if asked(names, functions) else no)(names, functions)
        case ast.List(elts=elements) | ast.Tuple(elts=elements):
            parts, kind = [_work(e) for e in elements], list if isinstance(node, ast.List) else tuple
            return lambda names, functions: kind(part(names, functions) for part in parts)
        case ast.Subscript(value=value, slice=ast.Slice(lower=None, upper=upper, step=None)) if upper is not None:
            of, end = _work(value), _work(upper)
            return lambda names, functions: of(names, functions)[: int(end(names, functions))]
        case ast.Subscript(value=value, slice=at):
            of, index = _work(value), _work(at)
            return lambda names, functions: _item(of(names, functions), int(index(names, functions)))
        case ast.Call(func=func, args=arguments, keywords=[]):
            name, parts = ast.unparse(func), [_work(a) for a in arguments]
            return lambda names, functions: _checked(functions[name](*(part(names, functions) for part in parts)))
    raise ValueError(f"{ast.unparse(node)} is not allowed in it")


def _comparison(ways: Sequence[Callable[[Any, Any], bool]], sides: Sequence[Work]) -> Work:
    def work(names: Names, functions: Functions) -> bool:
        worths = [side(names, functions) for side in sides]
        return all(way(a, b) for way, a, b in zip(ways, worths, worths[1:], strict=False))

    return work


def _item(of: Any, index: int) -> Any:
    # A value that is said in a word is its worth here already: GSM-Symbolic asks for it as the pair's second.
    return of if isinstance(of, Fraction) else of[index]


def _checked(found: Any) -> Any:
    if isinstance(found, Fraction) and (abs(found) > MOST or found.denominator > MOST):
        _too_large()
    return found


def _too_large() -> Any:
    raise ValueError("a number grows too large")

"""When two values are the same answer, by a policy."""

from collections.abc import Hashable
from fractions import Fraction

import msgspec

from understudy.answers.algebra import Sum
from understudy.answers.numeric import Clock, Value, lowest
from understudy.answers.value import value
from understudy.records import Kind


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The choices of a grader; the defaults are those of the conformance page."""

    percent_either_way: bool = True
    """60% equals 60 and 0.6; else 0.6 alone."""
    rounded: bool = True
    """A correctly rounded decimal equals a gold value that no decimal can write."""
    undeclared: bool = True
    """An answer may be read from a final sentence that does not declare it."""
    judge_cut_off: bool = True
    """A reply cut off after a complete declared answer is judged by it."""


DEFAULT = Policy()


def same(a: str, b: str, kind: Kind = Kind.NUMBER, policy: Policy = DEFAULT) -> bool:
    """The reply's answer `a` is the gold answer `b`.

    >>> same("$1,200.00", "1200"), same("0.84", "84"), same("0.333", "1/3"), same("1/3", "0.333")
    (True, False, True, False)
    """
    x, y = value(a, kind), value(b, kind)
    return x is not None and y is not None and alike(x, y, policy)


def alike(a: Value, b: Value, policy: Policy = DEFAULT) -> bool:
    """The values are equal by the policy; b is the gold one."""
    if a.shape == "several" or b.shape == "several":
        return False
    if "clock" in (a.shape, b.shape):
        return clocks(a, b)
    if a.shape != b.shape:
        return False
    if a.shape != "number":
        return a.key == b.key
    return any(equal(x, a, y, policy) for x, y in pairs(a, b, policy))


def pairs(a: Value, b: Value, policy: Policy) -> list[tuple[Hashable, Hashable]]:
    """The readings to compare: where both have a percent sign, it means the same in both."""
    if a.percent and b.percent or not policy.percent_either_way and (a.percent or b.percent):
        return [(a.key, b.key)]
    return [(x, b.key) for x in (a.key, *a.others)] + [(a.key, y) for y in b.others]


def equal(x: Hashable, a: Value, y: Hashable, policy: Policy) -> bool:
    return x == y or policy.rounded and a.decimals is not None and is_rounding(x, a, y)


def is_rounding(x: Hashable, a: Value, y: Hashable) -> bool:
    """x, as written in a, is y correctly rounded to at least one decimal, and y has no end."""
    exact = y if isinstance(y, Fraction) else y.approximate() if isinstance(y, Sum) else None
    if exact is None or not isinstance(x, Fraction) or isinstance(y, Fraction) and terminates(y):
        return False
    places = (a.decimals or 0) + (2 if a.percent and x == a.key else 0)
    return places >= 1 and abs(exact - x) <= Fraction(1, 2 * 10**places)


def terminates(q: Fraction) -> bool:
    """A decimal can write it."""
    n = q.denominator
    for p in (2, 5):
        while n % p == 0:
            n //= p
    return n == 1


def clocks(a: Value, b: Value) -> bool:
    """Times: 2:30 pm is 14:30, and 2:30 where nothing says am; on the hour it is the bare hour."""
    if isinstance(a.key, Clock) and isinstance(b.key, Clock):
        return a.key.minute == b.key.minute and not hours(a.key).isdisjoint(hours(b.key))
    time, other = (a.key, b) if isinstance(a.key, Clock) else (b.key, a)
    assert isinstance(time, Clock)
    if other.shape == "number":
        return time.minute == 0 and time.hour == other.key
    return other.shape == "ratio" and other.key == lowest((Fraction(time.hour), Fraction(time.minute)))


def hours(time: Clock) -> set[int]:
    """The hours of the day that a time can mean: 2:30 is in the night or in the afternoon, and 14:30 is not."""
    if time.half is not None:
        return {to_24(time.hour, time.half)}
    return {time.hour % 24, (time.hour + 12) % 24} if 1 <= time.hour <= 12 else {time.hour}


def to_24(hour: int, half: str) -> int:
    return hour % 12 + (12 if half == "p" else 0)

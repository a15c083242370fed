"""Exact sums of products: rational numbers, square roots, pi and letters; bounded, never a float."""

from collections.abc import Mapping
from decimal import Decimal
from fractions import Fraction
from functools import cached_property, lru_cache
from math import isqrt

Monomial = tuple[int, tuple[tuple[str, int], ...]]
"""(square-free number under the root, sorted (letter, exponent))"""

ONE: Monomial = (1, ())
MAX_TERMS = 64
MAX_PRODUCT = 256
MAX_BITS = 2048
MAX_EXPONENT = 64
MAX_RADICAND = 10**6
DIGITS = 60
PI = Fraction(Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899"))


class Unclear(Exception):
    """Cannot be evaluated exactly within bounds."""


def guarded(number: Fraction) -> Fraction:
    """The same number, if it is small enough to go on with."""
    if number.numerator.bit_length() > MAX_BITS or number.denominator.bit_length() > MAX_BITS:
        raise Unclear("too large")
    return number


class Sum:
    """An exact value: coefficients by monomial. Equal values have equal keys."""

    def __init__(self, terms: Mapping[Monomial, Fraction]) -> None:
        self.terms = {m: guarded(c) for m, c in terms.items() if c}
        if len(self.terms) > MAX_TERMS:
            raise Unclear("too many terms")

    @cached_property
    def key(self) -> frozenset[tuple[Monomial, Fraction]]:
        return frozenset(self.terms.items())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sum) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    def __repr__(self) -> str:
        return f"Sum({self.terms})"

    def add(self, other: "Sum", sign: int = 1) -> "Sum":
        terms = dict(self.terms)
        for m, c in other.terms.items():
            more, there = (c if sign > 0 else -c), terms.get(m)
            terms[m] = more if there is None else there + more  # arithmetic of Fractions is slow
        return Sum(terms)

    def times(self, other: "Sum") -> "Sum":
        terms: dict[Monomial, Fraction] = {}
        if len(self.terms) * len(other.terms) > MAX_PRODUCT:
            raise Unclear("too many terms")
        for m, c in self.terms.items():
            for n, d in other.terms.items():
                factor, product = multiply(m, n)
                more, there = guarded(c * d), terms.get(product)
                more = more if factor == 1 else more * factor
                terms[product] = more if there is None else there + more
        return Sum(terms)

    def inverse(self) -> "Sum":
        """1 / self, where self is one term, or a sum of roots: 1 / (1 + sqrt 2) = sqrt 2 - 1."""
        if len(self.terms) != 1:
            other = self.conjugate()
            return self.times(other).inverse().times(other)
        ((root, letters), c) = next(iter(self.terms.items()))
        return Sum({(root, tuple((name, -e) for name, e in letters)): 1 / (c * root)})

    def conjugate(self) -> "Sum":
        """With the other sign before one of its roots (or i), so that the product of both has it no more."""
        if any(name != "i" for _, letters in self.terms for name, _ in letters):
            raise Unclear("division by a sum")
        imaginary = any(letters for _, letters in self.terms)
        p = smallest_factor(max(r for r, _ in self.terms))
        return Sum({m: -c if (m[1] if imaginary else m[0] % p == 0) else c for m, c in self.terms.items()})

    @property
    def rational(self) -> Fraction | None:
        """As a fraction, if it is one."""
        if not self.terms:
            return Fraction(0)
        return self.terms.get(ONE) if len(self.terms) == 1 else None

    def approximate(self) -> Fraction | None:
        """To some sixty digits; None where a letter other than pi is in it."""
        total = Fraction(0)
        for (root, letters), c in self.terms.items():
            if any(name != "pi" for name, _ in letters) or root < 0:
                return None
            term = c * Fraction(isqrt(root * 10 ** (2 * DIGITS)), 10**DIGITS)
            for _, e in letters:
                term *= PI**e
            total += term
        return total


def number(value: Fraction | int) -> Sum:
    return Sum({ONE: value if isinstance(value, Fraction) else Fraction(value)})


@lru_cache(maxsize=256)
def letter(name: str) -> Sum:
    return Sum({(1, ((name, 1),)): Fraction(1)})


def multiply(a: Monomial, b: Monomial) -> tuple[int, Monomial]:
    """Product of two monomials as (integer factor, monomial)."""
    if a == ONE or b == ONE:
        return 1, b if a == ONE else a
    out, root = reduced(a[0] * b[0])
    exponents = dict(a[1])
    for name, e in b[1]:
        exponents[name] = exponents.get(name, 0) + e
    turns = exponents.pop("i", 0) % 4
    if turns % 2:
        exponents["i"] = 1
    out = -out if turns >= 2 else out
    if any(abs(e) > MAX_EXPONENT for e in exponents.values()):
        raise Unclear("exponent too large")
    return out, (root, tuple(sorted((name, e) for name, e in exponents.items() if e)))


def reduced(n: int) -> tuple[int, int]:
    """(a, b) with n = a * a * b and b square-free."""
    if n > MAX_RADICAND:
        whole = isqrt(n)
        if whole * whole == n:
            return whole, 1
        raise Unclear("root of a large number")
    out, p = 1, 2
    while p * p <= n:
        while n % (p * p) == 0:
            n //= p * p
            out *= p
        p += 1
    return out, n


def smallest_factor(n: int) -> int:
    """The smallest prime that divides n, which is more than 1."""
    return next((p for p in range(2, isqrt(n) + 1) if n % p == 0), n)


def root(value: Sum) -> Sum:
    """Square root of a rational number."""
    q = value.rational
    if q is None:
        raise Unclear("root of a sum")
    if q < 0:
        return root(number(-q)).times(letter("i"))
    out, radicand = reduced(q.numerator * q.denominator)
    return Sum({(radicand, ()): Fraction(out, q.denominator)})


def power(base: Sum, exponent: Sum) -> Sum:
    """base ** exponent for small whole exponents and halves."""
    e = exponent.rational
    if e is None:
        raise Unclear("exponent not a number")
    if e.denominator == 2:
        return power(root(base), number(2 * e))
    if e.denominator != 1 or abs(e) > 1024:
        raise Unclear("exponent out of bounds")
    if e < 0:
        return power(base, number(-e)).inverse() if base.terms else zero_division()
    q = base.rational
    if q is not None:
        if max(q.numerator.bit_length(), q.denominator.bit_length()) * e > MAX_BITS:
            raise Unclear("too large")
        return number(Fraction(q.numerator ** int(e), q.denominator ** int(e)))
    if e > MAX_EXPONENT or len(base.terms) > 1 and e > 8:
        raise Unclear("power of a sum")
    out = number(1)
    for _ in range(int(e)):
        out = out.times(base)
    return out


def zero_division() -> Sum:
    raise Unclear("division by zero")


def divide(a: Sum, b: Sum) -> Sum:
    if not b.terms:
        raise Unclear("division by zero")
    if len(b.terms) > 1 and any(name != "i" for _, letters in b.terms for name, _ in letters):
        return quotient(a, b)
    return a.times(b.inverse())


def quotient(a: Sum, b: Sum) -> Sum:
    """a / b for polynomials, where nothing remains."""
    names = sorted({name for s in (a, b) for _, letters in s.terms for name, _ in letters})
    if any(root != 1 or e < 0 for s in (a, b) for root, letters in s.terms for _, e in letters):
        raise Unclear("division by a sum")

    def leading(s: Sum) -> Sum:
        monomial = max(s.terms, key=lambda m: [dict(m[1]).get(name, 0) for name in names])
        return Sum({monomial: s.terms[monomial]})

    out, rest, divisor = number(0), a, leading(b).inverse()
    while rest.terms:
        part = leading(rest).times(divisor)
        if any(e < 0 for _, letters in part.terms for _, e in letters):
            raise Unclear("division with a remainder")
        out, rest = out.add(part), rest.add(part.times(b), -1)
    return out

"""Words around numbers: what is a unit, what changes the number, and which units can be turned into each other."""

from fractions import Fraction

NOT_UNITS = frozenset(
    "of so thus then is are was were be and hence therefore that because since or but plus minus times where to sqrt "
    "equals equal means gives give gave makes make made as has have had gets get got we he she it they you "
    "which".split()
)
"""Words that end a unit: what follows is another thought."""
LEADS = frozenset("so thus then is and hence therefore that because since means gives but or equation where".split())
"""Words after which a bare number may be a left side; after others ("week 1 = ...") it is a label."""
RANGES = frozenset(
    "week day month year page step question level grade chapter item part row case problem number hour round".split()
)
"""What is counted with a range: weeks 1-2 = ..."""
SCALES = frozenset("one ten dozen hundred thousand million billion trillion k score pair percent pct".split())
"""Units that change the number."""
CHANGES = frozenset("off more less fewer than half twice thrice double triple squared cubed doubled halved".split())
"""Words behind a number that say another number is meant: 20% off = ..."""
WORKS = frozenset(
    "plus minus times per less over root twice thrice half double triple than from negative sqrt log quotient modulo "
    "mod add subtract average mean median sum product difference ratio remainder percent square".split()
)
"""Words before arithmetic that may belong to it: 5 plus 3 * 4 = ..., the average of 3 + 5 = 4."""
PARTS = frozenset("half third quarter fourth fifth sixth seventh eighth ninth tenth hundredth thousandth".split())
"""Before "of", words that multiply."""
DONE_BY = frozenset("multiplied divided increased decreased reduced multiply divide increase decrease reduce".split())
"""Before "by", words of arithmetic."""
UNITS = {
    name: spellings.split()[0]
    for spellings in (
        "second sec s|minute min|hour hr h|day|week|month|year yr|decade|century centurie|inch inche in|foot feet ft|"
        "yard yd|mile mi|mm millimeter millimetre|cm centimeter centimetre|m meter metre|km kilometer kilometre|"
        "ounce oz|pound lb|ton tonne|milligram mg|gram g|kilogram kg kilo|teaspoon tsp|tablespoon tbsp|cup|pint pt|"
        "quart qt|gallon gal|milliliter millilitre ml|liter litre l|dollar buck usd|cent penny pennie c|nickel|dime|"
        "quarter|bit|byte b|kilobyte kb|megabyte mb|gigabyte gb|terabyte tb|watt w wh|"
        "kilowatt kw kwh"
    ).split("|")
    for name in spellings.split()
}
"""Spellings of units, without plural, and the unit meant."""
CONVERSIONS: dict[tuple[str, str], tuple[int, ...]] = {
    (a, b): tuple(map(int, factors.split(",")))
    for a, b, factors in (
        entry.split()
        for entry in (
            "minute second 60|hour minute 60|hour second 3600|day hour 24,12,8|day minute 1440|day second 86400|"
            "week day 7,5|week hour 168,40|week minute 10080|month day 30,31,28,29|month week 4|year month 12|"
            "year week 52|year day 365,366,360|year hour 8760|decade year 10|century year 100|century decade 10|"
            "quarter month 3|year quarter 4|foot inch 12,144,1728|yard foot 3,9,27|yard inch 36|mile foot 5280|"
            "mile yard 1760|mile inch 63360|cm mm 10,100|m cm 100,10000,1000000|m mm 1000|km m 1000,1000000|"
            "km cm 100000|pound ounce 16|ton pound 2000|ton kilogram 1000|kilogram gram 1000|gram milligram 1000|"
            "tablespoon teaspoon 3|cup tablespoon 16|cup teaspoon 48|cup ounce 8|pint cup 2|pint ounce 16|quart pint 2|"
            "quart cup 4|quart ounce 32|gallon quart 4|gallon pint 8|gallon cup 16|gallon ounce 128|"
            "liter milliliter 1000|dollar cent 100|nickel cent 5|dime cent 10|quarter cent 25|dollar nickel 20|"
            "dollar dime 10|dollar quarter 4|byte bit 8|kilobyte byte 1000,1024|megabyte kilobyte 1000,1024|"
            "gigabyte megabyte 1000,1024|terabyte gigabyte 1000,1024|kilowatt watt 1000"
        ).split("|")
    )
}
"""How many of the second unit make one of the first; squares and cubes of lengths and working days too."""


def stem(word: str) -> str:
    """The word without case and plural: Hours to hour."""
    return word.lower().removesuffix("s")


def convertible(left: frozenset[str], right: frozenset[str], x: Fraction, y: Fraction, *, sums: bool) -> bool:
    """Turning units into each other may explain why x and y differ: 2 hours = 120 minutes.

    `sums`: something is added, so 5 feet + 6 inches can be any number.
    """
    here, there = {UNITS[u] for u in left if u in UNITS}, {UNITS[u] for u in right if u in UNITS}
    both = here | there
    if not both:
        return False
    ratio = max(x / y, y / x) if x and y else Fraction(0)
    for (a, b), factors in CONVERSIONS.items():
        if a in both and b in both and (sums or ratio in factors):
            return True
        one_sided = (here ^ there) - {"dollar"}  # $ is left out where one pleases
        if ratio in factors and (a in one_sided or b in one_sided):
            return True
    return False

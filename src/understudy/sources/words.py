"""Words that problems are made of: people, things, and numbers as they are said, each with what it is worth."""

from fractions import Fraction
from typing import Any

COUNTED = dict(enumerate(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty".split()
))  # fmt: skip
WOMEN = ("Ada Amina Beatriz Chloe Dilnoza Elif Farida Greta Hana Ingrid Jamila Keiko Leila Malin Nadia Olga Priya "
         "Rosa Salma Tamsin Ulla Vera Wanjiru Xiomara Yara Zofia").split()  # fmt: skip
MEN = ("Aaron Bilal Chidi Dmitri Emeka Farid Giorgos Hugo Ivan Jonas Karim Liam Mateo Nikhil Omar Pavel Quentin Rafael "
       "Sanjay Tomas Umar Viktor Wei Yusuf Zane").split()  # fmt: skip


def _parts(*said: tuple[str, str]) -> list[tuple[str, Fraction]]:
    return [(word, Fraction(number)) for word, number in said]


WRITTEN = _parts(("1/2", "1/2"), ("1/3", "1/3"), ("1/4", "1/4"), ("1/5", "1/5"), ("2/3", "2/3"), ("3/4", "3/4"),
                 ("2/5", "2/5"), ("3/5", "3/5"), ("1/10", "1/10"))  # fmt: skip
NAMED = _parts(("half", "1/2"), ("one-third", "1/3"), ("one-fourth", "1/4"), ("one-fifth", "1/5"),
               ("two-thirds", "2/3"), ("three-fourths", "3/4"), ("two-fifths", "2/5"),
               ("three-fifths", "3/5"))  # fmt: skip
TIMES = _parts(("two times", "2"), ("three times", "3"), ("four times", "4"), ("five times", "5"), ("six times", "6"))
LISTS: dict[str, list[Any]] = {
    "names": [*WOMEN, *MEN],
    "names_female": WOMEN,
    "names_male": MEN,
    "currencies_sym": ["$", "€", "£"],
    "colors": ["red", "blue", "green", "yellow", "purple", "orange", "white", "black"],
    "fruits": ["apple", "banana", "kiwi", "mango", "pear", "plum", "papaya"],
    "sports": ["basketball", "football", "tennis", "volleyball", "hockey"],
    "cities": ["Accra", "Lima", "Oslo", "Porto", "Quito", "Turku"],
    "weekdays": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "weights_sm": ["ounce", "gram"],
    "weights_med": ["pound", "kilogram"],
    "length_lg": ["mile", "kilometer"],
    "multiple": _parts(("double", "2"), ("triple", "3"), ("quadruple", "4")),
    "multiple_ice": _parts(("twice", "2"), ("thrice", "3")),
    "multi_times": TIMES,
    "fractions": [*WRITTEN, *NAMED],
    "fraction_nums": WRITTEN,
    "fraction_alnum": [*WRITTEN, *NAMED],
    "fraction_alph": NAMED,
    "fraction_decimals": _parts(("0.1", "1/10"), ("0.2", "1/5"), ("0.25", "1/4"), ("0.5", "1/2"), ("0.75", "3/4")),
}
"""By the names that the templates of GSM-Symbolic give their lists."""

"""The checks that people write first: `declared`, the last number that is declared as the answer; `last`, the last
number of all.
"""

import re
import sys

from serve import serve

DECLARED = re.compile(r"(?:####|\\boxed\{|answer is|answer:)[\s*$:\\]*(-?[\d,]*\.?\d+)", re.IGNORECASE)
NUMBER = re.compile(r"-?\d[\d,]*\.?\d*|-?\.\d+")


def declared(text, gold):
    found = DECLARED.findall(text)
    return bool(found) and same(found[-1], gold)


def last(text, gold):
    found = NUMBER.findall(text)
    return bool(found) and same(found[-1], gold)


def same(said, gold):
    said, gold = said.replace(",", ""), gold.replace(",", "").lstrip("$")
    if said == gold:
        return True
    try:
        return float(said) == float(gold)
    except ValueError:
        return False


serve({"declared": declared, "last": last}[sys.argv[1]], "")

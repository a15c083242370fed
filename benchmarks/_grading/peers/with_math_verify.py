"""Math-Verify as its README has it: `verify(parse(gold), parse(text))`; a gold answer in LaTeX gets the
dollars that it needs.
"""

from math_verify import parse, verify
from serve import in_dollars, serve, version


def says(text, gold):
    return verify(parse(in_dollars(gold)), parse(text))


serve(says, version("math-verify"))

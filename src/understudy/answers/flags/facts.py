"""What everybody knows of numbers and things: which numbers need no source, and what is never counted in parts."""

import re

SMALLEST = frozenset((0, 1, 2, 3, 4, 100))
"""Counted at a glance, or said by half, twice, all."""
SAID = {
    5: "nickel weekday workday school friday finger toe business letter",
    6: "die dice cube hexagon insect bee ant bug letter saturday sunday",
    7: "week daily every letter",
    8: "gallon pint cup ounce octagon octopus spider work shift full sleep",
    10: "dime decade mm millimeter millimetre finger toe",
    12: "dozen month year inch foot feet clock noon midnight am pm",
    14: "week fortnight stone day",
    16: "ounce pound cup gallon oz lb",
    20: "score nickel dollar finger toe",
    24: "hour day midnight",
    25: "quarter",
    26: "letter alphabet week year",
    28: "feb month week",
    29: "feb leap",
    30: "month day april june sept nov half hour",
    31: "month day jan mar may jul aug oct dec",
    32: "ounce quart freez",
    36: "yard inch",
    40: "week",
    48: "hour state",
    50: "state half % percent",
    52: "card deck week year",
    60: "minute hour second min hr",
    64: "ounce gallon",
    90: "right angle degree quarter",
    128: "ounce gallon",
    144: "gross square",
    168: "hour week",
    180: "angle degree triangle turn",
    200: "%",
    270: "degree angle",
    360: "degree angle circle turn year",
    365: "year day",
    366: "leap",
    1000: "kilo kg km gram liter litre meter metre thousand ml mg k",
    1024: "byte mb gb kb",
    1440: "minute day",
    1760: "yard mile",
    2000: "ton",
    3600: "second hour",
    5280: "feet foot mile",
    10000: "square hectare",
    0.01: "% percent cent penn",
    0.05: "nickel",
    0.1: "dime % tenth",
    0.25: "quarter fourth",
    0.33: "third",
    0.5: "half",
    0.75: "quarter fourth",
    1.5: "half",
    3.14: "circ radius diameter round",
}
FACTS: dict[float, tuple[bytes, ...]] = {n: tuple(f" {word}".encode() for word in s.split()) for n, s in SAID.items()}
"""Numbers that need no source where a word begins so: units, calendar, angles, coins."""
FACT_WORDS = {word: {n for n, words in FACTS.items() if word in words} for words in FACTS.values() for word in words}
CALENDAR = (
    (re.compile(rb" (?:january|february|march|april|may|june|july|august|september|october|november|december)\b"), 12),
    (re.compile(rb" (?:mon|tues|wednes|thurs|fri|satur|sun)days?\b"), 7),
)
"""Between two of these lie at most so many months or days."""
IMPLIED = {
    "couple": 2, "double": 2, "pair": 2, "twice": 2, "thrice": 3, "triangle": 3, "triple": 3, "quadruple": 4,
    "friday": 5, "nickel": 5, "nickels": 5, "pentagon": 5, "quintuple": 5, "weekday": 5, "weekdays": 5, "bug": 6,
    "cube": 6, "cubes": 6, "dice": 6, "die": 6, "hexagon": 6, "insect": 6, "insects": 6, "seventh": 7, "cup": 8,
    "cups": 8, "gallon": 8, "gallons": 8, "octagon": 8, "octopus": 8, "spider": 8, "spiders": 8, "ninth": 9,
    "dozen": 12, "dozens": 12, "fortnight": 14, "score": 20, "century": 100, "ton": 2000, "tons": 2000,
}  # fmt: skip
"""Words of a question that bring a number."""
MEASURES = frozenset(
    "dozen hours minutes seconds days weeks months years pounds ounces cups gallons liters litres miles kilometers "
    "kilometres meters metres feet inches pieces percent slices boxes bags packs tons grams kilograms acres servings "
    "pairs of do does did are is was were will would can could should has have had the a an in on at if each to".split()
)
"""Words behind which the thing that is counted does not come any more."""
WHOLES = frozenset(
    # people
    "people persons kids children boys girls men women adults babies students pupils classmates teachers friends "
    "guests customers visitors passengers players members workers employees parents siblings brothers sisters sons "
    "daughters cousins grandchildren patients residents voters votes campers soldiers ladies gentlemen teenagers "
    "seniors freshmen drivers tourists fans followers "
    # animals
    "animals pets dogs cats puppies kittens cows horses pigs goats sheep lambs chickens ducks geese hens roosters "
    "turkeys birds parrots rabbits bunnies mice rats frogs toads turtles snakes lizards fish goldfish sharks whales "
    "bears lions tigers elephants monkeys insects bugs bees ants spiders butterflies crickets "
    # things that nobody divides
    "cars trucks buses bicycles bikes boats ships planes trains books magazines comics pens pencils crayons markers "
    "erasers notebooks marbles coins pennies nickels dimes quarters stamps stickers cards dolls toys balloons beads "
    "buttons shirts dresses hats shoes socks gloves coats jackets chairs tables desks beds doors windows lamps houses "
    "rooms computers phones emails letters tickets seats trees flowers roses eggs eyes legs wheels tires dice goals "
    "medals trophies".split()
)
"""What is never counted in parts."""

"""Flags of the text as speech: circles, lists that run away, foreign scripts, broken characters, no reasoning."""

import re
import unicodedata
from collections import Counter
from functools import lru_cache
from itertools import groupby

from understudy.answers.flags.seen import Seen
from understudy.answers.split import Reply
from understudy.records import Kind

LINE_REPEATS = 4
LINE_SHARE = 0.1
"""Of the text, in one line that comes again: code and songs repeat lines, too."""
IN_A_ROW = 4
"""So often nobody says a sentence who does not run in circles."""
GRAM_REPEATS = 8
REPEATED_SHARE = 0.5
"""Of all four-word runs, that were seen before."""
MIN_GRAMS = 24
LOOP = 8 * GRAM_REPEATS
"""Words of a text in which a run of eight can stand there so often."""
LONG_WORDS = 16
"""Characters a word: a script without blanks, or a run of marks."""
SIGN = re.compile(r"[^\W\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\ua4cf\uac00-\ud7af]+|\S")
SPEAKING = re.compile(r"\w")
FULL_STOP = re.compile(r"[\u3002\uff01\uff1f]")
SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[\u3002\uff01\uff1f])\s*|\n")
OTHER_SHARE = 0.02
"""Of the letters, in a script that the question does not use."""
LATIN_BYTES = bytes((*range(0xCE), 0xE2))
"""Of UTF-8 text without letters beyond U+036F; punctuation, signs and letter-like symbols begin with E2."""
SYMBOL = re.compile(r"(?<![\u0370-\u03ff])[\u0370-\u03ff]{1,2}(?![\u0370-\u03ff])")
"""A Greek letter or two: a name in a formula."""
LANGUAGE = re.compile(
    r"translat|\b(?:chinese|mandarin|cantonese|japanese|korean|russian|ukrainian|bulgarian|greek|arabic|persian|farsi|urdu|hindi"
    r"|bengali|hebrew|yiddish|thai|armenian|georgian|tamil|kanji|hiragana|katakana|cyrillic|sanskrit)\b",
    re.IGNORECASE,
)
SHORT = 30
"""Words of a reply that can hold no reasoning."""
WORD = re.compile(r"\w+|[^\w\s]")
CALCULATION = re.compile(r"\d\s*[+*\u00d7\u00f7]\s*\$?\d|\d\s+[-/x\u2212]\s+\$?\d")
ENTRY = re.compile(r"(\S+)\s+(\S+)\s*[$\u20ac\u00a3]?(\d[\d,.]*)([a-z]+)\b")
SHAPE = bytes(ord("0" if chr(c).isdigit() else "a" if chr(c).islower() else " ") if c < 128 else 32 for c in range(256))
ENTRIES = 4
"""Lines of one template that make a list."""
UNITS = frozenset(
    "am pm st nd rd th km cm mm nm um dm mi ft in yd kg mg ug lb lbs oz ml cl dl gb mb kb tb pb hz khz mhz ghz kw mw "
    "gw kwh wh mv kv ma mah ms ns us sec secs min mins hr hrs wk wks mo mos yr yrs yo mph kph kmh kmph rpm bpm fps dpi "
    "ppm psi px pt pts em rem vh vw pcs pc pp bn mn tn cc cal cals kcal kj gal gals qt qts tbsp tsp doz dz ct cts usd "
    "eur gbp rs inr bit bits bp db ha ac sq cu deg rad mol atm pa kpa hpa bar nt wt ply".split()
)
VOWEL = re.compile(r"[aeiouy]")
READ_AS = "".join(sorted({c for b in range(0x80, 0xC0) for c in (chr(b), *bytes([b]).decode("cp1252", "ignore"))}))
"""What the further bytes of a UTF-8 character turn into when they are read as Latin-1 or Windows-1252."""
MOJIBAKE = re.compile(
    f"\ufffd|\u00c3[{READ_AS}]|\u00c2[\u0080-\u00bf]|\u00f0[\u009f\u0178][{READ_AS}]|(?:[\u00d0\u00d1][{READ_AS}]){{2}}"
    f"|\u00e2[\u0080-\u009f\u20ac\u201a\u201e\u2020\u02c6\u2030\u0152\u0153\u02dc\u2122][{READ_AS}]|\u00ef\u00bb\u00bf|\u00ef\u00bf\u00bd"
    # Read as Mac Roman, an apostrophe begins with a low quotation mark and a times sign with a root.
    "|\u201a[\u00c4\u00fa\u00f9\u00dc\u00e0][^\\x00-\\x7f]|\u221a[\u00c0-\u00ff\u00a9]"
)


def repeats(seen: Seen) -> bool:
    """It runs in circles: the same sentence again and again, the same lines, or the same words in the same order."""
    return again(seen.plain) and (in_a_row(seen.parts)[1] >= IN_A_ROW or same_lines(seen.plain)) or same_runs(seen)


def again(text: str) -> bool:
    """Some sentence or line may be said `IN_A_ROW` times: a bound that costs a tenth of the count."""
    flat = text.replace("\n", ". ")
    if "!" in flat or "?" in flat or not flat.isprintable() or not flat.isascii() and FULL_STOP.search(flat):
        return True
    said = flat.split(". ")
    if len(said) - len(set(said)) < IN_A_ROW - 2:
        return False
    said = [sentence for sentence in said if sentence]
    return len(said) - len(set(said)) >= IN_A_ROW - 2  # the last one may end otherwise


def in_a_row(parts: Reply) -> tuple[str, int]:
    """The sentence or line that is said most often without a break, and how often."""
    text = f"{parts.thought}\n{parts.reply}" if parts.thought else parts.reply
    said = (sentence.strip() for sentence in SENTENCE.split(text))
    groups = ((sentence, sum(1 for _ in same)) for sentence, same in groupby(s for s in said if s))
    spoken = (group for group in groups if SPEAKING.search(group[0]))
    return max(spoken, key=lambda group: group[1], default=("", 0))


def same_lines(text: str) -> bool:
    """One line stands there again and again, and makes a good part of all."""
    lines = Counter(line.strip() for line in text.splitlines() if SPEAKING.search(line))
    line, times = max(lines.items(), key=lambda said: said[1], default=("", 0))
    return times >= LINE_REPEATS and times * len(line) >= LINE_SHARE * len(text)


def same_runs(seen: Seen) -> bool:
    """Half of the four-word runs were said before, or one of eight words `GRAM_REPEATS` times."""
    words = seen.words
    if len(seen.plain) > LONG_WORDS * (len(words) + 1):
        words = SIGN.findall(seen.plain)
    runs, distinct = len(words) - 3, len(set(words))
    few = runs >= MIN_GRAMS and distinct - 3 < (1 - REPEATED_SHARE) * runs  # each new word makes a new run
    if not few and (len(words) < LOOP or len(words) - distinct < LOOP - 8):
        return False
    if few and len(set(zip(words, words[1:], words[2:], words[3:], strict=False))) < (1 - REPEATED_SHARE) * runs:
        return True
    # Every fourth run of four: of eight times the same eight words, those that begin at one remainder hold the same.
    apart = [*zip(words[::4], words[1::4], words[2::4], words[3::4], strict=False)]
    if len(apart) - len(set(apart)) < GRAM_REPEATS - 4:
        return False
    eights = Counter(zip(*(words[i:] for i in range(8)), strict=False))
    return bool(eights) and max(eights.values()) >= GRAM_REPEATS


def degenerate_list(seen: Seen) -> bool:
    """Entry after entry of one template, with another name and number each time and a unit that is no word."""
    if seen.bytes.translate(SHAPE).count(b"0aa") < ENTRIES:
        return False
    entries = [(slot(a), slot(b), unit, a, b, number) for a, b, number, unit in ENTRY.findall(seen.text) if odd(unit)]
    templates = Counter(entry[:3] for entry in entries)
    return any(
        len({entry[3:] for entry in entries if entry[:3] == template}) >= ENTRIES
        for template, n in templates.items()
        if n >= ENTRIES
    )


def odd(unit: str) -> bool:
    """No unit, and too short or too hard to say to be a word."""
    return len(unit) > 1 and unit not in UNITS and (len(unit) < 4 or not VOWEL.search(unit))


def slot(word: str) -> str:
    """The word as it stands in a template: names and numbers are slots."""
    return "A" if word[:1].isupper() else "0" if word[:1].isdigit() else word


def other_script(seen: Seen) -> bool:
    """Letters of a script that the question neither uses nor asks for; Greek letters in formulas are none."""
    if is_latin(seen.question) and is_latin(seen.text):
        return False
    letters = Counter(script(c) for c in SYMBOL.sub("", seen.text) if c.isalpha())
    known = {script(c) for c in seen.question if c.isalpha()}
    foreign = sum(n for name, n in letters.items() if name not in known)
    return bool(known) and foreign > OTHER_SHARE * letters.total() and not LANGUAGE.search(seen.question)


def is_latin(text: str) -> bool:
    """It holds no letters of other scripts: a bound that costs little."""
    return text.isascii() or not text.encode("utf-8", "replace").translate(None, LATIN_BYTES)


@lru_cache(maxsize=4096)
def script(letter: str) -> str:
    """LATIN, CYRILLIC or CJK, by the letter's Unicode name."""
    return "LATIN" if letter < "\u0370" else unicodedata.name(letter, "?").partition(" ")[0]


def encoding(seen: Seen) -> bool:
    """Characters that were read in the wrong encoding."""
    return not seen.text.isascii() and MOJIBAKE.search(seen.text) is not None


def no_reasoning(seen: Seen) -> bool:
    """A short reply without thought or calculation."""
    if seen.equations or seen.kind is Kind.OPEN or len(seen.words) >= SHORT or seen.parts.thought:
        return False
    return len(WORD.findall(seen.text)) < SHORT and not CALCULATION.search(seen.text)

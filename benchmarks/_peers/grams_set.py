"""The plainest way: the tests' 13-grams in a set of tuples; no normal form, no evidence, no near-exact questions."""

from timed import timed


def grams(text):
    words = text.lower().split()
    return {tuple(words[i : i + 13]) for i in range(len(words) - 12)}


def job(rows):
    tests = set().union(*(grams(row["text"]) for row in rows if row["split"] == "test"))
    train = (row for row in rows if row["split"] == "train")
    return [(row["id"], None) for row in train if not tests.isdisjoint(grams(row["text"]))]


timed(job)

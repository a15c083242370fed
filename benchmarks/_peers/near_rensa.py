"""rensa: R-MinHash and LSH. "words" is its README's example; "runs" gives it runs of five words and takes candidates
for duplicates without a second look, as "R-MinHash + LSH" is mostly used.
"""

from rensa import RMinHash, RMinHashDeduplicator, RMinHashLSH
from timed import timed, word_runs


def job(rows, how):
    return by_words(rows) if how == "words" else by_runs(rows)


def by_words(rows):
    found = RMinHashDeduplicator(threshold=0.8, num_perm=128, use_lsh=True)
    kept = found.add_pairs((row["id"], row["text"].split()) for row in rows)
    return [(row["id"], None) for row, keep in zip(rows, kept, strict=True) if not keep]


def by_runs(rows):
    lsh, found = RMinHashLSH(threshold=0.8, num_perm=128, num_bands=16), []
    for start in range(0, len(rows), 1024):
        some = rows[start : start + 1024]
        sketches = RMinHash.from_token_sets([word_runs(row["text"]) for row in some], num_perm=128, seed=42)
        for i, sketch in enumerate(sketches, start):
            others = lsh.query(sketch)
            if others:
                found.append((rows[i]["id"], rows[min(others)]["id"]))
            else:
                lsh.insert(i, sketch)
    return found


timed(job)

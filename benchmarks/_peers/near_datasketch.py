"""datasketch: MinHash and MinHashLSH with runs of five words, as its documentation shows."""

from datasketch import MinHash, MinHashLSH
from timed import timed, word_runs


def job(rows):
    lsh, found = MinHashLSH(threshold=0.8, num_perm=128), []
    for row in rows:
        sketch = MinHash(num_perm=128)
        sketch.update_batch([run.encode() for run in word_runs(row["text"])])
        others = lsh.query(sketch)
        if others:
            found.append((row["id"], min(others, key=int)))
        else:
            lsh.insert(row["id"], sketch)
    return found


timed(job)

"""datatrove: NGramsDecontFilter with 13-grams. Its indexer needs lighteval: the index is written here."""

import tempfile

import numpy as np
from datatrove.data import Document
from datatrove.pipeline.decont import NGramsDecontConfig, NGramsDecontFilter
from datatrove.utils.logging import logger
from datatrove.utils.text import ngrams, simplify_text
from timed import timed

logger.remove()


def job(rows):
    config = NGramsDecontConfig(n_grams=13)
    with tempfile.TemporaryDirectory() as at:
        step = NGramsDecontFilter(at, config)
        hashes = set()
        for row in rows:
            if row["split"] == "test":
                words = step.tokenizer.word_tokenize(simplify_text(row["text"], config.norm_config))
                hashes.update(step.hash_func(" ".join(gram)) for gram in ngrams(words, 13))
        np.array(list(hashes), dtype=config.hash_config.np_descr).tofile(f"{at}/tests.index.hashes")
        train = [Document(text=row["text"], id=row["id"]) for row in rows if row["split"] == "train"]
        kept = {document.id for document in step.run(iter(train))}
    return [(document.id, None) for document in train if document.id not in kept]


timed(job)

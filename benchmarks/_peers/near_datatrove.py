"""datatrove: its four MinHash stages with their defaults (runs of five words, 14 buckets of 8 hashes), one worker."""

import json
import tempfile
from pathlib import Path

from datatrove.data import Document
from datatrove.executor.local import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupBuckets, MinhashDedupCluster, MinhashDedupFilter, MinhashDedupSignature
from datatrove.pipeline.writers.jsonl import JsonlWriter
from datatrove.utils.logging import logger
from timed import timed

logger.remove()


def job(rows):
    def documents():
        return [Document(text=row["text"], id=row["id"]) for row in rows]

    with tempfile.TemporaryDirectory() as at:
        gone = JsonlWriter(f"{at}/gone", output_filename="${rank}.jsonl", compression=None)
        stages = (
            ([documents(), MinhashDedupSignature(f"{at}/signatures")], 1),
            ([MinhashDedupBuckets(f"{at}/signatures", f"{at}/buckets")], 14),
            ([MinhashDedupCluster(f"{at}/buckets", f"{at}/remove")], 1),
            ([documents(), MinhashDedupFilter(f"{at}/remove", exclusion_writer=gone)], 1),
        )
        for number, (pipeline, tasks) in enumerate(stages):
            LocalPipelineExecutor(pipeline, tasks=tasks, workers=1, logging_dir=f"{at}/logs/{number}").run()
        lines = [line for path in Path(f"{at}/gone").glob("*.jsonl") for line in path.open(encoding="utf-8")]
        return [(json.loads(line)["id"], None) for line in lines]


timed(job)

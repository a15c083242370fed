"""What the drivers share: their flags, prompts in, rows out. Runs in any environment; counts for nobody."""

import argparse
import json
import os

parser = argparse.ArgumentParser()
parser.add_argument("--url", required=True)
parser.add_argument("--prompts", required=True, help="JSONL of id and question")
parser.add_argument("--out", required=True, help="JSONL of id and text, or error")
parser.add_argument("--width", type=int, default=64, help="requests in flight")
parser.add_argument("--limit", type=int, help="first so many prompts")
parser.add_argument("--work", required=True, help="folder for caches")
parser.add_argument("--max-tokens", type=int, default=1024)
parser.add_argument("--timeout", type=int, default=120)
flags = parser.parse_args()
# Nothing of a user's own, and no look outside.
os.environ.update(HOME=flags.work, HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", TELEMETRY_ENABLED="false")
os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", OPENAI_API_KEY="none", MOCK_API_KEY="none", COLUMNS="120")


def load():
    """The rows to ask."""
    with open(flags.prompts, encoding="utf-8") as file:
        return [json.loads(line) for line in file][: flags.limit]


def save(rows):
    """What came back, in their order."""
    with open(flags.out, "w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")

"""A curator.LLM block with its OpenAI backend, its limits raised out of the way."""

import glob
import os
import sys

from driver import flags, load, save

os.environ["CURATOR_CACHE_DIR"] = flags.work
# litellm brings the tokenizer's file along; without it tiktoken looks for it in the net.
found = glob.glob(f"{sys.prefix}/lib/python*/site-packages/litellm/litellm_core_utils/tokenizers")
os.environ["TIKTOKEN_CACHE_DIR"] = (found or [flags.work])[0]

from bespokelabs import curator  # noqa: E402


class Teacher(curator.LLM):
    def prompt(self, row):
        return row["question"]

    def parse(self, row, response):
        return {"id": row["id"], "text": response}


if __name__ == "__main__":
    teacher = Teacher(
        model_name="mock",
        backend="openai",
        generation_params={"temperature": 0.7, "max_tokens": flags.max_tokens},
        backend_params={
            "base_url": flags.url,
            "max_requests_per_minute": 10_000_000,
            "max_tokens_per_minute": 100_000_000_000,
            "max_concurrent_requests": flags.width,
            "request_timeout": flags.timeout,
            "require_all_responses": False,
        },
    )
    save(teacher([{"id": row["id"], "question": row["question"]} for row in load()]).dataset)

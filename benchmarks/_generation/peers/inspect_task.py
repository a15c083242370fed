"""An inspect-ai task with the generate() solver and its provider for OpenAI-compatible servers."""

import os

from driver import flags, load, save

os.environ["MOCK_BASE_URL"] = flags.url

if __name__ == "__main__":
    from inspect_ai import Task, eval
    from inspect_ai.dataset import MemoryDataset, Sample
    from inspect_ai.model import GenerateConfig
    from inspect_ai.solver import generate

    task = Task(
        dataset=MemoryDataset([Sample(id=row["id"], input=row["question"], target="1") for row in load()]),
        solver=generate(),
        config=GenerateConfig(
            temperature=0.7, max_tokens=flags.max_tokens, max_connections=flags.width, timeout=flags.timeout
        ),
    )
    logs = eval(
        task,
        model="openai-api/mock/mock",
        log_dir=flags.work,
        display="none",
        max_samples=flags.width,
        fail_on_error=False,
    )
    save({"id": s.id, "text": s.output.completion if s.output else None} for s in logs[0].samples or [])

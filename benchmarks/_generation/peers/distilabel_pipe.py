"""A distilabel pipeline: LoadDataFromDicts, then TextGeneration with OpenAILLM; its batch is what is in flight."""

from driver import flags, load, save

if __name__ == "__main__":
    from distilabel.models import OpenAILLM
    from distilabel.pipeline import Pipeline
    from distilabel.steps import LoadDataFromDicts
    from distilabel.steps.tasks import TextGeneration

    with Pipeline(name="bench", cache_dir=flags.work) as pipeline:
        rows = [{"id": row["id"], "instruction": row["question"]} for row in load()]
        teacher = OpenAILLM(
            model="mock",
            base_url=flags.url,
            api_key="none",
            timeout=flags.timeout,
            generation_kwargs={"max_new_tokens": flags.max_tokens, "temperature": 0.7},
        )
        source = LoadDataFromDicts(data=rows, batch_size=flags.width)
        source >> TextGeneration(llm=teacher, input_batch_size=flags.width)
    found = pipeline.run(use_cache=True)["default"]["train"]
    save({"id": row["id"], "text": row["generation"]} for row in found)

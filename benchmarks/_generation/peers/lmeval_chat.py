"""lm-eval's local-chat-completions model through its generate_until; no task, no metrics."""

from driver import flags, load, save

from lm_eval.api.instance import Instance  # isort: skip
from lm_eval.models.openai_completions import LocalChatCompletion  # isort: skip

rows = load()
model = LocalChatCompletion(
    base_url=f"{flags.url}/chat/completions",
    model="mock",
    num_concurrent=flags.width,
    timeout=flags.timeout,
    tokenized_requests=False,
)
contexts = [model.apply_chat_template([{"role": "user", "content": row["question"]}]) for row in rows]
how = {"until": [], "max_gen_toks": flags.max_tokens, "temperature": 0.7, "do_sample": True}
asked = [Instance("generate_until", {}, (context, how), i) for i, context in enumerate(contexts)]
save({"id": row["id"], "text": text} for row, text in zip(rows, model.generate_until(asked), strict=True))

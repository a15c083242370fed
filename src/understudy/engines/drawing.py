"""Rollouts to train on: token by token, each row gone as soon as it has ended.

The random numbers of a rollout come from (seed, prompt, number) alone: one for each token, which chooses from the
cumulated probabilities. Prompts are read once for all their samples.
"""

import hashlib
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor
from transformers import DynamicCache

from understudy import render
from understudy.engines.base import Drawn
from understudy.records import Prompt, Sample, Sampling, Stop
from understudy.student import Loaded

SHRINK = 0.75
"""Rows that have ended are taken out once no more than this share is left."""


class Drawing:
    """Draws rollouts from a model as it is at that moment."""

    def __init__(self, loaded: Loaded, batch: int) -> None:
        self.model, self.tokenizer = loaded
        self.batch = batch
        ends = self.model.generation_config.eos_token_id or self.tokenizer.eos_token_id
        self.ends = torch.tensor(ends, device=self.model.device).reshape(-1)
        self.pad = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else int(self.ends[0])

    @torch.no_grad()  # type: ignore[untyped-decorator]
    def __call__(self, prompts: Sequence[Prompt], sampling: Sampling) -> list[Drawn]:
        """`sampling.n` rollouts of each prompt, in (prompt, number) order; `top_p` and `stop` are not looked at."""
        ids = [render.prompt_ids(p.messages, self.tokenizer, p.prefill) for p in prompts]
        shortest_first = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
        training = self.model.training
        self.model.eval()
        found: dict[tuple[int, int], Drawn] = {}
        together = max(1, self.batch // sampling.n)
        for at in range(0, len(ids), together):
            some = [(i, ids[i]) for i in shortest_first[at : at + together]]
            for i, number, reply in self._batch(some, prompts, sampling):
                found[i, number] = self._drawn(i, number, prompts[i], ids[i], reply)
        self.model.train(training)
        return [found[i, number] for i in range(len(prompts)) for number in range(sampling.n)]

    def _batch(
        self, asked: list[tuple[int, list[int]]], prompts: Sequence[Prompt], sampling: Sampling
    ) -> Iterator[tuple[int, int, list[int]]]:
        """Prompt, number and reply of each row."""
        rows = [(i, number) for i, _ in asked for number in range(sampling.n)]
        most, device = sampling.max_tokens, self.model.device
        chances = torch.stack([_chances(sampling, prompts[i].id, number) for i, number in rows]).to(device)  # (B, N)
        replies = torch.full((len(rows), most), self.pad, device=device)
        lengths = torch.full((len(rows),), most, device=device)
        cache, mask, logits = self._read([ids for _, ids in asked], sampling.n)
        live = torch.arange(len(rows), device=device)  # rows that are still read; some of them may have ended
        for n in range(most):
            drawn = _choose(logits, chances[live, n], sampling.temperature)  # (B')
            replies[live, n] = drawn
            ended = live[torch.isin(drawn, self.ends)]
            lengths[ended] = lengths[ended].clamp_max(n + 1)
            going = lengths[live] > n + 1
            if n + 1 == most or not bool(going.any()):
                break
            if int(going.sum()) <= SHRINK * len(live):
                cache.batch_select_indices(going.nonzero()[:, 0])
                live, mask, drawn = live[going], mask[going], drawn[going]
            mask = torch.cat([mask, mask.new_ones(len(live), 1)], dim=1)
            logits = self._next(drawn[:, None], mask, cache)
        for (i, number), reply, length in zip(rows, replies.tolist(), lengths.tolist(), strict=True):
            yield i, number, reply[:length]

    def _read(self, asked: list[list[int]], n: int) -> tuple[DynamicCache, Tensor, Tensor]:
        """The prompts, read once and repeated `n` times: cache, attention mask, logits of the first token."""
        width, device = max(map(len, asked)), self.model.device
        tokens = torch.tensor([[self.pad] * (width - len(ids)) + ids for ids in asked], device=device)
        mask = torch.tensor([[0] * (width - len(ids)) + [1] * len(ids) for ids in asked], device=device)
        cache = DynamicCache(config=self.model.config)
        logits = self._next(tokens, mask, cache)
        cache.batch_repeat_interleave(n)
        return cache, mask.repeat_interleave(n, 0), logits.repeat_interleave(n, 0)

    def _next(self, tokens: Tensor, mask: Tensor, cache: DynamicCache) -> Tensor:
        """(B, V) logits after the last of these tokens."""
        at = (mask.cumsum(1) - 1).clamp_min(0)[:, -tokens.shape[1] :]
        out = self.model(
            input_ids=tokens,
            attention_mask=mask,
            position_ids=at,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
        return out.logits[:, -1]

    def _drawn(self, i: int, number: int, prompt: Prompt, asked: list[int], reply: list[int]) -> Drawn:
        ended = reply[-1] in self.ends
        text = str(self.tokenizer.decode(reply[:-1] if ended else reply, skip_special_tokens=True))
        sample = Sample(
            text=prompt.prefill + text,
            stop=Stop.END if ended else Stop.LENGTH,
            tokens_in=len(asked),
            tokens_out=len(reply),
        )
        return Drawn(i, number, asked, reply, sample)


def _choose(logits: Tensor, chance: Tensor, temperature: float) -> Tensor:
    """(B) the first token whose cumulated probability exceeds the row's chance; at temperature 0 the likeliest."""
    if temperature == 0:
        return logits.argmax(-1)
    cumulated = (logits.double() / temperature).softmax(-1).cumsum(-1)
    at = torch.searchsorted(cumulated, chance[:, None] * cumulated[:, -1:], right=True)[:, 0]
    return at.clamp_max(logits.shape[-1] - 1)


def _chances(sampling: Sampling, prompt: str, number: int) -> Tensor:
    """(N) uniform in [0, 1), one for each token of a rollout."""
    words = f"{sampling.seed}/{prompt}/{number}".encode()
    seed = int.from_bytes(hashlib.sha256(words).digest()[:8], "big") >> 1
    return torch.rand(sampling.max_tokens, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)

"""The student in this process: Transformers' generate over batches of like length.

The batch is the unit of reproducibility: batches are fixed by (prompts, sampling) and sampled whole, and the random
numbers of a sample come from (seed, prompt, sample number) alone.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor
from transformers import (
    GenerationConfig,
    LogitsProcessor,
    LogitsProcessorList,
    StoppingCriteria,
    StoppingCriteriaList,
    TopPLogitsWarper,
)

from understudy import render
from understudy.engines.base import Sampled, Scored, Wanted, always
from understudy.records import Prompt, Sample, Sampling, Stop
from understudy.student import Loaded


class Local:
    """An engine around a loaded model."""

    def __init__(self, loaded: Loaded, name: str, batch: int = 64) -> None:
        self.name = name
        self.batch = batch
        self.model, self.tokenizer = loaded
        self.model.eval()

    def sample(self, prompts: Sequence[Prompt], sampling: Sampling, wanted: Wanted = always) -> Iterator[Sampled]:
        """Samples batch by batch, shortest prompts first; a batch of which nothing is wanted is not drawn."""
        ids = [render.prompt_ids(p.messages, self.tokenizer, p.prefill) for p in prompts]
        shortest_first = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
        wishes = [(i, number) for i in shortest_first for number in range(sampling.n)]
        for at in range(0, len(wishes), self.batch):
            batch = wishes[at : at + self.batch]
            if any(wanted(i, number) for i, number in batch):
                yield from self._draw(batch, prompts, ids, sampling)

    @torch.inference_mode()
    def score(self, pairs: Sequence[tuple[Prompt, str]]) -> Iterator[Scored]:
        """Log-probabilities of each text after its prompt, shortest first; what is longer than the context is cut."""
        begun = [render.prompt_ids(p.messages, self.tokenizer, p.prefill) for p, _ in pairs]
        whole = [render.prompt_ids(p.messages, self.tokenizer, p.prefill + text) for p, text in pairs]
        most = self.model.config.max_position_embeddings
        order = sorted(range(len(pairs)), key=lambda i: (len(whole[i]), i))
        for at in range(0, len(order), self.batch):
            batch = order[at : at + self.batch]
            width = min(most, max(len(whole[i]) for i in batch))
            pad = self.tokenizer.eos_token_id or 0  # behind the text, where no token before it looks
            rows = [(whole[i] + [pad] * width)[:width] for i in batch]
            tokens = torch.tensor(rows, device=self.model.device)  # (B, T)
            logits = self.model(input_ids=tokens).logits[:, :-1].float()  # (B, T-1, V)
            each = logits.log_softmax(-1).gather(-1, tokens[:, 1:, None])[..., 0].tolist()
            for row, i in enumerate(batch):
                yield Scored(i, tuple(each[row][len(begun[i]) - 1 : len(whole[i]) - 1]))

    def layer(self, depth: float) -> int:
        """The layer at that share of all: 0 = the embedding."""
        return round(depth * int(self.model.config.num_hidden_layers))

    @torch.inference_mode()
    def states(self, prompts: Sequence[Prompt], layer: int) -> list[list[float]]:
        """[N, D] what the model makes of each prompt at its last token, after that layer."""
        ids = [render.prompt_ids(p.messages, self.tokenizer, p.prefill) for p in prompts]
        found: list[list[float]] = [[] for _ in ids]
        order = sorted(range(len(ids)), key=lambda i: (len(ids[i]), i))
        for at in range(0, len(order), self.batch):
            batch = order[at : at + self.batch]
            width = max(len(ids[i]) for i in batch)
            pad = self.tokenizer.eos_token_id or 0  # behind the prompt, where no token before it looks
            tokens = torch.tensor([ids[i] + [pad] * (width - len(ids[i])) for i in batch], device=self.model.device)
            hidden = self.model(input_ids=tokens, output_hidden_states=True).hidden_states[layer].float()  # (B, T, D)
            for row, i in enumerate(batch):
                found[i] = hidden[row, len(ids[i]) - 1].tolist()
        return found

    def close(self) -> None:
        """Nothing is held but memory."""

    @torch.inference_mode()
    def _draw(
        self, batch: list[tuple[int, int]], prompts: Sequence[Prompt], ids: list[list[int]], sampling: Sampling
    ) -> Iterator[Sampled]:
        device = self.model.device
        width = max(len(ids[i]) for i, _ in batch)
        pad = self.tokenizer.pad_token_id if self.tokenizer.pad_token_id is not None else self.tokenizer.eos_token_id
        tokens = torch.tensor([[pad] * (width - len(ids[i])) + ids[i] for i, _ in batch], device=device)  # (B, T)
        mask = torch.tensor([[0] * (width - len(ids[i])) + [1] * len(ids[i]) for i, _ in batch], device=device)
        noise = _Gumbel(
            [_seed(sampling.seed, prompts[i].id, number) for i, number in batch], sampling.temperature, sampling.top_p
        )
        out = self.model.generate(
            input_ids=tokens,
            attention_mask=mask,
            generation_config=GenerationConfig(
                max_new_tokens=sampling.max_tokens,
                do_sample=False,  # drawn by adding noise: see _Gumbel
                repetition_penalty=1.0,  # said, because a model from the Hub brings its own and greedy would not be
                no_repeat_ngram_size=0,
                eos_token_id=self.model.generation_config.eos_token_id or self.tokenizer.eos_token_id,
                pad_token_id=pad,
                return_dict_in_generate=True,
                output_logits=sampling.logprobs,
            ),
            logits_processor=LogitsProcessorList([noise] if sampling.temperature > 0 else []),
            stopping_criteria=StoppingCriteriaList([_Said(sampling.stop, self._text, width)] if sampling.stop else []),
        )
        replies = out.sequences[:, width:]  # (B, N)
        logprobs = _logprobs(out.logits, replies) if sampling.logprobs else None
        for row, (i, number) in enumerate(batch):
            yield Sampled(i, number, self._sample(replies[row], len(ids[i]), sampling, prompts[i], logprobs, row))

    def _sample(
        self, reply: Tensor, tokens_in: int, sampling: Sampling, prompt: Prompt, logprobs: Tensor | None, row: int
    ) -> Sample:
        ends = self.model.generation_config.eos_token_id or self.tokenizer.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        drawn = reply.tolist()
        end = next((n for n, t in enumerate(drawn) if t in ends), None)
        kept = drawn[: end if end is not None else len(drawn)]
        text = self._text(kept)
        cut = min((at for s in sampling.stop if (at := text.find(s)) >= 0), default=None)
        used = len(kept) + (end is not None)
        if cut is not None:  # what follows the stop string is filling, while others of the batch go on
            used = next(n for n in range(len(kept) + 1) if any(s in self._text(kept[:n]) for s in sampling.stop))
        each = logprobs[row, :used].tolist() if logprobs is not None and used else None
        return Sample(
            text=prompt.prefill + text[:cut],
            stop=Stop.STOPPED if cut is not None else Stop.END if end is not None else Stop.LENGTH,
            tokens_in=tokens_in,
            tokens_out=used,
            logprob_mean=round(sum(each) / len(each), 6) if each else None,
            logprob_min=round(min(each), 6) if each else None,
            logprob_tail=round(sum(each[-(tail := max(1, len(each) // 10)) :]) / tail, 6) if each else None,
        )

    def _text(self, ids: list[int]) -> str:
        return str(self.tokenizer.decode(ids, skip_special_tokens=True))


class _Said(StoppingCriteria):  # type: ignore[misc]
    """A stop string was said. Transformers' own criterion also finds one that the prompt begins and the reply ends."""

    def __init__(self, stop: Sequence[str], text: Callable[[list[int]], str], width: int) -> None:
        self.stop = stop
        self.text = text
        self.width = width
        self.span = max(len(s.encode()) for s in stop)
        """A token is a byte at least: no stop string is longer, in tokens."""

    def __call__(self, input_ids: Tensor, scores: Tensor, **_: object) -> Tensor:
        ends = input_ids[:, self.width :][:, -self.span :].tolist()
        return torch.tensor([any(s in self.text(end) for s in self.stop) for end in ends], device=input_ids.device)


class _Gumbel(LogitsProcessor):  # type: ignore[misc]
    """Sampling as arg max of logits / T + Gumbel noise (Gumbel-max): each row has random numbers of its own, so a
    sample does not depend on who shares its batch."""

    def __init__(self, seeds: list[int], temperature: float, top_p: float) -> None:
        self.generators = [torch.Generator().manual_seed(s) for s in seeds]
        self.temperature = temperature
        self.top_p = TopPLogitsWarper(top_p) if top_p < 1 else None

    def __call__(self, input_ids: Tensor, scores: Tensor) -> Tensor:
        scores = scores.float() / self.temperature  # (B, V)
        if self.top_p is not None:
            scores = self.top_p(input_ids, scores)
        uniform = torch.stack([torch.rand(scores.shape[-1], generator=g) for g in self.generators])
        return scores - torch.log(-torch.log(uniform.clamp_min(1e-20))).to(scores.device)


def _logprobs(logits: tuple[Tensor, ...], replies: Tensor) -> Tensor:
    """(B, N) log-probability of each drawn token at temperature 1, in nats."""
    steps = [step.float().log_softmax(-1).gather(-1, replies[:, n : n + 1]) for n, step in enumerate(logits)]
    return torch.cat(steps, dim=1)


def _seed(seed: int, prompt: str, number: int) -> int:
    return int.from_bytes(hashlib.sha256(f"{seed}/{prompt}/{number}".encode()).digest()[:8], "big") >> 1

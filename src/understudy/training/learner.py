"""TRL's `SFTTrainer` with a weight for each token: the loss is sum w CE / sum w over all that one optimizer step
learns, however many forward passes and processes it is spread over.
"""

import functools
import types
from collections.abc import Callable, Sequence
from typing import Any

import torch
from datasets import Dataset
from peft import PeftModel
from torch import Tensor
from trl import SFTTrainer
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from understudy.render import Rendered

HELD = 1 << 24
"""So many logits are held at a time where no kernel does without them."""
PASS = 32
"""Tokens that a pass through the model costs on a CPU beside its own."""
MOST = 64
"""Rows that are put into parts; more are not, for it takes their number squared."""
SCALED = ("final_logit_softcapping", "logit_scale", "output_multiplier", "lm_head_multiplier", "logits_scaling")
"""Settings of models that do more between the last state and the logits than multiply by a matrix."""


def dataset(rows: Sequence[Rendered]) -> Dataset:
    """The rows in their order; with weights where they are more than learned or not."""
    columns: dict[str, list[Any]] = {
        "input_ids": [r.ids for r in rows],
        "labels": [[t if w > 0 else -100 for t, w in zip(r.ids, r.weights, strict=True)] for r in rows],
    }
    if not all({*r.weights} <= {0.0, 1.0} for r in rows):
        columns["weights"] = [r.weights for r in rows]
    return Dataset.from_dict(columns)


class Collator(DataCollatorForLanguageModeling):
    """TRL's, that brings the weights along."""

    def torch_call(self, examples: list[dict[str, Any]]) -> dict[str, Any]:
        """(B, T) each; where nothing is padded (1, T of all)."""
        found = super().torch_call(examples)
        if "weights" in examples[0]:
            weights = torch.zeros(found["labels"].shape)
            given = [e["weights"] for e in examples]
            for row, values in enumerate([sum(given, [])] if self.padding_free else given):
                weights[row, : len(values)] = torch.tensor(values)
            found["weights"] = weights.masked_fill(found["labels"] == -100, 0.0)
        return found


class Learner(SFTTrainer):
    """TRL's trainer, that weighs each token."""

    optimizer: torch.optim.Optimizer | None

    def __init__(
        self, learned: Sequence[int], make: Callable[[torch.nn.Module], torch.optim.Optimizer], **given: Any
    ) -> None:
        super().__init__(**given)
        self.make = make
        self.learned = learned
        """Tokens learned by the end of each step."""
        self.data_collator: Any = Collator(self.data_collator.pad_token_id, self.padding_free)
        self._own_head = _add_head(self.model)

    def create_optimizer(self, *given: Any) -> torch.optim.Optimizer:
        """Made here and not before, because FSDP takes none that was."""
        if self.optimizer is None:
            self.optimizer = self.make(self.model)
        return self.optimizer

    def _set_signature_columns_if_needed(self) -> None:
        self._signature_columns = ["input_ids", "labels", "seq_lengths", "weights"]

    def _get_num_items_in_batch(self, batch_samples: list[Any], device: torch.device) -> Any:
        if not batch_samples or "weights" not in batch_samples[0]:
            return super()._get_num_items_in_batch(batch_samples, device)
        total = sum(batch["weights"][:, 1:].double().sum() for batch in batch_samples)
        return self.accelerator.gather(total.to(device)).sum().float()

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """This part's share of the step's loss, in nats per unit of weight."""
        if self.aux_loss_enabled or return_outputs:  # a router's own loss is TRL's business
            return super().compute_loss(model, inputs, return_outputs, num_items_in_batch)
        weights = inputs.pop("weights", None)
        weights = None if weights is None else weights[:, 1:]
        mask = inputs["labels"][:, 1:] != -100
        inputs["use_cache"] = False
        if self._own_head and mask.device.type == "cpu" and int(mask.sum()) * self.model.config.vocab_size <= HELD:
            total = self._by_parts(model, inputs, mask, weights)
        else:
            each = model(**inputs, fused_lm_head=True).log_probs  # (B, T-1), 0 where nothing is learned
            total = (each if weights is None else weights * each).sum()
        if num_items_in_batch is None:
            num_items_in_batch = mask.sum() if weights is None else weights.sum()
        return -total / num_items_in_batch * self.accelerator.num_processes  # whose gradients are averaged

    def _by_parts(self, model: Any, inputs: dict[str, Any], mask: Tensor, weights: Tensor | None) -> Tensor:
        """The sum over the rows, those of like length together: the batch is the same, and less of it is padding."""
        alone = "attention_mask" not in inputs or self.accelerator.num_processes > 1  # a process syncs once a pass
        lengths = [] if alone else inputs["attention_mask"].sum(1).tolist()
        total = mask.new_zeros((), dtype=torch.float32)
        for rows, width in parts(lengths) if lengths else [(list(range(len(mask))), mask.shape[1] + 1)]:
            cut = {k: v if alone or not isinstance(v, Tensor) else v[rows, :width] for k, v in inputs.items()}
            at = mask[rows, : width - 1]
            each = model(**cut, learned_at=at)  # (n,)
            total = total + (each if weights is None else weights[rows, : width - 1][at] * each).sum()
        return total

    def log(self, logs: dict[str, float], start_time: float | None = None) -> None:
        """With the number of learned tokens, for trackers."""
        if "loss" in logs:
            logs["learned_tokens"] = self.learned[self.state.global_step - 1]
        super().log(logs, start_time)


def parts(lengths: Sequence[int]) -> list[tuple[list[int], int]]:
    """Rows that go through the model together, and the longest of each part; the fewest tokens with a pass at `PASS`.

    >>> parts([200, 20, 190, 30])
    [([0, 2], 200), ([3, 1], 30)]
    """
    longest = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    if len(longest) > MOST:
        return [(longest, lengths[longest[0]])]
    best: list[tuple[int, int]] = [(0, 0)]  # of the first rows: tokens, and where their last part begins
    for end in range(1, len(longest) + 1):
        best.append(min((best[at][0] + PASS + (end - at) * lengths[longest[at]], at) for at in range(end)))
    found, end = [], len(longest)
    while end:
        at = best[end][1]
        found.append((longest[at:end], lengths[longest[at]]))
        end = at
    return found[::-1]


def _add_head(model: Any) -> bool:
    """Whether `model(..., labels=…, learned_at=mask)` now gives (n,) log-probabilities of the labels at the mask alone.

    TRL's head does this on a GPU; elsewhere it reckons every position, twice.
    """
    inner: Any = model.get_base_model() if isinstance(model, PeftModel) else model
    settings = inner.config.get_text_config().to_dict()
    if any(settings.get(name) is not None for name in SCALED):
        return False
    theirs = inner.forward

    @functools.wraps(type(inner).forward)  # `generate` reads its signature
    def forward(self: Any, *given: Any, learned_at: Tensor | None = None, **named: Any) -> Any:
        if learned_at is None:
            return theirs(*given, **named)
        labels = named.pop("labels")[:, 1:][learned_at]
        states = self.base_model(*given, **named).last_hidden_state[:, :-1][learned_at]  # (n, D)
        logits = self.get_output_embeddings()(states).float()  # (n, V)
        return -torch.nn.functional.cross_entropy(logits, labels, reduction="none")

    inner.forward = types.MethodType(forward, inner)
    return True

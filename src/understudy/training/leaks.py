"""Whether conversations that stand in one row see each other, tried in the training call instead of believed."""

from collections.abc import Sequence

import torch

from understudy.errors import UserError
from understudy.render import Rendered
from understudy.training.learner import Learner


def leak(trainer: Learner, rows: Sequence[Rendered]) -> float:
    """Greatest change of the second row's logits when every token of the first one changes; 0 = they are apart."""
    first, second = rows[0], rows[1]
    size = trainer.model.config.get_text_config().vocab_size
    other = first._replace(ids=[(t + 1) % size for t in first.ids])
    one, two = (_logits(trainer, [row, second])[len(first.ids) :] for row in (first, other))
    return float((one - two).abs().max())


def check_packing(trainer: Learner, rows: Sequence[Rendered]) -> None:
    """Refuses rows without padding where a conversation would see the one before it.

    Raises:
        UserError: it does; says how much.
    """
    if len(rows) < 2:
        return
    found = leak(trainer, rows)
    if found > 0:
        raise UserError(
            f"train: packing: a conversation sees the one before it: its logits change by {found:.2g} when that one "
            "changes. This model does not keep packed conversations apart; set packing: false."
        )


@torch.no_grad()
def _logits(trainer: Learner, rows: Sequence[Rendered]) -> torch.Tensor:
    """(T of all, V) in the call that training makes."""
    model = trainer.model
    was, device = model.training, next(model.parameters()).device
    model.eval()  # nothing drops out, so that what differs has been seen
    inputs = trainer.data_collator([{"input_ids": r.ids, "labels": r.ids} for r in rows])
    inputs = {k: v.to(device) if isinstance(v, torch.Tensor) else v for k, v in inputs.items() if k != "labels"}
    logits = model(**inputs, use_cache=False).logits[0]
    model.train(was)
    return logits

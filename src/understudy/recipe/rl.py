"""Reinforcement learning on the final answer."""

from enum import StrEnum
from typing import Annotated

import msgspec

from understudy.recipe.part import Amount, Count, Part, Share
from understudy.recipe.train import LORA_LR_RATIO, Adapter, Optimizer

RL_LR = 3e-4
"""Peak learning rate of a full course that names none."""


class Algorithm(StrEnum):
    """How the rewards of a group of rollouts become a loss. A is the advantage, |o| a rollout's tokens."""

    GRPO = "grpo"
    """A = (reward - mean) / deviation; the mean over rollouts of their means over tokens (2402.03300)."""
    DR_GRPO = "dr_grpo"
    """A = reward - mean; the sum over tokens / (rollouts x `max_tokens`), unbiased by length (2503.20783)."""
    DAPO = "dapo"
    """GRPO's A; the mean over the tokens of all rollouts; `clip_high` 0.28 and dynamic sampling (2503.14476)."""
    RLOO = "rloo"
    """A = reward - mean of the other rollouts; the mean over rollouts of their sums over tokens (2402.14740)."""


class Asked(StrEnum):
    """Which problems are practised."""

    TRAIN = "train"
    POOL = "pool"
    """Those of which curation has kept no trace (the file `pool`): the teacher failed at them too."""


class Rl(Part, frozen=True, kw_only=True):
    """Reinforcement learning on the final answer: right = 1, anything else = 0, a cut-off reply included.

    A step asks `prompts` problems for `group` rollouts each. What a default is taken from stands in brackets; where
    nothing does, it is our own choice.
    """

    algorithm: Algorithm = Algorithm.GRPO
    problems: Asked = Asked.TRAIN
    steps: Count = 150
    """Batches of rollouts."""
    prompts: Count = 8
    """Problems of a step."""
    group: Annotated[int, msgspec.Meta(ge=2)] = 8
    """Rollouts of each (TRL: 8)."""
    updates: Count = 1
    """Optimizer steps on each batch of rollouts (TRL: 1). From the second on, clipping matters."""
    accumulate: Count = 1
    """Forward passes that one optimizer step is spread over."""
    batch: Count = 128
    """Rollouts sampled side by side; part of what makes a run the same bytes again."""
    lr: float | None = None
    """Peak learning rate of AdamW (Muon's is `muon_lr_ratio` times it); None = 3e-4, for LoRA ten times that.

    For a million parameters (1e-6 to 2e-5 in published work on a thousand times as many; TRL: 1e-6).
    """
    optimizer: Optimizer = Optimizer.ADAMW
    muon_lr_ratio: Amount = 10.0
    weight_decay: Amount = 0.0
    warmup: Share = 0.05
    """Share of the steps in which the learning rate rises."""
    decay: Share = 0.5
    """Share of the steps, at the end, in which it falls to zero, which undoes noise; 0 = constant (Dr. GRPO)."""
    clip_low: Share = 0.2
    """How far below 1 the ratio of new to old probability of a token still counts (GRPO: 0.2)."""
    clip_high: Amount | None = None
    """How far above 1; None = 0.28 with dapo (2503.14476), else `clip_low`."""
    beta: Amount = 0.0
    """Weight of the KL divergence from the student as it came (TRL: 0; DeepSeekMath: 0.04)."""
    temperature: Annotated[float, msgspec.Meta(gt=0)] = 1.0
    max_tokens: Count = 512
    """Longest rollout, thought included: a shorter horizon teaches brevity, for what is cut off earns nothing."""
    overlong: Count | None = None
    """Soft punishment: the reward falls by up to 1 over the last so many tokens before `max_tokens` (DAPO: 20 % of
    the horizon). None = none.
    """
    dynamic: bool | None = None
    """Dynamic sampling: problems of which all rollouts earn the same are replaced by further ones. None = with dapo."""
    dynamic_most: Count = 4
    """At most so many times `prompts` problems are asked in a step; what is then missing is not learned from."""
    band: tuple[Share, Share] | None = None
    """Only problems whose solve rate in a first pass lies within ([0.2, 0.8]: LFM-1B-Math). None = all."""
    band_samples: Annotated[int, msgspec.Meta(ge=2)] = 8
    """Rollouts per problem of that first pass."""
    band_problems: Count | None = None
    """Problems that the first pass looks at; None = all."""
    thought_reward: Share | None = None
    """What a right answer earns that was thought about; one without thought earns 1 (Thinkless: 0.5). None = 1."""
    control: Amount | None = None
    """Weight of the first token, which decides whether there is a thought, beside a reply's mean over all others
    (DeGRPO: 1e-3). None = the weight of any token.
    """
    adapter: Adapter = Adapter.FULL
    rank: Count = 32
    """LoRA rank."""
    alpha: Count = 32
    preflight: Count = 64
    """Problems whose solve rates are told before the first step; where nothing can be learned, it is refused."""
    dev_samples: Count = 4
    """Samples of each dev problem. They and the greedy reply, of equal weight, say which checkpoint is best."""
    stop_entropy: Amount = 0.05
    """Nats per token. Less than this at `stop_logs` points in a row is a collapse."""
    stop_same: Share = 0.8
    """Share of groups that earn all the same: more than this at `stop_logs` points in a row, and it stops."""
    stop_fall: Share = 0.5
    """Share of the first point's reward: less than this at `stop_logs` points in a row is a collapse."""
    stop_logs: Count = 4
    """Points of the course that a sign must show at, one after another."""
    save_every: Count = 25
    """Steps between checkpoints, each of which is asked the dev problems."""
    log_every: Count = 5
    """Steps between points of the course."""

    @property
    def rate(self) -> float:
        """The peak learning rate."""
        if self.lr is not None:
            return self.lr
        return RL_LR if self.adapter is Adapter.FULL else RL_LR * LORA_LR_RATIO

    @property
    def replaces(self) -> bool:
        """Whether problems of which all rollouts earn the same are replaced."""
        return self.algorithm is Algorithm.DAPO if self.dynamic is None else self.dynamic

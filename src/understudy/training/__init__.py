"""Training runs: what is learned, in which order, with which optimizer, kept as it goes."""

from understudy.store import COMPLETE
from understudy.training.batches import batches, order
from understudy.training.choosing import Scored, Scorer, best, points, restore, scores
from understudy.training.choosing import told as dev_told
from understudy.training.optimizers import MuonAdamW, optimizer
from understudy.training.preflight import Preflight, preflight, told
from understudy.training.run import (
    Asking,
    MarkComplete,
    Progress,
    Trained,
    arguments,
    keep,
    last_whole,
    train,
)

__all__ = [
    "Asking", "COMPLETE", "MarkComplete", "MuonAdamW", "Preflight", "Progress", "Scored", "Scorer", "Trained",
    "arguments", "batches", "best", "dev_told", "keep", "last_whole", "optimizer", "order", "points", "preflight",
    "restore", "scores", "told", "train",
]  # fmt: skip

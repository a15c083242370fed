"""The report page: `page(Inputs) -> str`, one HTML file from the records of a run."""

from understudy.steps.report.inputs import Inputs, Timing
from understudy.steps.report.page import page

__all__ = ["Inputs", "Timing", "page"]

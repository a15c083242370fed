"""lighteval's extractive match for number answers (`Metrics.expr_gold_metric`), on what its pipeline leaves of a reply
when it has removed `<think>` blocks.
"""

import logging

from lighteval.metrics.metrics import Metrics
from lighteval.models.model_output import ModelResponse
from lighteval.tasks.requests import Doc
from lighteval.utils.utils import remove_reasoning_tags
from serve import serve, version

logging.disable(logging.WARNING)
METRIC = Metrics.expr_gold_metric.value.sample_level_fn


def says(text, gold):
    doc = Doc(query="", choices=[gold], gold_index=0, task_name="gsm8k")
    reply = ModelResponse(text=[text], text_post_processed=[remove_reasoning_tags(text, [("<think>", "</think>")])])
    return METRIC.compute(doc=doc, model_response=reply) == 1


serve(says, version("lighteval"))

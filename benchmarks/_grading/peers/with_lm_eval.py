"""lm-evaluation-harness, task gsm8k: its filter `strict-match` or `flexible-extract`, its metric with its settings, as
they stand in the task's own file.
"""

import sys
from pathlib import Path

import lm_eval
import yaml
from lm_eval.api.metrics import exact_match_hf_evaluate
from lm_eval.filters.extraction import RegexFilter
from serve import serve, version

TASK = yaml.safe_load((Path(lm_eval.__file__).parent / "tasks" / "gsm8k" / "gsm8k.yaml").read_text())
FILTERS = {row["name"]: {k: v for k, v in row["filter"][0].items() if k != "function"} for row in TASK["filter_list"]}
RULES = {k: v for k, v in TASK["metric_list"][0].items() if k.startswith(("regexes", "ignore"))}
FOUND = RegexFilter(**FILTERS[sys.argv[1]])


def says(text, gold):
    [[answer]] = FOUND.apply([[text]], [{}])
    return exact_match_hf_evaluate(predictions=[answer], references=[gold], **RULES)["exact_match"] == 1


serve(says, version("lm_eval"))

"""This project's grader: `verdict` alone, or `all` that `understudy grade` writes: verdict, slips and flags."""

import sys

from serve import serve, version

from understudy.answers import judge
from understudy.grading.rows import Asked, Settings, judged
from understudy.records import Kind, Stop, Verdict

SETTINGS = Settings()


def verdict(text, gold):
    return judge(text, gold).verdict is Verdict.RIGHT


def all_of_it(text, gold, question):
    asked = Asked(text=text, gold=gold, kind=Kind.NUMBER, stop=Stop.END, thought=None, choices=(), question=question)
    return judged(asked, SETTINGS).verdict is Verdict.RIGHT


serve({"verdict": verdict, "all": all_of_it}[sys.argv[1]], version("understudy"))

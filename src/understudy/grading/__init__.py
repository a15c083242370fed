"""Judging files of replies: rows in, the same rows with their verdicts out; other graders; doubtful gold answers."""

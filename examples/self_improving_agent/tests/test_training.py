"""Judges an agent on the bugs that it may learn from, by cases that it has not seen."""
import json
import os
import unittest

import agent
from tests.judge import is_repaired
from tests.unseen_cases import CASES

with open(os.path.join(os.path.dirname(__file__), "..", "training.json"), encoding="utf-8") as file:
    BUGS = json.load(file)


class Training(unittest.TestCase):
    """One test a bug."""


def judged(bug):
    def test(self):
        self.assertTrue(is_repaired(agent, bug, CASES[bug["name"]]))

    return test


for one in BUGS:
    setattr(Training, "test_" + one["name"], judged(one))

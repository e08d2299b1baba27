"""Which change to try first: every operator on every node, ordered by what the heuristics say."""
import ast
import importlib.util
import json
import os
from collections import namedtuple

import trial

Patch = namedtuple("Patch", "source operator line")


def read_heuristics(folder):
    with open(os.path.join(folder, "heuristics.json"), encoding="utf-8") as file:
        return json.load(file)


def operators_of(folder):
    """The operators of the agent in a folder."""
    spec = importlib.util.spec_from_file_location("operators", os.path.join(folder, "operators.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.OPERATORS


def suspicion(source, examples):
    """How suspicious each line is, 0 to 1: Ochiai's measure over the examples, see Abreu et al., PRDC 2006."""
    function = trial.function_of(source)
    failing, passing, failed_at, passed_at = 0, 0, {}, {}
    if function is None:
        return {}
    for arguments, result in examples:
        answer, lines = trial.outcome(function, arguments)
        good = answer == ("value", result)
        failing, passing = failing + (not good), passing + good
        at = passed_at if good else failed_at
        for line in lines:
            at[line] = at.get(line, 0) + 1
    return {line: count / ((failing * (count + passed_at.get(line, 0))) ** 0.5) for line, count in failed_at.items()}


def places(tree):
    """Every node with its line and the way to put another in its place."""
    for parent in ast.walk(tree):
        for field, value in ast.iter_fields(parent):
            items = value if isinstance(value, list) else [value]
            for at, node in enumerate(items):
                if isinstance(node, (ast.expr, ast.stmt)):
                    yield node, parent, field, at if isinstance(value, list) else None


def put(parent, field, at, node):
    if at is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[at] = node


def variables(tree):
    """Names of parameters and of what is assigned, in order."""
    found = [node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)]
    found += [node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)]
    return list(dict.fromkeys(found))


def ranked(source, examples, heuristics, operators=None):
    """Every patch, the most promising first, each program once."""
    tree = ast.parse(source)
    names, suspicious = variables(tree), suspicion(source, examples)
    if operators is None:
        operators = operators_of(os.path.dirname(os.path.abspath(__file__)))
    found, seen = [], {ast.unparse(tree)}
    for operator in operators:
        weight = heuristics["weights"].get(operator.__name__, 1.0)
        mine = []
        for node, parent, field, at in places(tree):
            line = getattr(node, "lineno", 0)
            for changed in operator(node, names):
                put(parent, field, at, changed)
                text = unparsed(tree)
                put(parent, field, at, node)
                if text and text not in seen:
                    seen.add(text)
                    trust = max(suspicious.get(line, 0.0), 0.01) ** heuristics["suspicion"]
                    mine.append((weight * trust, Patch(text, operator.__name__, line)))
        mine.sort(key=lambda scored: -scored[0])
        # An operator that has been tried in several places is a little less promising in the next.
        found += [(score * heuristics["repetition"] ** rank, patch) for rank, (score, patch) in enumerate(mine)]
    found.sort(key=lambda scored: -scored[0])
    return [patch for _, patch in found]


def unparsed(tree):
    try:
        return ast.unparse(ast.fix_missing_locations(tree))
    except Exception:
        return None

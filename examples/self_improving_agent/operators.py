"""What this agent knows to change: one function an operator, asked for each node of the program with the names of its
variables. Generation zero knows two; the rest is for the agent to write."""
import ast

import edits


def less_or_equal(node, names):
    """`<=` for `<`."""
    yield from edits.token(node, ast.Lt, ast.LtE)


def one_more(node, names):
    """A number one higher."""
    yield from edits.shift(node, 1)


OPERATORS = [
    less_or_equal,
    one_more,
]

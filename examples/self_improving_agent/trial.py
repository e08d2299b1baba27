"""Runs a function that may loop for ever on a few cases. Protected: what counts as repaired is not the agent's to say."""
import ast
import copy
import sys

MAX_STEPS = 3000


class TooLong(BaseException):
    """The function took more steps than any right one would."""


def function_of(source):
    """The last function of a program, or None if it has none or is none."""
    try:
        tree = ast.parse(source)
        names = [node.name for node in tree.body if isinstance(node, ast.FunctionDef)]
        scope = {}
        exec(compile(tree, "program", "exec"), scope)
        return scope[names[-1]]
    except Exception:
        return None


def outcome(function, arguments):
    """("value", what it answers), or ("error", the exception's name); with the lines that it ran."""
    lines, left = set(), MAX_STEPS

    def look(frame, event, _):
        nonlocal left
        if frame.f_code.co_filename != "program":
            return None
        lines.add(frame.f_lineno)
        left -= 1
        if left < 0:
            raise TooLong
        return look

    before = sys.gettrace()
    sys.settrace(look)
    try:
        answer = ("value", function(*copy.deepcopy(arguments)))
    except TooLong:
        answer = ("error", "TooLong")
    except Exception as error:
        answer = ("error", type(error).__name__)
    finally:
        sys.settrace(before)
    return answer, lines


def passes(source, cases):
    """Whether a program answers every case, [arguments, result], rightly."""
    function = function_of(source)
    if function is None:
        return False
    return all(outcome(function, arguments)[0] == ("value", result) for arguments, result in cases)

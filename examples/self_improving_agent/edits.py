"""Ways to change one node of a program, from which operators are made. Protected: these are the letters, and what an
agent learns is which words to write with them."""
import ast
import copy

COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)
ARITHMETIC = (ast.Add, ast.Sub, ast.Mult, ast.FloorDiv, ast.Div, ast.Mod)
BOOLEAN = (ast.And, ast.Or)
NUMBERS = (0, 1, 2, -1)
FUNCTIONS = ("min", "max", "sum", "len", "any", "all", "sorted", "reversed", "abs", "set", "list", "int", "str")
METHODS = ("append", "extend", "lower", "upper", "lstrip", "rstrip", "strip", "startswith", "endswith", "find", "rfind",
           "keys", "values", "split", "union", "intersection")


def with_field(node, field, value):
    changed = copy.copy(node)
    setattr(changed, field, value)
    return changed


def token(node, old, new):
    """Another operator: `<` for `<=`, `and` for `or`, `+=` for `-=`."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1 and isinstance(node.ops[0], old):
        yield with_field(node, "ops", [new()])
    elif isinstance(node, (ast.BinOp, ast.BoolOp, ast.AugAssign)) and isinstance(node.op, old):
        yield with_field(node, "op", new())


def number(node, old, new):
    """Another number for exactly this one."""
    if isinstance(node, ast.Constant) and type(node.value) is int and node.value == old:
        yield ast.Constant(new)


def shift(node, by):
    """A number a little higher or lower."""
    if isinstance(node, ast.Constant) and type(node.value) is int:
        yield ast.Constant(node.value + by)


def offset(node, by):
    """One more or less than an index, a bound of a slice or of a range."""
    moved = (lambda value: ast.BinOp(value, ast.Add() if by > 0 else ast.Sub(), ast.Constant(abs(by))))
    if isinstance(node, ast.Subscript) and isinstance(node.slice, (ast.Name, ast.BinOp, ast.Call)):
        yield with_field(node, "slice", moved(node.slice))
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Slice):
        for side in ("lower", "upper"):
            if getattr(node.slice, side) is not None:
                bound = with_field(node.slice, side, moved(getattr(node.slice, side)))
                yield with_field(node, "slice", bound)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        for at, argument in enumerate(node.args):
            yield with_field(node, "args", node.args[:at] + [moved(argument)] + node.args[at + 1:])


def function(node, old, new):
    """Another function is called."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == old:
        yield with_field(node, "func", ast.Name(new, ast.Load()))


def method(node, old, new):
    """Another method is called."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == old:
        yield with_field(node, "func", with_field(node.func, "attr", new))


def wrap(node, name):
    """A function is called on what is returned or given a name."""
    if isinstance(node, (ast.Return, ast.Assign)) and node.value is not None:
        yield with_field(node, "value", ast.Call(ast.Name(name, ast.Load()), [node.value], []))


def unwrap(node, name):
    """A function is not called."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and len(node.args) == 1:
        yield node.args[0]


def negate(node):
    """The opposite condition."""
    if isinstance(node, (ast.If, ast.While, ast.IfExp)):
        test = node.test
        opposite = test.operand if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not) else (
            ast.UnaryOp(ast.Not(), test))
        yield with_field(node, "test", opposite)


def swap_arguments(node):
    """Two arguments that stand the wrong way round."""
    if isinstance(node, ast.Call):
        for at in range(len(node.args) - 1):
            args = list(node.args)
            args[at], args[at + 1] = args[at + 1], args[at]
            yield with_field(node, "args", args)


def swap_operands(node):
    """Two operands that stand the wrong way round."""
    if isinstance(node, ast.BinOp):
        changed = with_field(node, "left", node.right)
        yield with_field(changed, "right", node.left)


def rename(node, names):
    """Another variable."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
        for name in names:
            if name != node.id:
                yield ast.Name(name, ast.Load())


def end_of_list(node):
    """The other end of a list: the first for the last, the last for the first."""
    if isinstance(node, ast.Subscript) and isinstance(node.slice, (ast.Constant, ast.UnaryOp)):
        text = ast.unparse(node.slice)
        if text in ("0", "-1"):
            yield with_field(node, "slice", ast.Constant(-1 if text == "0" else 0))


def jump(node):
    """`break` for `continue` and the other way round."""
    if isinstance(node, ast.Break):
        yield ast.Continue()
    elif isinstance(node, ast.Continue):
        yield ast.Break()


def every_edit(node, names):
    """Each way to change a node, with the words that say it: the name of one of the above, and its arguments."""
    for family in (COMPARISONS, ARITHMETIC, BOOLEAN):
        for old in family:
            for new in family:
                if old is not new:
                    yield from said(token(node, old, new), "token", old, new)
    for by in (1, -1):
        yield from said(shift(node, by), "shift", by)
        yield from said(offset(node, by), "offset", by)
    if isinstance(node, ast.Constant) and type(node.value) is int:
        for new in NUMBERS:
            if new != node.value:
                yield from said(number(node, node.value, new), "number", node.value, new)
    for kind, known in ((function, FUNCTIONS), (method, METHODS)):
        for old in known:
            for new in known:
                if old != new:
                    yield from said(kind(node, old, new), kind.__name__, old, new)
    for name in FUNCTIONS:
        yield from said(wrap(node, name), "wrap", name)
        yield from said(unwrap(node, name), "unwrap", name)
    for kind in (negate, swap_arguments, swap_operands, end_of_list, jump):
        yield from said(kind(node), kind.__name__)
    yield from said(rename(node, names), "rename")


def said(changed, *words):
    return ((node, words) for node in changed)

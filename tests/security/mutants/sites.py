"""Where a module can be changed for the worse, by one small change at a time: a check that is switched off, a bound
that is moved by one, an argument or a word of a list that is left out.

Sentences for people, annotations and what is logged or raised stay as they are.
"""

import ast
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast

FOR_PEOPLE = ("message", "remedy", "description", "help", "summary", "examples", "json_schema_extra")
"""Arguments that hold what people read."""
LOGGERS = ("log", "logger")
HARMLESS = ("property", "staticmethod", "classmethod", "dataclass", "contextmanager", "overload", "cache")
"""Decorators without which nothing works, or nothing changes."""
OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
MOVED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt}
SWAPPED = {"any": "all", "all": "any", "min": "max", "max": "min"}
ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {ast.Add: ast.Sub, ast.Sub: ast.Add}
Changes = Iterator[tuple[str, str, Callable[[], None]]]
"""What stands there, what comes in its place, and what puts it there."""
NAMED = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True)
class Slot:
    """A place in a tree: a field of a node, or a place in the list that the field is."""

    parent: Any
    field: str
    index: int | None = None

    def put(self, value: Any) -> None:
        if self.index is None:
            setattr(self.parent, self.field, value)
        else:
            getattr(self.parent, self.field)[self.index] = value


@dataclass(frozen=True)
class Site:
    """One change. `where` names the function or class around it."""

    where: str
    was: str
    becomes: str
    make: Callable[[], None]
    """Changes the tree for good."""


def sites(tree: ast.Module) -> list[Site]:
    """All changes of a module, in the order of its text."""
    return list(_walk(tree, Slot(None, ""), ""))


def _walk(node: Any, slot: Slot, where: str) -> Iterator[Site]:
    if _stays(node, slot):
        return
    if isinstance(node, NAMED):
        where = f"{where}.{node.name}" if where else node.name
    for was, becomes, make in _changes(node, slot):
        yield Site(where or "(module)", was, becomes, make)
    for field, value in ast.iter_fields(node):
        if isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _walk(child, Slot(node, field, index), where)
        elif isinstance(value, ast.AST):
            yield from _walk(value, Slot(node, field), where)


def _stays(node: Any, slot: Slot) -> bool:
    match node:
        case ast.Raise() | ast.Import() | ast.ImportFrom() | ast.Assert():
            return True
        case ast.Expr(value=ast.Constant()):  # documentation
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name)))) if name in LOGGERS:
            return True
        case ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="message" | "remedy" | "log" | "__all__")]):
            return True
        case ast.keyword(arg=name) if name in FOR_PEOPLE:
            return True
    return slot.field in ("annotation", "returns", "decorator_list", "type_params", "bases")


def _changes(node: Any, slot: Slot) -> Changes:
    for kinds, changes in WAYS.items():
        if isinstance(node, kinds):
            yield from changes(node, slot)


def _switched(node: ast.If | ast.IfExp, slot: Slot) -> Changes:
    for value in (True, False):
        yield f"if {_text(node.test)}", f"if {value}", _set(node, "test", ast.Constant(value))


def _never(node: ast.While, slot: Slot) -> Changes:
    yield f"while {_text(node.test)}", "while False", _set(node, "test", ast.Constant(False))


def _unfiltered(node: ast.comprehension, slot: Slot) -> Changes:
    for index, test in enumerate(node.ifs):
        yield f"if {_text(test)}", "if True", _set(node, "ifs", ast.Constant(True), index)


def _unguarded(node: ast.match_case, slot: Slot) -> Changes:
    if node.guard is not None:
        for value in (True, False):
            yield f"case if {_text(node.guard)}", f"case if {value}", _set(node, "guard", ast.Constant(value))


def _without_a_part(node: ast.BoolOp, slot: Slot) -> Changes:
    word = " and " if isinstance(node.op, ast.And) else " or "
    for index in range(len(node.values)):
        left = _others(node.values, index)
        shorter = left[0] if len(left) == 1 else ast.BoolOp(node.op, left)
        yield _text(node), word.join(map(_text, left)), _put(slot, shorter)


def _affirmed(node: ast.UnaryOp, slot: Slot) -> Changes:
    if isinstance(node.op, ast.Not) and not _is_test(slot):
        yield _text(node), _text(node.operand), _put(slot, node.operand)


def _without_an_element(node: Any, slot: Slot) -> Changes:
    if _is_plain_list(node, slot):
        for index, element in enumerate(node.elts):
            yield f"[…, {_text(element)}, …]", "[…]", _set(node, "elts", _others(node.elts, index))


def _without_an_entry(node: ast.Dict, slot: Slot) -> Changes:
    if len(node.keys) > 1:
        for index, key in enumerate(node.keys):
            yield f"{{…, {_text(key) if key else '**'}: …}}", "{…}", _without_pair(node, index)


def _not_done(node: Any, slot: Slot) -> Changes:
    if isinstance(node, ast.AugAssign) or isinstance(node.value, ast.Call | ast.Await):
        yield _text(node), "pass", _put(slot, ast.Pass())


def _turned(node: ast.BinOp, slot: Slot) -> Changes:
    if type(node.op) in ARITHMETIC:
        other = ast.BinOp(node.left, ARITHMETIC[type(node.op)](), node.right)
        yield _text(node), _text(other), _put(slot, other)


def _without_a_value(node: ast.JoinedStr, slot: Slot) -> Changes:
    for index, part in enumerate(node.values):
        if isinstance(part, ast.FormattedValue) and not _is_sentence(node):
            left = _others(node.values, index)
            yield _text(node), _text(ast.JoinedStr(left)), _set(node, "values", left)


def _unbounded(node: ast.Slice, slot: Slot) -> Changes:
    if node.upper is not None:
        yield f"[:{_text(node.upper)}]", "[:]", _set(node, "upper", None)


def _undecorated(node: Any, slot: Slot) -> Changes:
    for index, decorator in enumerate(node.decorator_list):
        if not _text(decorator).split("(")[0].rpartition(".")[2].startswith(HARMLESS):
            left = _others(node.decorator_list, index)
            yield f"@{_text(decorator)}", "(none)", _set(node, "decorator_list", left)


def _compared(node: ast.Compare, slot: Slot) -> Changes:
    """A test as a whole is switched on and off already, so there only the bounds are moved."""
    for index, operator in enumerate(node.ops):
        kind = MOVED.get(type(operator)) or (None if _is_test(slot) else OPPOSITES.get(type(operator)))
        if kind is not None:
            ops = [kind() if number == index else each for number, each in enumerate(node.ops)]
            yield _text(node), _text(ast.Compare(node.left, ops, node.comparators)), _set(node, "ops", ops)


def _constants(node: ast.Constant, slot: Slot) -> Changes:
    value, others = node.value, cast(tuple[Any, ...], ())
    if isinstance(slot.parent, ast.JoinedStr | ast.FormattedValue):
        return
    if isinstance(value, bool):
        others = (not value,)
    elif isinstance(value, int):
        others = (value + 1, value - 1) if value > 1 and not isinstance(slot.parent, ast.Slice) else (value + 1,)
    elif isinstance(value, str) and " " not in value.strip():
        others = (f"{value}X",)
    elif isinstance(value, bytes):
        others = (value + b"X",)
    for other in others:
        yield repr(value), repr(other), _set(node, "value", other)


def _called(node: ast.Call, slot: Slot) -> Changes:
    name = _text(node.func)
    if name in SWAPPED:
        yield name, SWAPPED[name], _set(node, "func", ast.Name(SWAPPED[name], ast.Load()))
    for index, keyword in enumerate(node.keywords):
        if keyword.arg not in FOR_PEOPLE:
            left = [each for number, each in enumerate(node.keywords) if number != index]
            given = f"{keyword.arg}={_text(keyword.value)}" if keyword.arg else f"**{_text(keyword.value)}"
            yield f"{name}({given})", f"{name}()", _set(node, "keywords", left)


def _is_test(slot: Slot) -> bool:
    return slot.field in ("test", "ifs", "guard")


def _is_plain_list(node: Any, slot: Slot) -> bool:
    """Whether it lists words or names, and is no pair that is taken apart, returned or compared."""
    of_words = all(isinstance(each, ast.Constant | ast.Name | ast.Attribute) for each in node.elts)
    loaded = isinstance(node.ctx, ast.Load) if isinstance(node, ast.List | ast.Tuple) else True
    return loaded and of_words and len(node.elts) > 1 and slot.field not in ("slice", "target")


def _is_sentence(node: ast.JoinedStr) -> bool:
    text = "".join(str(part.value) for part in node.values if isinstance(part, ast.Constant))
    return text.strip().count(" ") > 1


def _others(things: list[Any], index: int) -> list[Any]:
    return [thing for number, thing in enumerate(things) if number != index]


def _set(node: Any, field: str, value: Any, index: int | None = None) -> Callable[[], None]:
    return lambda: Slot(node, field, index).put(value)


def _put(slot: Slot, value: Any) -> Callable[[], None]:
    return lambda: slot.put(value)


def _without_pair(node: ast.Dict, index: int) -> Callable[[], None]:
    def make() -> None:
        del node.keys[index], node.values[index]

    return make


def _text(node: ast.AST) -> str:
    return ast.unparse(node)


WAYS: Mapping[Any, Callable[[Any, Slot], Changes]] = {
    ast.If | ast.IfExp: _switched,
    ast.While: _never,
    ast.comprehension: _unfiltered,
    ast.match_case: _unguarded,
    ast.BoolOp: _without_a_part,
    ast.UnaryOp: _affirmed,
    ast.Compare: _compared,
    ast.Constant: _constants,
    ast.Set | ast.List | ast.Tuple: _without_an_element,
    ast.Dict: _without_an_entry,
    ast.Call: _called,
    ast.Expr | ast.AugAssign: _not_done,
    ast.BinOp: _turned,
    ast.JoinedStr: _without_a_value,
    ast.Slice: _unbounded,
    NAMED: _undecorated,
}
"""By the kind of node."""

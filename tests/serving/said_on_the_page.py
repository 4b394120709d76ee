"""What the rooms say in English and the page shows: read from their source, so that no list of it can grow old."""

import ast
import inspect
import pkgutil
import textwrap
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

__all__ = ["modules", "raised", "said", "states"]

FIGURE = "7"
"""What stands for every figure; where a sentence counts, it is read with 1, too."""

UNSEEN = ("print", "add_argument", "info", "warning", "error", "debug", "compile", "counted")
"""Calls whose texts are for a terminal or a log, or are read with what they are put into."""

TROUBLE = ("error", "trouble", "problem", "reason", "hint", "advice", "why", "cause", "what", "step", "again")
"""How names end that hold a sentence of what went wrong, or a part of it."""

OTHERS = ("Value", "Type", "Assertion", "Runtime", "Attribute", "Programming", "OS")
"""Errors that are no message of ours to a person."""


def said(module: ModuleType) -> set[str]:
    """Every sentence of a module, and every part of one, but what is for a terminal, a log or a reader of the code."""
    tree = ast.parse(inspect.getsource(module))
    hidden = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        inner: list[ast.AST] = []
        if isinstance(node, ast.Call) and _name(node.func) in UNSEEN:
            inner = [part for given in [*node.args, *node.keywords] for part in ast.walk(given)]
        elif isinstance(node, ast.JoinedStr):
            inner = [part for part in node.values if isinstance(part, ast.Constant)]
        elif isinstance(node, ast.FormattedValue) and node.format_spec is not None:
            inner = list(ast.walk(node.format_spec))
        hidden |= {id(part) for part in inner}
    return _sentences(module, (node for node in ast.walk(tree) if id(node) not in hidden))


def raised(module: ModuleType) -> set[str]:
    """What the errors of a module say, and what it keeps of them: `raise …Error(text)`, `self.error = text`."""
    tree = ast.parse(inspect.getsource(module))
    return _sentences(module, (text for node in ast.walk(tree) for text in _troubles(node)))


def states(reader: type) -> set[str]:
    """Every word in which a reader says what it does."""
    asked = inspect.getattr_static(reader, "state").fget
    returns = [node for node in ast.walk(_parsed(asked)) if isinstance(node, ast.Return) and node.value is not None]
    words = {text for node in returns for outcome in _outcomes(node.value) for text in _texts(None, outcome, "")}
    assert words, f"{reader} says nothing"
    return words


def modules(package: str) -> list[ModuleType]:
    """A package with all modules in it, at any depth; of a module that alone."""
    found = import_module(package)
    inner = pkgutil.walk_packages(found.__path__, f"{package}.") if hasattr(found, "__path__") else ()
    return [found, *(import_module(module.name) for module in inner)]


def _parsed(function: object) -> ast.AST:
    return ast.parse(textwrap.dedent(inspect.getsource(function)))  # type: ignore[arg-type]  # a property's getter


def _sentences(module: ModuleType, nodes: Iterator[ast.AST]) -> set[str]:
    texts = {text for node in nodes for count in (FIGURE, "1") for text in _texts(module, node, count)}
    return {text for text in texts if " " in text.strip() and any(character.isalpha() for character in text)}


def _texts(module: ModuleType | None, node: ast.AST, count: str) -> Iterator[str]:
    """A text, or an f-string with figures in it; nothing for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(_part(module, part, count) for part in node.values)


def _part(module: ModuleType | None, part: ast.AST, count: str) -> str:
    """A piece of an f-string: what is written there, a constant of the module, what is counted, else a figure."""
    if isinstance(part, ast.Constant):
        return str(part.value)
    value = part.value if isinstance(part, ast.FormattedValue) else part
    if isinstance(value, ast.Name) and isinstance(known := getattr(module, value.id, None), str):
        return known
    if not isinstance(value, ast.Call) or _name(value.func) != "counted":
        return FIGURE
    one, *more = (next(_texts(module, noun, count)) for noun in value.args[1:])
    return f"{count} {one if count == '1' else more[0] if more else one + 's'}"


def _troubles(node: ast.AST) -> Iterator[ast.AST]:
    if isinstance(node, ast.Call) and node.args:
        name = _name(node.func)
        if name in ("mapped_errors", "reading", "writing") or (name.endswith("Error") and not name.startswith(OTHERS)):
            yield node.args[0]
    elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(_name(target).lower().endswith(TROUBLE) for target in targets):
            yield from _outcomes(node.value)


def _outcomes(node: ast.AST) -> Iterator[ast.AST]:
    """A value, or both where a condition chooses."""
    if isinstance(node, ast.IfExp):
        yield from _outcomes(node.body)
        yield from _outcomes(node.orelse)
    else:
        yield node


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""

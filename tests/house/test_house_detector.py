"""The detector keeps its numbers in their homes: bits and levels have names, wherever they are asked for."""

import ast
from pathlib import Path

import pytest

from sentinel.detect.kernel.flags import Flag, Level

ROOM = Path(__file__).parents[2] / "sentinel/detect"
HOME = ROOM / "kernel/flags.py"
FILES = sorted(path for path in ROOM.rglob("*.py") if path != HOME)
NAMES = {
    *Flag.__members__,
    *(f"F_{name}" for name in Flag.__members__),
    *(f"LEVEL_{name}" for name in Level.__members__),
}


def is_bare(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value != 0


def asks(node: ast.expr, word: str) -> bool:
    """Whether an expression is one of a line's flags or its level, by its last name."""
    while isinstance(node, ast.Subscript):
        node = node.value
    name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
    return name in (word, f"{word}s")


def bare_uses(tree: ast.AST) -> list[int]:
    """Lines on which a flag or a level meets a bare number."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr):
            sides, word = [node.left, node.right], "flag"
        elif isinstance(node, ast.Compare):
            sides, word = [node.left, *node.comparators], "level"
        else:
            continue
        if any(asks(side, word) for side in sides) and any(is_bare(side) for side in sides):
            found.append(node.lineno)
    return found


def second_names(tree: ast.Module) -> list[int]:
    """Lines on which a module gives a flag or a level another number."""
    own = [node for node in tree.body if isinstance(node, ast.Assign)]
    named = [{part.id for part in ast.walk(node) if isinstance(part, ast.Name)} & NAMES for node in own]
    bare = [any(is_bare(part) for part in ast.walk(node.value) if isinstance(part, ast.expr)) for node in own]
    return [node.lineno for node, names, number in zip(own, named, bare, strict=True) if names and number]


def retyped(tree: ast.Module) -> list[int]:
    return bare_uses(tree) + second_names(tree)


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOM)))
def test_no_file_types_a_flag_or_a_level_as_a_number(path: Path) -> None:
    """Flags and levels are asked for by their names in `kernel/flags.py`. What this sees: comparisons and masks of what
    is called flags or level with bare numbers, and names of flags that a module gives a number again."""
    assert retyped(ast.parse(path.read_text())) == []


@pytest.mark.parametrize(
    "code",
    ["x = flags & 4", "x = lines.flags[i] & 1", "F_BAD, F_AUTH = 1, 4", "y = facts.level >= 2", "LOST = 1 << 11"],
)
def test_a_bare_flag_or_level_is_seen(code: str) -> None:
    """The test above can fail."""
    assert retyped(ast.parse(code)) == [1]

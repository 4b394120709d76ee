"""The detector keeps its numbers in their homes: bits, levels and columns have names, what somebody chose an origin."""

import ast
from pathlib import Path

import pytest

from sentinel.detect.kernel.flags import Flag, Level
from sentinel.detect.tuning.numbers import Number, numbers

ROOM = Path(__file__).parents[2] / "sentinel/detect"
HOME = ROOM / "kernel/flags.py"
PAGE = Path(__file__).parents[2] / "docs/numbers.md"
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


STRUCTURE = {
    "explain/causes.py": {"_FAILURES_AT"},
    "explain/explain.py": {"DAY_S", "HOUR_S", "MINUTE_S"},
    "explain/incidents.py": {"ID_LENGTH"},
    "explain/outcomes.py": {"WHOLE"},
    "judge/combine.py": {"NATS", "BULK", "SPARSE", "FLOOD", "PRIOR", "FOREST", "NORM", "LEAST", "HABIT"},
    "judge/features.py": {"RATE", "GAP", "NOVELTY", "OTHER", "TABLE"},
    "judge/habits.py": {
        *("HABITS_A_LINE", "CHANNELS", "DECISIVE_CHANNEL", "START", "LOUDEST", "USUALLY"),
        *("NIGHT", "NOW", "BEFORE", "EARLIER"),
    },
    "judge/outcomes.py": {"OUTCOMES_A_LINE", "HITS_AT"},
    "judge/surprise.py": {
        *("COUNT", "NUMBER_TRUST", "MEAN_TRUST", "NEW0", "LENGTH_MEAN", "LENGTH_SPREAD", "TEMPLATE_COLUMNS")
    },
    "judge/tails.py": {"LEVELS", "ABSENT", "_LN2"},
    "kernel/jit.py": {"_ROOM"},
    "learn/fit.py": {"DAY_S", "MIN_SPAN_S", "QUANTILES"},
    "lexicon/literals.py": {"_HEX_DIGITS"},
    "read/named_token.py": {"EQUALS", "SPACE", "COLON", "OTHER", "BRACKET", "TWO_SPACES", "_LAST"},
    "remember/state.py": {"FORMAT"},
    "remember/state_pass.py": {"TOUCHES_A_LINE", "START"},
    "sessions/fit.py": {"WAITS_S"},
    "sessions/model.py": {"FLOORS", "TRIM_FLOORS"},
    "sessions/numbers.py": {"OTHER_KIND"},
    "sessions/parts.py": {"_LN2", "BUCKETS", "_EXACT", "_BUCKET_STEPS"},
    "silence/watchdog.py": {"DEADLINE", "MEDIAN", "LONGEST_GAP", "STRIDE"},
}
"""Columns, bits, dimensions, units, grids and bytes: what has to be as it is, or is no number to tune. The table of
features and the least scales of the parts of sessions stand in their rows' order, and are homes of their own."""

WHOLE_FILES = {
    *("kernel/hashing.py", "kernel/keys.py", "kernel/table.py", "judge/trees.py"),  # hashes, keys, layout
    *("lexicon/words.py", "read/scan_buffers.py", "read/shapes.py", "read/scan.py"),  # bits, classes and bytes
    *("read/mask_token.py", "read/zero_counts.py", "sessions/session_pass.py", "sessions/session_arrays.py"),
    *("learn/canary.py", "learn/warm.py"),  # made lines
}


def chosen(tree: ast.Module) -> dict[str, int]:
    """Names that a module gives a value with numbers in it, and their lines. Numbers within functions are not seen."""
    found = {}
    for node in tree.body:
        if not isinstance(node, ast.Assign | ast.AnnAssign) or node.value is None:
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        parts = list(ast.walk(node.value))
        computed = any(isinstance(part, ast.comprehension | ast.Lambda) for part in parts)
        if not computed and any(is_number(part) for part in parts):
            names = [part.id for target in targets for part in ast.walk(target) if isinstance(part, ast.Name)]
            found.update(dict.fromkeys(names, node.lineno))
    return found


def is_number(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


TUNED = [path for path in FILES if path.parent.name not in ("tuning", "models")]  # models/: formats, sizes of files


@pytest.mark.parametrize("path", TUNED, ids=lambda path: str(path.relative_to(ROOM)))
def test_what_somebody_chose_stands_in_tuning(path: Path) -> None:
    """A module's number is one of `tuning/`, with unit and origin, or it is structure. What this sees: names that a
    module gives a number; not what stands within a function."""
    place = str(path.relative_to(ROOM))
    known = STRUCTURE.get(place, set())

    found = chosen(ast.parse(path.read_text()))

    assert place in WHOLE_FILES or set(found) - known == set()
    assert known - set(found) == set(), "named here, and no longer there"


def test_a_number_elsewhere_is_seen() -> None:
    """The test above can fail."""
    code = "FEW_NATS = 7.0\nA, B = 1, 2\nc = [0.5]\nd = other(x)"

    assert chosen(ast.parse(code)) == {"FEW_NATS": 1, "A": 2, "B": 2, "c": 3}


def row_of(number: Number) -> str:
    value = repr(number.value).replace("0.6666666666666666", "2/3")
    about = number.about
    holds = "" if about.holds is None else f"{about.holds[0]:g} to {about.holds[1]:g}"
    origin = f"{about.origin}: {about.source}" if about.source else str(about.origin)
    return f"| `{number.name}` | {value} | {about.unit} | {origin} | {holds} | {about.says} |".replace("|  |", "| |")


def test_the_page_shows_all_numbers() -> None:
    """docs/numbers.md lists each with value, unit, origin, range and meaning; all have a unit and a meaning."""
    shown = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]

    assert [number.name for number in numbers() if not (number.about.unit and number.about.says)] == []
    assert shown == [row_of(number) for number in numbers()]

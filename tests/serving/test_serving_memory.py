"""Free memory goes back to the system after the process has grown or shrunk, and is left alone while it has not."""

from serving.memory import BIG_BYTES, CHANGED_BYTES, GiveBack


class _Process:
    """So many bytes resident; a trim gives back a fourth."""

    def __init__(self) -> None:
        self.resident, self.trims = 100 * BIG_BYTES, 0

    def trim(self) -> None:
        self.resident = self.resident * 3 // 4
        self.trims += 1


def _looking(process: _Process) -> GiveBack:
    """One that has looked once, at a server just started."""
    looking = GiveBack(lambda: process.resident, process.trim)
    looking.turn()
    process.trims = 0
    return looking


def test_memory_is_trimmed_once_after_it_has_grown() -> None:
    """Not again while nothing changes: a trim walks through all that is free."""
    process = _Process()
    looking = _looking(process)
    process.resident += 2 * CHANGED_BYTES

    looking.turn()
    looking.turn()

    assert process.trims == 1


def test_memory_is_trimmed_after_it_has_shrunk() -> None:
    """A big body's own blocks are gone, and what was taken beside them is free now."""
    process = _Process()
    looking = _looking(process)
    process.resident -= 2 * CHANGED_BYTES

    looking.turn()

    assert process.trims == 1


def test_memory_is_left_alone_while_it_hardly_changes() -> None:
    """A quiet server costs one look."""
    process = _Process()
    looking = _looking(process)
    process.resident += CHANGED_BYTES

    looking.turn()

    assert process.trims == 0

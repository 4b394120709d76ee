"""What the fault tests share: the shim where there is a C compiler, and every test of this folder marked."""

import os
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))  # the harness is imported as tests.faults, also where pytest was started elsewhere


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything in this folder is a fault test."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.faults)


@pytest.fixture
def real_folder(tmp_path: Path) -> Path:
    """A folder by its real path, as the shim sees it."""
    return Path(os.path.realpath(tmp_path))

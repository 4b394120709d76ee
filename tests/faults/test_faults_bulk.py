"""R6: whatever Elasticsearch answers to a bulk, good documents are indexed once and poison dies with its reason."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.bulk_matrix import CASES, Case, run_case
from tests.faults.fake_control import FakeElastic


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeElastic]:
    with FakeElastic() as running:
        yield running


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_every_document_ends_where_it_belongs(case: Case, fake: FakeElastic, tmp_path: Path) -> None:
    """Stored once with its content, or dead with its reason; the books tell the same."""
    result = run_case(case, fake, tmp_path)

    assert result.wrong == []


def test_matrix_is_wide_enough() -> None:
    """The matrix has at least 30 answers."""
    assert len({case.name for case in CASES}) >= 30

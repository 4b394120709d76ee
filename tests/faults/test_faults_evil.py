"""R8 in small: evil requests make nothing fail but themselves."""

from pathlib import Path

import pytest

from tests.faults import evil


@pytest.mark.slow
def test_evil_requests_fail_alone(tmp_path: Path) -> None:
    """No 5xx but an intended 503 with Retry-After, no traceback, no death; the good client is always acknowledged."""
    found = evil.run(tmp_path, seed=8, requests=300, big_share=0.03, trains=False)

    assert found.wrong == []
    assert found.requests >= 290
    assert {"400", "403", "404", "405", "413", "415", "421"} <= set(found.statuses)

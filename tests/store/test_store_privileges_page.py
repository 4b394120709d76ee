"""The privileges of docs/reliability.md are those of the code, and so those that are tried on a real Elasticsearch."""

import json
import re
from pathlib import Path

from sentinel.store.answers import PRIVILEGES

PAGE = Path(__file__).parents[2] / "docs/reliability.md"


def test_page_shows_the_privileges_of_the_code() -> None:
    """Purpose by purpose the same privileges on the same names, and none is left out."""
    shown: dict[str, object] = {}
    for block in re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL):
        shown |= json.loads(block)

    wanted = {
        purpose: {
            "cluster": list(parts.get("cluster", ())),
            "indices": [
                {"names": names.replace("<index>", "logs-sentinel").split(","), "privileges": list(privileges)}
                for names, privileges in parts.items()
                if names != "cluster"
            ],
        }
        for purpose, parts in PRIVILEGES.items()
    }
    assert shown == wanted

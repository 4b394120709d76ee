"""`python -m deployments`: make a running Prefect server know this project; repeating it changes nothing."""

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

from prefect.client.orchestration import get_client

from deployments.automations import put_automations
from deployments.pool import put_pool

log = logging.getLogger("deployments")

MANIFEST = Path("prefect.yaml")


async def prepare() -> None:
    """Create or update the work pool and the automations."""
    async with get_client() as client:
        await put_pool(client, python=sys.executable)
        await put_automations(client)


def main() -> int:
    """Prepare the server, apply prefect.yaml, and return the exit code."""
    if not MANIFEST.exists():
        print("deployments: there is no prefect.yaml here; run this in the project's root", file=sys.stderr)  # noqa: T201
        return 2
    asyncio.run(prepare())
    return subprocess.run([sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())

"""`python -m deployments`: make a running Prefect server know this project; repeating it changes nothing."""

import asyncio
import logging
import subprocess
import sys
from pathlib import Path

import yaml
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


async def missing() -> list[str]:
    """The entrypoints of prefect.yaml that the server does not know; `prefect deploy --all` ends well without them."""
    wanted = [one["entrypoint"] for one in yaml.safe_load(MANIFEST.read_text())["deployments"]]
    async with get_client() as client:
        known = {one.entrypoint for one in await client.read_deployments()}
    return [entrypoint for entrypoint in wanted if entrypoint not in known]


def main() -> int:
    """Prepare the server, apply prefect.yaml, and return the exit code."""
    if not MANIFEST.exists():
        return _fail("there is no prefect.yaml here; run this in the project's root", code=2)
    asyncio.run(prepare())
    done = subprocess.run([sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"], check=False)
    if done.returncode:
        return done.returncode
    left_out = asyncio.run(missing())
    return _fail(f"not deployed: {', '.join(left_out)}; the lines above say why", code=1) if left_out else 0


def _fail(text: str, *, code: int) -> int:
    print(f"deployments: {text}", file=sys.stderr)  # noqa: T201 a command's answer
    return code


if __name__ == "__main__":
    sys.exit(main())

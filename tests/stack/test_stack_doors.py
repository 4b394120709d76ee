"""The real stack's Prefect server, asked by strangers; and what it must leave alone."""

import asyncio
import base64
import http.client
import json
import stat
import urllib.error
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

import pytest
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.settings import PREFECT_API_AUTH_STRING, PREFECT_API_URL, temporary_settings
from prefect.states import Pending

from deployments.automations import NEVER_STARTED, crash_never_started, put_automations
from deployments.pool import POOL, put_pool
from tests.stack.running import PATIENCE_S, Running, running_stack, wait_until

pytestmark = [
    pytest.mark.stack,
    pytest.mark.slow,
    pytest.mark.timeout(900),
    # Prefect leaves its event sockets to the garbage collector
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]

STRANGER = "http://evil.example"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A started stack whose home is not in the checkout, and whose user has a Prefect server of their own."""
    home = tmp_path_factory.mktemp("a home")
    foreign = "http://127.0.0.1:9/api"
    root = tmp_path_factory.mktemp("a checkout")
    with running_stack(root, "--no-sample", LOG_SENTINEL_HOME=str(home), PREFECT_API_URL=foreign) as running:
        yield running


def send(stack: Running, method: str, path: str, **headers: str) -> http.client.HTTPResponse:
    """A request with exactly these headers (`_` for `-`), and a body that makes a flow where it may."""
    body = json.dumps({"name": "from-elsewhere"}).encode() if method == "POST" else b""
    with closing(http.client.HTTPConnection(urlsplit(stack.prefect).netloc, timeout=PATIENCE_S)) as connection:
        connection.request(method, path, body, {name.replace("_", "-"): value for name, value in headers.items()})
        answer = connection.getresponse()
        answer.read()
    return answer


def login(key: str) -> str:
    return "Basic " + base64.b64encode(key.encode()).decode()


@pytest.mark.parametrize("host", ["", "localhost", "evil.example", "127.0.0.1:80"])
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/api/flows/"),
        ("POST", "/api/deployments/filter"),
        ("GET", "/api/work_pools/sentinel"),
        ("PATCH", "/api/work_pools/sentinel"),
        ("POST", "/api/events"),
        ("GET", "/api/admin/settings"),
        ("GET", "/api/openapi.json"),
        ("POST", "/api/health"),
        ("GET", "/api/variables/name/health"),
        ("GET", "/api//health"),
    ],
)
def test_stranger_is_refused_whatever_the_host(stack: Running, method: str, path: str, host: str) -> None:
    """Without the key, and with a wrong one, no route of the API answers."""
    headers = {"Host": host} if host else {}

    bare = send(stack, method, path, **headers)
    wrong = send(stack, method, path, Authorization=login("sentinel:guess"), **headers)

    assert (bare.status, wrong.status) == (401, 401)


@pytest.mark.parametrize("path", ["/api/health", "/api/ready", "/"])
def test_health_and_pages_need_no_key(stack: Running, path: str) -> None:
    """A probe and the login page are for everybody."""
    assert send(stack, "GET", path).status == 200


def test_preflight_from_elsewhere_is_refused(stack: Running) -> None:
    """A browser that asks whether a foreign page may send a key or JSON is told no; our own pages are told yes."""
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "authorization,content-type"}
    port = urlsplit(stack.prefect).port

    foreign = send(stack, "OPTIONS", "/api/flows/", Origin=STRANGER, **asked)
    other_port = send(stack, "OPTIONS", "/api/flows/", Origin=f"http://localhost:{port + 1}", **asked)
    own = [send(stack, "OPTIONS", "/api/flows/", Origin=f"http://{name}:{port}", **asked) for name in OWN]

    for refused in (foreign, other_port):
        assert refused.status == 400
        assert refused.getheader("Access-Control-Allow-Origin") is None
    assert [one.getheader("Access-Control-Allow-Origin") for one in own] == [f"http://{name}:{port}" for name in OWN]


OWN = ("127.0.0.1", "localhost")


def test_simple_request_from_elsewhere_changes_nothing(stack: Running) -> None:
    """What a foreign page can send without asking first is refused, and its answer is not for that page to read."""
    before = stack.post("/flows/count", {})

    answer = send(stack, "POST", "/api/flows/", Origin=STRANGER, Content_Type="text/plain")

    assert answer.status == 401
    assert answer.getheader("Access-Control-Allow-Origin") is None
    assert stack.post("/flows/count", {}) == before


@pytest.mark.parametrize("path", ["/api/events/in", "/api/events/out", "/api/logs/out"])
@pytest.mark.parametrize("protocol", ["", "prefect"])
async def test_socket_of_a_stranger_is_closed(stack: Running, path: str, protocol: str) -> None:
    """A foreign page may open a WebSocket to any server; ours hears nothing before the key."""
    import websockets

    url = stack.prefect.removesuffix("/api").replace("http", "ws") + path
    with pytest.raises((websockets.exceptions.ConnectionClosed, websockets.exceptions.InvalidHandshake)):  # noqa: PT012
        async with websockets.connect(url, origin=STRANGER, subprotocols=[protocol] if protocol else None) as socket:
            await socket.send(json.dumps({"type": "auth", "token": "guess"}))
            while True:
                message = json.loads(await socket.recv())
                assert message["type"] != "auth_success", message


def test_key_is_a_secret_of_its_owner(stack: Running) -> None:
    """The file is readable by its owner alone, lies in the home, and no command line or environment shows the key."""
    profile = stack.home / "prefect" / "profiles.toml"
    shown = [line for line in stack.processes().values() if stack.prefect_key in line]

    assert stat.S_IMODE(profile.stat().st_mode) == 0o600
    assert (stack.root / "var" / "prefect" / "profiles.toml").resolve() == profile.resolve()
    assert stack.prefect_key not in stack.printed
    assert str(profile) in stack.printed
    assert shown == []


def test_deployment_runs_with_nothing_exported_when_the_home_is_elsewhere(stack: Running) -> None:
    """The command of the README finds server and key through prefect.toml alone."""
    stack.run_deployment("collect-files/every-minute")


@pytest.mark.parametrize(
    "parameters",
    [{"max_records": -5}, {"max_records": 10**9}, {"max_records": "many"}, {"since": "yesterday"}],
)
def test_parameter_out_of_bounds_makes_no_run(stack: Running, parameters: dict[str, Any]) -> None:
    """Prefect's server refuses it, before any worker reads a record."""
    deployment = stack.get(f"{stack.prefect}/deployments/name/retrain-detector/nightly")["id"]
    body = {"parameters": parameters, "enforce_parameter_schema": True}

    def refusal() -> int:
        """The status of the refusal; 0 for one that says "later", as a busy server does."""
        with pytest.raises(urllib.error.HTTPError) as caught:
            stack.post(f"/deployments/{deployment}/create_flow_run", body)
        caught.value.close()
        return caught.value.code if caught.value.code != http.HTTPStatus.SERVICE_UNAVAILABLE else 0

    assert wait_until(refusal, lambda: stack.printed) in {409, 422}


def test_foreign_server_is_named_when_it_is_not_used(stack: Running) -> None:
    """PREFECT_API_URL of the shell is not passed over in silence."""
    assert "PREFECT_API_URL=http://127.0.0.1:9/api is not used" in stack.printed


def test_temporary_files_lie_in_the_home(stack: Running) -> None:
    """Nothing that is started uses the folder that all users share."""
    folder = stack.home / "tmp"

    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert (folder / "runner_storage").is_dir()


@pytest.fixture
def own_server(stack: Running) -> Iterator[None]:
    """This process talks to the stack's Prefect server."""
    with temporary_settings({PREFECT_API_URL: stack.prefect, PREFECT_API_AUTH_STRING: stack.prefect_key}):
        yield


async def pending_run(pool: str) -> str:
    """A run of a deployment in this pool, taken by a worker that is never heard of again."""
    async with get_client() as client:
        flow = await client.create_flow_from_name(f"flow-of-{pool}")
        deployment = await client.create_deployment(
            flow, f"in-{pool}", work_pool_name=pool, enforce_parameter_schema=False
        )
        run = await client.create_flow_run_from_deployment(deployment, state=Pending())
    return str(run.id)


async def test_pending_run_of_another_pool_is_left_alone(stack: Running, own_server: None) -> None:
    """Only a run of our pool is marked as crashed when nothing came of it."""
    async with get_client() as client:
        await client.create_work_pool(WorkPoolCreate(name="of-others", type="kubernetes"))
        known = await client.read_automations_by_name(NEVER_STARTED)
        await client.update_automation(known[0].id, crash_never_started(within_s=10))
    foreign, ours = await pending_run("of-others"), await pending_run(POOL)

    def state(run: str) -> str:
        return str(stack.get(f"{stack.prefect}/flow_runs/{run}")["state"]["type"])

    await asyncio.to_thread(wait_until, lambda: state(ours) == "CRASHED", lambda: f"{state(ours)}\n{stack.printed}")
    await asyncio.sleep(15)

    assert state(foreign) == "PENDING"
    async with get_client() as client:
        await put_automations(client)
        [again] = await client.read_automations_by_name(NEVER_STARTED)
    assert again.trigger.within.total_seconds() == 300  # type: ignore[union-attr]


async def test_pool_keeps_what_a_user_changed(stack: Running, own_server: None) -> None:
    """A restart of the stack brings a stale command of ours up to date, and nothing else."""
    async with get_client() as client:
        pool = (await client.read_work_pool(POOL)).model_dump(mode="json")
        variables: dict[str, Any] = pool["base_job_template"]["variables"]["properties"]
        variables["env"]["default"] = {"MINE": "1"}
        variables["command"]["default"] = "/moved/.venv/bin/python -m prefect.engine"
        template = pool["base_job_template"]
        changed = {"base_job_template": template, "concurrency_limit": 3, "description": "mine"}
        await client._client.patch(f"/work_pools/{POOL}", json=changed)

        await put_pool(client, python="/new place/python")
        kept = await client.read_work_pool(POOL)
        variables["command"]["default"] = "my own command"
        await client._client.patch(f"/work_pools/{POOL}", json={"base_job_template": template})
        await put_pool(client, python="/new place/python")
        own = await client.read_work_pool(POOL)

    found = kept.base_job_template["variables"]["properties"]
    assert found["command"]["default"] == "'/new place/python' -m prefect.engine"
    assert found["env"]["default"] == {"MINE": "1"}
    assert (kept.concurrency_limit, kept.description) == (3, "mine")
    assert own.base_job_template["variables"]["properties"]["command"]["default"] == "my own command"

"""A run of our pool that its worker never started is marked as crashed, so that it does not hold up the next.

Runs of other pools are nobody's business here: five minutes are normal for a pod that waits for a node. A run that had
begun is looked after by its worker, and by the supervisor, which knows when the worker died; the automation on silent
heartbeats that Prefect's documentation shows fires on healthy runs
(<https://github.com/PrefectHQ/prefect/issues/21932>), so that the one made by earlier versions is removed.
"""

from datetime import timedelta

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState

from deployments.pool import POOL

__all__ = ["NEVER_STARTED", "crash_never_started", "put_automations"]

PENDING_S = 300
NEVER_STARTED = "log-sentinel: crash runs that never started"
RETIRED = ("log-sentinel: crash runs that went silent",)

LEFT = ("Completed", "Failed", "Cancelled", "Crashed", "TimedOut", "Running")
PUT_OFF = ("AwaitingConcurrencySlot", "AwaitingRetry", "Scheduled")


def crash_never_started(*, within_s: int = PENDING_S) -> AutomationCore:
    """Mark a run of our pool as crashed that is still pending after `within_s` seconds (10 or more)."""
    message = f"Pending for {within_s} s: the worker that took the run is gone. The next run does its work."
    return AutomationCore(
        name=NEVER_STARTED,
        description=message,
        trigger=EventTrigger(
            posture=Posture.Proactive,
            match={"prefect.resource.id": "prefect.flow-run.*"},
            match_related={"prefect.resource.role": "work-pool", "prefect.resource.name": POOL},
            for_each={"prefect.resource.id"},
            after={"prefect.flow-run.Pending"},
            expect={f"prefect.flow-run.{name}" for name in (*LEFT, *PUT_OFF)},
            threshold=1,
            within=timedelta(seconds=within_s),
        ),
        actions=[ChangeFlowRunState(name="Crashed", state=StateType.CRASHED, message=message, force=False)],
    )


async def put_automations(client: PrefectClient) -> None:
    """Create the automation, or bring it up to date, and remove what earlier versions made."""
    wanted = crash_never_started()
    known = await client.read_automations_by_name(wanted.name)
    retired = [one for name in RETIRED for one in await client.read_automations_by_name(name)]
    for surplus in (*known[1:], *retired):
        await client.delete_automation(surplus.id)
    if known:
        await client.update_automation(known[0].id, wanted)
    else:
        await client.create_automation(wanted)

"""Runs whose process is gone are marked as crashed, so that none of them holds up the next.

After <https://docs.prefect.io/v3/advanced/detect-zombie-flows>: a run that stops sending heartbeats is dead.
"""

from datetime import timedelta

from prefect.automations import AutomationCore, EventTrigger, Posture
from prefect.client.orchestration import PrefectClient
from prefect.client.schemas.objects import StateType
from prefect.events.actions import ChangeFlowRunState

__all__ = ["AUTOMATIONS", "put_automations"]

SILENT_S = 120  # four heartbeats of prefect.toml's flows.heartbeat_frequency
PENDING_S = 300

ENDED = {f"prefect.flow-run.{name}" for name in ("Completed", "Failed", "Cancelled", "Crashed", "TimedOut")}
WAITING = {f"prefect.flow-run.{name}" for name in ("AwaitingConcurrencySlot", "AwaitingRetry", "Scheduled")}
STARTED = {"prefect.flow-run.Running", *WAITING}


def _crash_unless(name: str, *, after: str, expect: set[str], within_s: int, message: str) -> AutomationCore:
    """Mark a run as crashed when, `within_s` seconds after one event, none of the expected ones has come."""
    return AutomationCore(
        name=name,
        description=message,
        trigger=EventTrigger(
            posture=Posture.Proactive,
            match={"prefect.resource.id": "prefect.flow-run.*"},
            for_each={"prefect.resource.id"},
            after={after},
            expect=expect,
            threshold=1,
            within=timedelta(seconds=within_s),
        ),
        actions=[ChangeFlowRunState(name="Crashed", state=StateType.CRASHED, message=message, force=False)],
    )


AUTOMATIONS = (
    _crash_unless(
        "log-sentinel: crash runs that went silent",
        after="prefect.flow-run.heartbeat",
        expect={"prefect.flow-run.heartbeat", *ENDED},
        within_s=SILENT_S,
        message=f"No heartbeat for {SILENT_S} s: the run's process is gone. The next run goes on where it stopped.",
    ),
    _crash_unless(
        "log-sentinel: crash runs that never started",
        after="prefect.flow-run.Pending",
        expect={*STARTED, *ENDED},
        within_s=PENDING_S,
        message=f"Pending for {PENDING_S} s: the worker that took the run is gone. The next run does its work.",
    ),
)


async def put_automations(client: PrefectClient) -> None:
    """Create the automations, or bring them up to date."""
    for automation in AUTOMATIONS:
        known = await client.read_automations_by_name(automation.name)
        for surplus in known[1:]:
            await client.delete_automation(surplus.id)
        if known:
            await client.update_automation(known[0].id, automation)
        else:
            await client.create_automation(automation)

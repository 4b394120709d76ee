"""Learn from the store and serve what was learnt: when somebody asks, and after an upgrade without a model to serve."""

import asyncio
import logging

from sentinel.errors import TerminalError, TransientError
from serving.parts import Parts
from serving.problems import ProblemError

__all__ = ["learn_from_store", "relearn", "take_up"]

log = logging.getLogger(__name__)

FIRST_LOAD_S = 600.0
RETRY_S = 30.0  # the store is away, or another process is training


async def learn_from_store(parts: Parts, *, exclude_anomalies: bool | None = None) -> dict[str, object]:
    """Train on what the store holds, and serve the new model before the answer. ProblemError 409 where a training is
    under way; else errors as `Trainer.from_store`."""
    with parts.trainer.claim():
        answer = await parts.trainer.from_store(exclude_anomalies=exclude_anomalies)
    return await take_up(parts, answer)


async def take_up(parts: Parts, answer: dict[str, object]) -> dict[str, object]:
    """The answer of a training; where its model was promoted, once it is in service."""
    if answer.get("promoted"):
        version = str(answer["model_version"])
        answer["in_service"] = await parts.detect.serve(version, timeout_s=parts.limits.reload_wait_s)
    return answer


async def relearn(parts: Parts) -> None:
    """Where another release made the champion, learn anew from the store until there is a model that can be served.

    Nothing to learn from ends it: then somebody has to send logs to `/train`.
    """
    await parts.detect.first_load(timeout_s=FIRST_LOAD_S)
    while parts.live.is_outdated:
        log.warning("learning anew from the store: another release made the model problem=%s", parts.live.problem)
        try:
            await learn_from_store(parts)
        except TerminalError as exc:
            log.error("not learnt anew error=%s", exc)
            return
        except (TransientError, ProblemError) as exc:
            log.warning("not learnt anew yet retry_s=%.0f error=%s", RETRY_S, exc)
            await asyncio.sleep(RETRY_S)

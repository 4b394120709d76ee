"""Count what the actor of a line does: its rates, what it meets for the first time, and how much that is different."""

import numpy as np

from sentinel.detect.kernel.flags import Flag
from sentinel.detect.kernel.hashing import NONE, mix
from sentinel.detect.kernel.jit import Floats, compiled
from sentinel.detect.kernel.keys import Key
from sentinel.detect.kernel.table import (
    DISTINCT0,
    DISTINCT1,
    DISTINCT2,
    EDGE,
    HITS,
    Memory,
    bump,
    touch,
)
from sentinel.detect.remember.rates import is_first, three_spans
from sentinel.detect.remember.raw import COLUMN

__all__ = ["actor_pairs", "actor_rates"]


@compiled
def actor_rates(
    memory: Memory,
    actor: np.uint64,
    template: np.uint64,
    at_template: int,
    flags: int,
    t: float,
    taught: float,
    out: Floats,
) -> np.uint64:
    """Rates of the actor and of its pair with the template, and their distinct counts; returns the pair's key."""
    edge, core = memory.edge, memory.core
    pair_key = mix(Key.ACTOR_TEMPLATE, actor, template)
    pair = touch(memory, EDGE, pair_key, t)
    fresh = is_first(edge.rows, pair, t)
    out[COLUMN.new_address] = edge.rows[pair, HITS]
    bump(edge.rows, pair, t, taught)
    mine = touch(memory, EDGE, mix(Key.ACTOR, actor, NONE), t)
    bump(edge.rows, mine, t, taught)
    edge.rows[mine, DISTINCT0] += fresh if flags & Flag.USUAL == 0 else 0.0
    core.rows[at_template, DISTINCT0] += fresh
    three_spans(edge.rows, mine, out, COLUMN.actor0)
    three_spans(edge.rows, pair, out, COLUMN.pair0)
    out[COLUMN.actor_templates] = edge.rows[mine, DISTINCT0]
    out[COLUMN.template_actors] = core.rows[at_template, DISTINCT0]
    return pair_key


@compiled
def actor_pairs(
    memory: Memory,
    address: np.uint64,
    user: np.uint64,
    param: np.uint64,
    template: np.uint64,
    at_template: int,
    flags: int,
    t: float,
    taught: float,
    out: Floats,
) -> None:
    """First-seen flags and distinct counts of user, address and parameter."""
    edge = memory.edge
    if user != NONE:
        place = touch(memory, EDGE, mix(Key.TEMPLATE_USER, template, user), t)
        memory.core.rows[at_template, DISTINCT1] += is_first(edge.rows, place, t)
        out[COLUMN.new_user] = edge.rows[place, HITS]
        out[COLUMN.template_users] = memory.core.rows[at_template, DISTINCT1]
        bump(edge.rows, place, t, taught)
    if address != NONE and user != NONE:
        place = touch(memory, EDGE, mix(Key.ACTOR_USER, address, user), t)
        fresh = is_first(edge.rows, place, t)
        out[COLUMN.new_pair] = edge.rows[place, HITS]
        bump(edge.rows, place, t, taught)
        place = touch(memory, EDGE, mix(Key.USER, user, NONE), t)
        bump(edge.rows, place, t, taught)
        edge.rows[place, DISTINCT0] += fresh
        out[COLUMN.user_actors] = edge.rows[place, DISTINCT0]
        place = touch(memory, EDGE, mix(Key.ACTOR, address, NONE), t)
        edge.rows[place, DISTINCT1] += fresh
        out[COLUMN.actor_users] = edge.rows[place, DISTINCT1]
    actor = address if address != NONE else user
    if actor != NONE and param != NONE and flags & Flag.USUAL == 0:
        place = touch(memory, EDGE, mix(Key.ACTOR_PARAM, actor, param), t)
        fresh = is_first(edge.rows, place, t)
        bump(edge.rows, place, t, taught)
        place = touch(memory, EDGE, mix(Key.ACTOR, actor, NONE), t)
        edge.rows[place, DISTINCT2] += fresh
        out[COLUMN.actor_params] = edge.rows[place, DISTINCT2]

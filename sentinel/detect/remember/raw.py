"""The raw values that the state pass gives of each line: their names, and the columns that they stand in."""

__all__ = ["RAW", "RAW_INDEX"]

RAW = (
    "lines hits_template hits_source hits_template_source hits_level_source"
    " hits_after_source hits_before_source hits_after_session hits_before_session gap_template gap_source"
    " template0 template1 template2 source0 source1 source2 actor0 actor1 actor2 pair0 pair1 pair2"
    " source_bad0 source_bad1 source_bad2 all_bad0 all_bad1 all_bad2 failures0 failures1 failures2"
    " source_failures0 source_failures1 source_failures2 actor_templates actor_users actor_params user_actors"
    " template_actors template_users failing_actors failing_users new_address new_user new_pair"
    " burst_lines burst_s mean0 mean1 mean2 mean3 means_seen user_failures windows windows_template hits_probe"
    " guessed_users known_actor"
).split()
"""What the pass says of each line, in this order: hits are lines taught before it; `…0 …1 …2` are counts decayed over
15, 180 and 1,800 s with the line itself; distinct counts are decayed over 600 s; gaps are seconds; windows are spans of
600 s in which there was anything, and in which the template was there; −1 = not applicable."""

RAW_INDEX = {name: i for i, name in enumerate(RAW)}
(
    C_LINES,
    C_TEMPLATE,
    C_SOURCE,
    C_TEMPLATE_SOURCE,
    C_LEVEL_SOURCE,
    C_AFTER_SOURCE,
    C_BEFORE_SOURCE,
    C_AFTER_SESSION,
    C_BEFORE_SESSION,
    C_GAP_TEMPLATE,
    C_GAP_SOURCE,
) = range(11)
C_R_TEMPLATE, C_R_SOURCE, C_R_ACTOR, C_R_PAIR, C_R_SOURCE_BAD, C_R_ALL_BAD, C_R_FAILURES, C_R_SOURCE_FAILURES = range(
    11, 35, 3
)
(
    C_ACTOR_TEMPLATES,
    C_ACTOR_USERS,
    C_ACTOR_PARAMS,
    C_USER_ACTORS,
    C_TEMPLATE_ACTORS,
    C_TEMPLATE_USERS,
    C_FAILING_ACTORS,
    C_FAILING_USERS,
    C_NEW_ADDRESS,
    C_NEW_USER,
    C_NEW_PAIR,
    C_BURST_LINES,
    C_BURST_S,
    C_MEAN0,
) = range(35, 49)
C_MEANS_SEEN, C_USER_FAILURES, C_WINDOWS, C_WINDOWS_TEMPLATE, C_PROBE, C_GUESSED, C_KNOWN = 52, 53, 54, 55, 56, 57, 58

"""What was seen before a line: bounded memory walked in order, saved and restored."""

"""Lines that do not come."""

"""The one place of the numbers that somebody chose: value, unit, origin, and what each is for."""

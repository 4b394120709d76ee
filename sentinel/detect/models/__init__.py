"""A trained model: as values, in files that are signed, and the pointer to the one that serves."""

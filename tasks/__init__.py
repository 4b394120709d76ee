"""Prefect's policy on one verb of the pipeline each: retries, timeout, artifact; what a verb does is not said here."""

"""The HTTP server: requests in, one pipeline verb each, answers out. Imports the core alone, never Prefect."""

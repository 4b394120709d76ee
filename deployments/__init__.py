"""Work pool, automations and the step that applies `prefect.yaml`; no flow is written here."""

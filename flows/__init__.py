"""The order of tasks in each flow; a flow is a list of task calls and decides nothing about data."""

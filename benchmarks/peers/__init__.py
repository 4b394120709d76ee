"""What a user would write otherwise."""

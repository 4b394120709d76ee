"""Training: what is usual, from records without labels, and whether the new model may serve."""

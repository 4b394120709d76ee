"""What is known of a line in, how improbable it is out: surprises, tails, forest, channels, habits, nats."""

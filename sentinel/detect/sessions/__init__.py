"""Lines that share an id, judged as a whole: learnt, followed, and told when they are strange."""

"""Benchmarks: each figure beside a peer that stands for what a user would write otherwise, side by side in one run."""

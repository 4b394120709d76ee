"""Made blocks: the same for a seed, whole, failing as often as asked."""

from datetime import UTC, datetime

import polars as pl

from sentinel.evaluation.blocks import SPAN_S, make_blocks

START = datetime(2026, 5, 4, tzinfo=UTC)


def test_blocks_are_made_as_asked() -> None:
    """Lines are in order and within the span; every line names a block of the truth; a tenth of the blocks fails."""
    lines, truth = make_blocks(1_000, start=START, anomalous=0.1, seed=3)
    named = lines["message"].str.extract_all(r"blk_-?\d+")
    assert lines["timestamp"].is_sorted()
    assert (lines["timestamp"].max() - START).total_seconds() <= SPAN_S  # type: ignore[operator]
    assert set(named.explode().to_list()) == set(truth["session"].to_list())
    assert 25 <= named.list.len().max() <= 30  # type: ignore[operator]
    assert 70 <= truth["label"].sum() <= 130
    assert not lines["message"].str.contains(r"\{").any()


def test_blocks_are_the_same_when_the_seed_is() -> None:
    """Seed and count decide every line."""
    one, two = (make_blocks(50, start=START, anomalous=0.5, seed=9) for _ in range(2))
    assert one[0].equals(two[0])
    assert one[1].equals(two[1])
    assert not make_blocks(50, start=START, anomalous=0.5, seed=8)[0].equals(one[0])


def test_usual_block_is_written_three_times() -> None:
    """Without failures every block that is not cut by the end was stored as often as it was received."""
    lines, _ = make_blocks(200, start=START, anomalous=0.0, seed=2)
    counts = lines.group_by(pl.col("message").str.extract(r"(blk_-?\d+)")).agg(
        received=pl.col("message").str.contains("Receiving block").sum(),
        stored=pl.col("message").str.contains("blockMap updated").sum(),
    )
    assert (counts["received"] == counts["stored"]).mean() > 0.98  # type: ignore[operator]

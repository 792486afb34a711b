"""The Slack face: one more way to reach the same operations."""

"""What the composer offers while one types a command: the same rows that help is made from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.apps import apps

from bot.conf import OWN_LABELS
from bot.slack.commands import ROWS, SLASH


def rows() -> dict[str, Any]:
    """The slash command, its subcommands with their usage, and words to follow them."""
    return {
        "command": SLASH,
        "rows": [
            {
                "name": row.name,
                "summary": row.summary,
                "words": " ".join(row.words),
                "options": [f"--{one.name}" for one in row.options],
                "takes_app": "[app]" in row.words,
            }
            for row in ROWS
        ],
        "apps": _apps(),
    }


def _apps() -> list[str]:
    """The labels that one may name after a command: apps whose package has migrations."""
    found = [config for config in apps.get_app_configs() if config.label not in OWN_LABELS]
    return sorted(
        config.label
        for config in found
        if (Path(config.path) / "migrations" / "__init__.py").exists()
    )

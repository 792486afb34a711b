"""``doctor``: is everything there that the bot needs, and what to do where it is not."""

from __future__ import annotations

from argparse import ArgumentParser
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from bot.management.desk import Desk
from bot.management.exits import Exit
from bot.moment import utc_now
from bot.route.visible import visible


def arguments(parser: ArgumentParser) -> None:
    """It takes none."""


def run(options: Mapping[str, Any], desk: Desk) -> Exit:
    """Say each diagnosis as it is made; REFUSED when anything is wrong."""
    from bot.slack.doctor import examine  # which loads Slack's SDK: other subcommands need none

    words = {True: "good   ", False: "WRONG  ", None: "unknown"}
    found = []
    for diagnosis in examine(now=utc_now()):
        found.append(diagnosis)
        if not desk.as_json:
            desk.out.write(f"{words[diagnosis.ok]}  {diagnosis.name}: {visible(diagnosis.words)}")
            if diagnosis.ok is not True and diagnosis.remedy:
                desk.out.write(f"         {visible(diagnosis.remedy)}")
    wrong = [diagnosis for diagnosis in found if diagnosis.ok is False]
    if desk.as_json:
        desk.document({"ok": not wrong, "diagnoses": [asdict(diagnosis) for diagnosis in found]})
    return Exit.REFUSED if wrong else Exit.FINE

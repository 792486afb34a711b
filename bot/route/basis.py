"""What an approval is bound to, and in words how two of them differ."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisStep:
    """``digest`` is SHA-256, in hex, over the migration file's bytes and any RunSQL text."""

    key: str
    direction: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Basis:
    """Everything a plan rests on.

    ``identity`` names the database itself, not a connection to it. ``rests_on`` holds the applied
    rows (``app.name``, sorted) that the steps depend on. SQL is no part of it: the same code gives
    different SQL for random and time defaults. Nor is ``release``, which only helps to explain a
    difference.
    """

    identity: str
    steps: tuple[BasisStep, ...]
    rests_on: tuple[str, ...]
    release: str = ""

    @property
    def fingerprint(self) -> str:
        """64 hex digits: SHA-256 over the canonical JSON of identity, steps and applied rows."""
        text = json.dumps(
            {
                "version": 1,
                "identity": self.identity,
                "steps": [[step.key, step.direction, step.digest] for step in self.steps],
                "rests_on": sorted(self.rests_on),
            },
            sort_keys=True,
            separators=(",", ":"),
            ensure_ascii=True,
        )
        return hashlib.sha256(text.encode("ascii")).hexdigest()


def differences(approved: Basis, found: Basis) -> tuple[str, ...]:
    """Say in words why ``found`` is not what was ``approved``; empty when it is the same."""
    if approved.fingerprint == found.fingerprint:
        return ()
    words: list[str] = []
    if approved.identity != found.identity:
        words.append("This is another database than the one the approval was given for.")
    before = {(s.key, s.direction): s.digest for s in approved.steps}
    after = {(s.key, s.direction): s.digest for s in found.steps}
    applied_now = set(found.rests_on) - set(approved.rests_on)
    for (key, direction), digest in before.items():
        if (key, direction) in after:
            if digest != after[key, direction]:
                words.append(f"{key} was edited after approval, or a file it uses.")
        elif direction == "backward":
            words.append(f"{key} was unapplied meanwhile, or nothing asks for undoing it now.")
        elif key in applied_now:
            words.append(f"{key} was applied meanwhile.")
        else:
            words.append(f"{key} was approved, but is not pending now.")
    for key, direction in after:
        if (key, direction) not in before:
            verb = "undone" if direction == "backward" else "run"
            words.append(f"{key} would be {verb} too now, and nobody approved that.")
    words += [f"{key} was applied meanwhile." for key in sorted(applied_now)]
    words += [
        f"{key} was unapplied meanwhile."
        for key in sorted(set(approved.rests_on) - set(found.rests_on))
        if (key, "backward") not in before and found.steps  # no steps rest on nothing
    ]
    if not words:
        words.append("The steps are the same, but in another order.")
    if approved.release != found.release:
        words.append(
            f"This worker runs another release: {found.release or 'unnamed'}, "
            f"and {approved.release or 'an unnamed one'} was approved."
        )
    return tuple(dict.fromkeys(words))

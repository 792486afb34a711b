"""What an undo is called: whoever asks for one or approves it reads that word first."""

from __future__ import annotations

from collections.abc import Callable, Iterable


def undone(directions: Iterable[str]) -> int:
    """How many steps go back."""
    return sum(direction == "backward" for direction in directions)


def back_to(target: str, name: Callable[[str], str] = str) -> str:
    """``back to shop 0009``; of ``shop zero`` ``back to before the first migration of shop``.
    ``name`` is how a name is written."""
    app, _, migration = target.partition(" ")
    if migration == "zero":
        return f"back to before the first migration of {name(app)}"
    return f"back to {name(target)}"


def undo(target: str, on: str, steps: int, name: Callable[[str], str] = str) -> str:
    """``undo 2 steps, back to shop 0009 on default``. ``on`` is the database as it is written."""
    many = "1 step" if steps == 1 else f"{steps} steps"
    return f"undo {many}, {back_to(target, name)} on {on}"


def asked(target: str, on: str, steps: int, undone: int, name: Callable[[str], str] = str) -> str:
    """``shop 0009 on default, 2 steps``, or ``undo 2 steps, back to shop 0009 on default``."""
    if undone and undone == steps:
        return undo(target, on, steps, name)
    many = "1 step" if steps == 1 else f"{steps} steps"
    return f"{name(target)} on {on}, {many}" + (f", {undone} of them undone" if undone else "")

"""Text that others wrote, with what cannot be seen, or changes how the rest is seen, made visible.

Names, SQL and error texts come from code, databases and people. An escape sequence in one could
rewrite a terminal; a right-to-left override could show one statement and mean another.
"""

from __future__ import annotations

import unicodedata

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
"""Unicode categories: controls, formats (bidirectional and zero-width marks), line separators."""


def visible(text: str, *, lines: bool = False) -> str:
    """``text`` with each such character as its escape, ``\\x1b`` or ``\\u202e``.

    With ``lines``, newlines and tabs stay what they are; a carriage return before a newline goes.
    """
    if lines:
        text = text.replace("\r\n", "\n")
    return "".join(c if (lines and c in "\n\t") or not _is_hidden(c) else _escape(c) for c in text)


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in _HIDDEN


def _escape(character: str) -> str:
    code = ord(character)
    if character in "\n\t\r":
        return {"\n": "\\n", "\t": "\\t", "\r": "\\r"}[character]
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"

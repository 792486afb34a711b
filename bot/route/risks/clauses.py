"""Reads one clause of an ALTER TABLE, and takes names and lists apart."""

from __future__ import annotations

import re

from bot.route.risks.verbs import Action, Verb

NAME = r'(?:"(?:[^"]|"")+"|`(?:[^`]|``)+`|\[[^\]]+\]|[\w$]+)'
TABLE = rf"(?:{NAME}\.)?({NAME})"


def unquoted(name: str) -> str:
    """``"Shop"`` as ``Shop``; what was not quoted stays as it is written."""
    if name[:1] in '"`[' and len(name) > 1:
        return name[1:-1].replace('""', '"').replace("``", "`")
    return name


_CLAUSES: list[tuple[re.Pattern[str], Verb]] = [
    (re.compile(pattern, re.IGNORECASE), verb)
    for pattern, verb in (
        (rf"RENAME\s+(?:TO|AS)\s+{TABLE}$", Verb.RENAME_TABLE),
        (rf"SET\s+SCHEMA\s+({NAME})$", Verb.RENAME_TABLE),
        (rf"RENAME\s+(?:INDEX|KEY|CONSTRAINT)\s+({NAME})\s+TO\s+({NAME})", Verb.RENAME_INDEX),
        (rf"RENAME\s+(?:COLUMN\s+)?({NAME})\s+TO\s+({NAME})", Verb.RENAME_COLUMN),
        (rf"ADD\s+(?:CONSTRAINT\s+({NAME})\s+)?CHECK\b", Verb.ADD_CHECK),
        (rf"ADD\s+(?:CONSTRAINT\s+({NAME})\s+)?FOREIGN\s+KEY\b", Verb.ADD_FOREIGN_KEY),
        (rf"ADD\s+(?:CONSTRAINT\s+({NAME})\s+)?PRIMARY\s+KEY\b", Verb.ADD_PRIMARY_KEY),
        (rf"ADD\s+(?:CONSTRAINT\s+({NAME})\s+)?UNIQUE\b", Verb.ADD_UNIQUE),
        (rf"ADD\s+(?:CONSTRAINT\s+({NAME})\s+)?EXCLUDE\b", Verb.ADD_EXCLUDE),
        (rf"ADD\s+(?:INDEX|KEY)\s+({NAME})", Verb.CREATE_INDEX),
        (rf"ADD\s+(?:COLUMN\s+)?(?:IF\s+NOT\s+EXISTS\s+)?({NAME})", Verb.ADD_COLUMN),
        (rf"DROP\s+(?:CONSTRAINT|FOREIGN\s+KEY|CHECK)\s+(?:IF\s+EXISTS\s+)?({NAME})",
         Verb.DROP_CONSTRAINT),
        (r"DROP\s+(PRIMARY\s+KEY)", Verb.DROP_CONSTRAINT),
        (rf"DROP\s+(?:INDEX|KEY)\s+(?:IF\s+EXISTS\s+)?({NAME})", Verb.DROP_INDEX),
        (rf"DROP\s+(?:COLUMN\s+)?(?:IF\s+EXISTS\s+)?({NAME})", Verb.DROP_COLUMN),
        (rf"ALTER\s+(?:COLUMN\s+)?({NAME})\s+(?:SET\s+DATA\s+)?TYPE\b", Verb.ALTER_TYPE),
        (rf"ALTER\s+(?:COLUMN\s+)?({NAME})\s+SET\s+NOT\s+NULL", Verb.SET_NOT_NULL),
        (rf"ALTER\s+(?:COLUMN\s+)?({NAME})\s+SET\s+STATISTICS\b", Verb.TUNE),
        (rf"ALTER\s+(?:COLUMN\s+)?({NAME})\s+DROP\s+(?:DEFAULT|IDENTITY)\b", Verb.DROP_DEFAULT),
        (rf"ALTER\s+(?:COLUMN\s+)?({NAME})\s+(?:SET|DROP|ADD|RESTART)\b", Verb.ALTER_LIGHT),
        (r"(?:CLUSTER\s+ON|SET\s+WITHOUT\s+CLUSTER)\b", Verb.TUNE),
        (r"SET\s+(?:UN)?LOGGED\b", Verb.REWRITE),
        (r"(?:RE)?SET\s*\(\s*(?:fillfactor|autovacuum|toast|n_distinct|parallel)", Verb.TUNE),
        (rf"ATTACH\s+PARTITION\s+{TABLE}", Verb.ATTACH),
        (rf"ALTER\s+INDEX\s+({NAME})", Verb.ALTER_LIGHT),
        (rf"CHANGE\s+(?:COLUMN\s+)?{NAME}\s+({NAME})", Verb.MODIFY),
        (rf"MODIFY\s+(?:COLUMN\s+)?({NAME})", Verb.MODIFY),
        (rf"VALIDATE\s+CONSTRAINT\s+({NAME})", Verb.VALIDATE),
        (r"COMMENT\b", Verb.COMMENT),
    )
]  # fmt: skip


def read_clause(table: str, clause: str) -> Action:
    for pattern, verb in _CLAUSES:
        if found := pattern.match(clause):
            groups = [unquoted(group or "") for group in found.groups()]
            to = groups[1] if len(groups) > 1 else ""
            name = groups[0] if groups else ""
            if verb is Verb.RENAME_TABLE:
                moved = clause[:3].upper() == "SET"
                name, to = "", f"{name}.{table}" if moved else name
            if verb is Verb.ATTACH:
                table, name, to = name, "", table
            if references := re.search(rf"\bREFERENCES\s+{TABLE}", clause, re.IGNORECASE):
                to = unquoted(references[1])
            return Action(
                verb=verb,
                table=table,
                name=name,
                to=to,
                rest=clause[found.end() :].lower().strip(),
                not_valid=bool(re.search(r"\bNOT\s+VALID\b", clause, re.IGNORECASE)),
            )
    return Action(verb=Verb.UNKNOWN, table=table, rest=clause.lower())


def split(text: str) -> list[str]:
    """At commas outside of brackets and quotes."""
    parts, depth, start, quote = [], 0, 0, ""
    for place, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in '"`':
            quote = sign
        elif sign in "([":
            depth += 1
        elif sign in ")]":
            depth -= 1
        elif sign == "," and not depth:
            parts.append(text[start:place].strip())
            start = place + 1
    return [part for part in (*parts, text[start:].strip()) if part]

"""Who did something, as the audit keeps it and as rules compare it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Origin(StrEnum):
    """The face through which somebody came."""

    PAGE = "page"
    COMMAND_LINE = "command_line"
    SLACK = "slack"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """A person or the system. ``account`` is the primary key of a staff account, as text.

    ``os_user`` is ``user@host`` of a command line. None of it grants anything: operations look the
    account up again at the moment of action.
    """

    origin: Origin
    account: str = ""
    name: str = ""
    team: str = ""
    slack_user: str = ""
    os_user: str = ""

    def to_json(self) -> dict[str, Any]:
        """Only what is known, so that entries stay short."""
        fields = {
            "origin": str(self.origin),
            "account": self.account,
            "name": self.name,
            "team": self.team,
            "slack_user": self.slack_user,
            "os_user": self.os_user,
        }
        return {key: value for key, value in fields.items() if value}

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Actor:
        return cls(**{**data, "origin": Origin(data["origin"])})

    @property
    def login(self) -> str:
        """The login name of a command line, without the host."""
        return self.os_user.partition("@")[0]

    def is_same_login_as(self, other: Actor, *, hosts_apart: bool = False) -> bool:
        """Whether both came from one operating-system login.

        The name alone decides: a host's name is no mark of a person, a container has another one
        each time it starts. With ``hosts_apart`` one name on two hosts is two people.
        """
        if hosts_apart:
            return bool(self.os_user) and self.os_user == other.os_user
        return bool(self.login) and self.login == other.login

    def is_same_person_as(self, other: Actor, *, hosts_apart: bool = False) -> bool:
        """Whether any trustworthy mark says that both are one person.

        Two accounts used from one operating-system login at the command line count as one: a shell
        can name any account.
        """
        if self.account and self.account == other.account:
            return True
        if self.slack_user and (self.team, self.slack_user) == (other.team, other.slack_user):
            return True
        return self.is_same_login_as(other, hosts_apart=hosts_apart)


SYSTEM = Actor(origin=Origin.SYSTEM, name="migration bot")

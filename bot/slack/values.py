"""What crosses the Slack face as plain values, with JSON both ways. No Django, no Bolt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """A text file that goes with a message: ``name`` with its ending, ``title`` for people."""

    name: str
    title: str
    content: str

    def to_json(self) -> dict[str, str]:
        return {"name": self.name, "title": self.title, "content": self.content}

    @classmethod
    def from_json(cls, data: dict[str, str]) -> FileView:
        return cls(name=data["name"], title=data["title"], content=data["content"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as Slack takes it.

    ``text`` says everything that matters, for screen readers and notifications; ``blocks`` are
    Block Kit as plain dicts, empty for a message of text alone; ``metadata`` has ``event_type`` and
    ``event_payload``; ``file`` is uploaded into the message's thread.
    """

    text: str
    blocks: tuple[dict[str, Any], ...] = ()
    metadata: dict[str, Any] | None = None
    file: FileView | None = None

    def keyed(self, key: str) -> Message:
        """The same message, its metadata naming the delivery that it is found again by."""
        if self.metadata is None:
            raise ValueError("a message without metadata cannot be found again by a key")
        payload = {**self.metadata["event_payload"], "key": key}
        return replace(self, metadata={**self.metadata, "event_payload": payload})

    def arguments(self) -> dict[str, Any]:
        """Keyword arguments for ``chat.postMessage`` and ``chat.update``.

        ``parse`` is said each time: ``chat.update`` would turn names in data into mentions.
        """
        given: dict[str, Any] = {
            "text": self.text,
            "blocks": list(self.blocks),
            "parse": "none",
            "link_names": False,
        }
        if self.metadata is not None:
            given["metadata"] = self.metadata
        return given

    def to_json(self) -> dict[str, Any]:
        return {
            "text": self.text,
            "blocks": list(self.blocks),
            "metadata": self.metadata,
            "file": self.file.to_json() if self.file else None,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Message:
        return cls(
            text=data["text"],
            blocks=tuple(data["blocks"]),
            metadata=data["metadata"],
            file=FileView.from_json(data["file"]) if data["file"] else None,
        )

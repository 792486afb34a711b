"""A Slack that fails as told, and a sender that goes on until nothing waits."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import requests
import responses

from bot import outbox
from bot.models import Delivery
from bot.slack import sending
from tests.plans import NOW
from tests.slack.payloads import CHANNEL, SETTINGS

API = SETTINGS["slack_api_url"]


class FakeSlack:
    """Keeps messages as Slack does; ``faults`` are what happens to the next posts and edits."""

    def __init__(self, *, searchable: bool = True) -> None:
        self.messages: dict[str, dict[str, Any]] = {}
        self.order: list[str] = []
        self.faults: list[str] = []
        self.searchable = searchable
        self.error = ""
        self.calls: Counter[str] = Counter()
        for method in ("chat.postMessage", "chat.update"):
            responses.add_callback("POST", API + method, callback=self._write(method))
        for method in ("conversations.history", "conversations.replies"):
            for verb in ("GET", "POST"):
                responses.add_callback(verb, API + method, callback=self._search)
        for method in ("files.getUploadURLExternal", "files.completeUploadExternal"):
            responses.add_callback("POST", API + method, callback=self._file)

    def sent(self) -> list[str]:
        """The deliveries' keys, in the order of the channel."""
        return [self.messages[ts]["key"] for ts in self.order]

    def _write(self, method: str) -> Callable[[Any], tuple[int, dict[str, str], str]]:
        def answer(request: Any) -> tuple[int, dict[str, str], str]:
            self.calls[method] += 1
            fault = self.faults.pop(0) if self.faults else "ok"
            if self.error:
                return 200, {}, json.dumps({"ok": False, "error": self.error})
            if fault == "429":
                body = json.dumps({"ok": False, "error": "ratelimited"})
                return 429, {"Retry-After": "7"}, body
            ts = "" if "not taken" in fault else self._take(method, body_of(request))
            if fault.startswith("cut"):
                raise requests.ConnectionError("cut")
            if fault.startswith("500"):
                return 500, {}, "<html>oops</html>"
            return 200, {}, json.dumps({"ok": True, "ts": ts, "channel": CHANNEL})

        return answer

    def _take(self, method: str, body: dict[str, Any]) -> str:
        if method == "chat.update":
            self.messages[body["ts"]] |= body
            return str(body["ts"])
        ts = f"{1763899200 + len(self.order)}.000100"
        payload = (body.get("metadata") or {}).get("event_payload", {})
        self.messages[ts] = {**body, "ts": ts, "key": payload.get("key", "")}
        self.order.append(ts)
        return ts

    def _search(self, request: Any) -> tuple[int, dict[str, str], str]:
        self.calls["search"] += 1
        if not self.searchable:
            return 200, {}, json.dumps({"ok": False, "error": "missing_scope"})
        found = [
            {"ts": ts, "metadata": self.messages[ts].get("metadata")} for ts in reversed(self.order)
        ]
        return 200, {}, json.dumps({"ok": True, "messages": found})

    def _file(self, request: Any) -> tuple[int, dict[str, str], str]:
        return 200, {}, json.dumps({"ok": False, "error": "not in this test"})


def body_of(request: Any) -> dict[str, Any]:
    """What a request to Slack says, however it is encoded."""
    text = request.body.decode() if isinstance(request.body, bytes) else request.body
    if text.startswith("{"):
        found: dict[str, Any] = json.loads(text)
        return found
    fields: dict[str, Any] = {name: values[0] for name, values in parse_qs(text).items()}
    for name in ("blocks", "metadata"):
        if name in fields:
            fields[name] = json.loads(fields[name])
    return fields


def drain(now: datetime = NOW, *, minutes: int = 240) -> datetime:
    """Send until nothing waits, with a clock that jumps to whatever is due next."""
    end = now + timedelta(minutes=minutes)
    while now < end:
        for channel in (CHANNEL, outbox.REPLIES):
            sending.deliver(channel, clock=lambda: now)  # noqa: B023 - called at once
        waiting = Delivery.objects.filter(state=Delivery.PENDING).order_by("due_at").first()
        if waiting is None:
            break
        now = max(now + timedelta(seconds=1), waiting.due_at)
    return now

"""A child's line to its parent: the job comes in, messages go out, and answers come back."""

from __future__ import annotations

import os
import threading
from typing import IO

from bot.database.messages import Answer, Job, Message
from bot.database.messages_json import from_line, to_line

NOBODY = "Nobody was there any more to watch over this run."


class Line:
    """The child's ends of the two pipes. A parent that is gone never makes a step fail."""

    def __init__(self, orders: int, messages: int) -> None:
        self._orders: IO[bytes] = os.fdopen(orders, "rb")
        self._messages = messages
        self._turn = threading.Lock()
        self.alone = False
        """Whether the parent is known to be gone."""

    @property
    def orders(self) -> int:
        """The descriptor on which the parent's words come, and their end when it is gone."""
        return self._orders.fileno()

    def job(self) -> Job | None:
        """The job, the first line of all; None when the parent went before it said one."""
        line = self._orders.readline()
        job: Job | None = from_line(line) if line.endswith(b"\n") else None
        return job

    def send(self, message: Message) -> None:
        """Tell the parent. Threads take turns."""
        data = to_line(message)
        with self._turn:
            try:
                while data:
                    data = data[os.write(self._messages, data) :]
            except BrokenPipeError:
                self.alone = True

    def ask(self, message: Message) -> Answer:
        """Tell the parent and wait for its word; no word is a no."""
        self.send(message)
        line = b"" if self.alone else self._orders.readline()
        if not line.endswith(b"\n"):
            self.alone = True
            return Answer(go=False, because=NOBODY)
        answer: Answer = from_line(line)
        return answer

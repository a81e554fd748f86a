"""The outbox of the examples in Python, for what must be done however often the connection breaks."""
import asyncio
import json
import os
import uuid
from link import LATER, encoded, say

WAITING = 1000  # requests


def save(path, value):
    """Written beside it and then renamed, so that the file is never half written."""
    with open(path + ".new", "w") as file:
        json.dump(value, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(path + ".new", path)


class Outbox:
    """What must be done, and once. It waits here until the backend has answered it. Each thing gets a key of its own.
    The backend does the same thing under the same key once (it remembers for 24 hours), so after a broken connection
    it is just sent again, with the key that it had. It does not matter whether the request or only the answer was
    lost. With a file, it outlives our own end as well."""

    def __init__(self, path=None):
        self.path, self.filled, self.waiting = path, asyncio.Event(), []
        self.line = 0  # bytes at the most; the link says how many
        if path and os.path.exists(path):
            with open(path) as file:
                self.waiting = json.load(file)

    def save(self):
        if self.path:
            save(self.path, self.waiting)

    def put(self, cmd, **args):
        """Gives None where it is taken, else why it is not."""
        request = {"key": uuid.uuid4().hex, "cmd": cmd, "args": args}
        if len(encoded(request)) > self.line - 64:  # the id comes to it
            return "That is too long for the backend. Say it in fewer words."
        if len(self.waiting) >= WAITING:
            return "Too much waits for the backend. Say it again a little later."
        self.waiting.append(request)
        self.save()
        say(f"outbox: {cmd} waits")
        return self.filled.set()

    async def send(self, link):
        """One after the other, in order; what is not answered stays the first."""
        while True:
            while self.waiting:
                first = self.waiting[0]
                reply = await link.ask(first["cmd"], first["key"], **first["args"])
                if reply.get("code") in LATER:
                    await asyncio.sleep((reply.get("data") or {}).get("retry_after", 5))
                    continue
                self.waiting.pop(0)
                self.save()
                say(f"outbox: {first['cmd']}: {reply['msg']}")
            self.filled.clear()
            await self.filled.wait()

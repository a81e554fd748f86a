"""The way to the backend, for host.py and visitor.py: one connection that is made again whenever it breaks,
and an outbox for what must be done however often it breaks. Python's standard library is all it needs."""
import asyncio
import json
import os
import random
import uuid

GONE = {"state": "ERROR", "code": "unavailable", "msg": "The backend cannot be reached at the moment."}
LATER = ("unavailable", "busy", "slow_down")  # what is refused with these may be asked again a little later


def say(*words):
    print(*words, flush=True)  # at once, also into a pipe


class Outbox:
    """What must be done, and once. It waits here until the backend has answered it. Each
    thing gets a key of its own. The backend does the same thing under the same key once (it remembers for 24
    hours), so after a broken connection it is just sent again, with the key that it had. It does not matter
    whether the request or only the answer was lost. With a file, it outlives our own end as well."""

    def __init__(self, path=None):
        self.path, self.filled, self.waiting = path, asyncio.Event(), []
        if path and os.path.exists(path):
            with open(path) as file:
                self.waiting = json.load(file)

    def save(self):
        if self.path:
            # Written beside it and then renamed, so that the file is never half written.
            with open(self.path + ".new", "w") as file:
                json.dump(self.waiting, file)
                file.flush()
                os.fsync(file.fileno())
            os.replace(self.path + ".new", self.path)

    def put(self, cmd, **args):
        self.waiting.append({"key": uuid.uuid4().hex, "cmd": cmd, "args": args})
        self.save()
        say(f"outbox: {cmd} waits")
        self.filled.set()

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


class Refused(Exception):
    """The backend does not take us, and trying again would not help."""


class Link:
    """`begin` is awaited on each new connection, to say who we are: with `send`, since all others, with `ask`,
    have to wait until that is done. `heard` is called with each event."""

    def __init__(self, address, mode, outbox, begin, heard):
        self.host, _, port = address.rpartition(":")
        self.port, self.mode, self.outbox, self.begin, self.heard = int(port), mode, outbox, begin, heard
        self.last, self.asked, self.wait, self.ready = 0, {}, 0.5, False

    def ask(self, cmd, key=None, /, **args):
        if self.ready:
            return self.send(cmd, key, **args)
        gone = asyncio.get_running_loop().create_future()
        gone.set_result(GONE)
        return gone

    def send(self, cmd, key=None, /, **args):
        """Sends at once, so requests go out in the order of the calls; await the result to get the reply."""
        reply = asyncio.get_running_loop().create_future()
        self.last += 1
        self.asked[self.last] = reply
        request = {"id": self.last, "cmd": cmd, "args": args, **({"key": key} if key else {})}
        self.writer.write(json.dumps(request).encode() + b"\n")
        return reply

    async def run(self):
        while True:
            try:
                await self.connection()
            except (OSError, ValueError, asyncio.TimeoutError) as error:
                # Longer each time, and not all at the same moment: the backend may have just been started.
                wait = self.wait * random.uniform(0.5, 1)
                say(f"no connection ({error or 'silence'}), the next try in {wait:.1f} s")
                await asyncio.sleep(wait)
                self.wait = min(self.wait * 2, 60)

    async def connection(self):
        """One connection, from its first line to its end."""
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port, limit=1 << 20)
        tasks = []
        try:
            await self.line()  # the greeting; where we are not let in, it is an ERROR
            self.writer.write(f"MODE {self.mode}\n".encode())
            await self.line()
            tasks = [asyncio.create_task(task) for task in (self.read(), self.work())]
            await asyncio.gather(*tasks)
        finally:
            for task in tasks:
                task.cancel()
            self.ready = False
            self.writer.close()
            for reply in self.asked.values():
                if not reply.done():
                    reply.set_result(GONE)
            self.asked = {}

    async def work(self):
        await self.begin()
        self.ready, self.wait = True, 0.5  # should it break now, the first wait is short again
        say("connected")
        await self.outbox.send(self)

    async def line(self):
        try:
            line = await asyncio.wait_for(self.reader.readline(), 60)
        except asyncio.TimeoutError:
            # Nothing for long. If the backend still is there, it answers this.
            self.send("PING")
            line = await asyncio.wait_for(self.reader.readline(), 30)
        if not line:
            raise ConnectionError("the backend has closed it")
        message = json.loads(line)
        if not self.asked and message.get("state") == "ERROR":
            raise ConnectionError(message["msg"])  # an answer to nothing we asked: we are not let in
        return message

    async def read(self):
        while True:
            message = await self.line()
            if message.get("event") == "ping":
                self.send("PING")  # a game server that was silent for 30 seconds is asked whether it lives
            elif "event" in message:
                self.heard(message)
            elif reply := self.asked.pop(message.get("id"), None):
                if not reply.done():
                    reply.set_result(message)

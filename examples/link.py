"""The way to the backend, for all that stays connected: one connection that is made again whenever it breaks.
Python's standard library is all it needs."""
import asyncio
import json
import random

GONE = {"state": "ERROR", "code": "unavailable", "msg": "The backend cannot be reached at the moment."}
LATER = ("unavailable", "busy", "slow_down")  # what is refused with these may be asked again a little later
LINE = {"CLIENT": 8 << 10, "SERVER": 64 << 10}  # bytes; the backend does not read a longer one


def say(*words):
    print(*words, flush=True)  # at once, also into a pipe


def encoded(request):
    """As UTF-8: written as \\u…, what is not ASCII would take up to three times as much."""
    return json.dumps(request, ensure_ascii=False).encode(errors="replace") + b"\n"


class Refused(Exception):
    """The backend does not take us, and trying again would not help."""


class Link:
    """`begin` is awaited on each new connection, to say who we are: with `send`, since all others, with `ask`,
    have to wait until that is done. `heard` is called with each event."""

    def __init__(self, address, mode, outbox, begin, heard):
        self.host, _, port = address.rpartition(":")
        self.port, self.mode, self.outbox, self.begin, self.heard = int(port), mode, outbox, begin, heard
        self.last, self.asked, self.wait, self.ready = 0, {}, 0.5, False
        outbox.line = LINE[mode]

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
        self.writer.write(encoded(request))
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
            elif self.asked:
                # A line that the backend could not read is answered without an id. Answers come in order of what was
                # asked, so this is for the oldest. Nobody would wait for it else, and it would be sent for ever.
                reply = self.asked.pop(message.get("id", next(iter(self.asked))), None)
                if reply and not reply.done():
                    reply.set_result(message)

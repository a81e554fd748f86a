"""A visitor's client: shows the worlds, goes into one, talks to people anywhere.

    python3 visitor.py zed localhost:53450

Python's standard library is all it needs. It reads lines: `worlds`, `enter WORLD`, `tell NAME TEXT`, `quit`; whatever
else is said goes to the world that one is in. With a password in SSMGLOBAL_PASSWORD it logs in as a player.
"""
import asyncio, os, sys, threading
from link import LATER, Link, Refused, say
from outbox import Outbox


class Client:
    def __init__(self, name, address):
        self.name = name
        # In memory only. What a player says is said once. For a visitor the backend keeps no keys: what was not
        # answered when the connection broke is said again, and may be heard twice. That is better than not at all.
        self.link = Link(address, "CLIENT", Outbox(), self.begin, self.heard)
        self.world = None  # where to write to the world

    async def begin(self):
        """On each new connection. The name is kept for a visitor for two minutes after the connection before."""
        password = os.environ.get("SSMGLOBAL_PASSWORD")
        if password:
            reply = await self.link.send("LOGIN", name=self.name, password=password)
        else:
            reply = await self.link.send("VISITOR", name=self.name)
        if reply["state"] != "OK":
            raise (ConnectionError if reply["code"] in LATER else Refused)(reply["msg"])
        say(f"you are on as {self.name}")

    def heard(self, event):
        if event["event"] in ("tell", "broadcast"):
            say(f"[{event['event']}] {event['from']}: {event['body']}")
        elif event["event"] == "taken_over":
            raise Refused(event["msg"])  # to come back would throw out that other one, and so on for ever
        elif "msg" in event:
            say(f"[{event['event']}] {event['msg']}")

    async def worlds(self):
        page = {}
        while True:
            reply = await self.link.ask("WORLDS", **page)
            if reply["state"] != "OK":
                return say(reply["msg"])
            for world in reply["data"]["worlds"]:
                say(f"{world['name']}: {world['players']} of {world['max']}")
            # Lists come in pages: `next` of one is asked for the one behind it.
            page = {"after": reply["data"]["next"]}
            if page["after"] is None:
                return None

    async def enter(self, world):
        """Asks to be let in, goes where the world is, and shows the pass there. It is good once, for a minute."""
        reply = await self.link.ask("WORLD ENTER", world=world)
        if reply["state"] != "OK":
            return say(reply["msg"])
        told = reply["data"]
        try:
            reader, writer = await asyncio.open_connection(told["address"], told["port"])
        except OSError as error:
            return say(f"{told['world']} cannot be reached: {error}")
        if self.world:
            self.world.close()  # one world at a time
        self.world = writer
        writer.write(told["pass"].encode() + b"\n")
        asyncio.ensure_future(self.listen(told["world"], reader, writer))

    async def listen(self, world, reader, writer):
        try:
            while line := await reader.readline():
                say(f"{world}: {line.decode(errors='replace').strip()}")
        except (OSError, ValueError):
            pass
        writer.close()
        say(f"you have left {world}")
        if self.world is writer:
            self.world = None

    async def said(self, line):
        word, _, rest = line.partition(" ")
        to, _, body = rest.partition(" ")
        if word == "worlds":
            await self.worlds()
        elif word == "enter":
            await self.enter(rest)
        elif word == "tell":
            refused = self.link.outbox.put("TELL", to=to, body=body)
            if refused:
                say(refused)
        elif self.world:
            self.world.write(line.encode() + b"\n")
        else:
            say("worlds, enter WORLD, tell NAME TEXT, quit")


async def main(name, address):
    client, lines = Client(name, address), asyncio.Queue()
    loop = asyncio.get_running_loop()

    def keyboard():
        # A thread, since reading from a keyboard cannot be waited for together with connections everywhere.
        for line in sys.stdin.buffer:  # as bytes: what is no text is repaired, and does not end us
            loop.call_soon_threadsafe(lines.put_nowait, line.decode(errors="replace").strip())
        loop.call_soon_threadsafe(lines.put_nowait, "quit")

    threading.Thread(target=keyboard, daemon=True).start()
    running = asyncio.create_task(client.link.run())
    while not running.done():
        waiting = asyncio.create_task(lines.get())
        await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            line = waiting.result()
            if line == "quit":
                return "Goodbye."
            await client.said(line)
    return f"The backend does not take us: {running.exception()}"


say(asyncio.run(main(*sys.argv[1:])))
os._exit(0)  # at once: an ordinary end waits for the thread that reads

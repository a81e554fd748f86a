"""A bot: a player who is a program. It answers those who TELL it something.

    SSMGLOBAL_PASSWORD=… python3 bot.py robbie localhost:53450

Register its name first, as a player's. `tell robbie hello`, `tell robbie best sprint`; on all else it says what it knows.
"""
import asyncio, os, sys, time
from link import LATER, Link, Refused, say
from outbox import Outbox

PAUSE = 600  # seconds until it explains itself again to the same one
KNOWN = 1000  # of whom it knows that it has explained itself


class Bot:
    def __init__(self, name, address):
        self.name, self.explained = name, {}
        # In memory only: an answer that is late by more than a restart of ours is none. What was not answered when the connection
        # broke is sent again, and heard once.
        self.link = Link(address, "CLIENT", Outbox(), self.begin, self.heard)

    async def begin(self):
        """On each new connection: who we are. A player has nothing else to say again, but what he watches."""
        reply = await self.link.send("LOGIN", name=self.name, password=os.environ.get("SSMGLOBAL_PASSWORD"))
        if reply["state"] != "OK":
            raise (ConnectionError if reply["code"] in LATER else Refused)(reply["msg"])
        say(f"on as {reply['data']['player']}")

    def heard(self, event):
        if event["event"] == "tell":
            # An event is not waited for: what is asked for it is answered behind it.
            asyncio.ensure_future(self.told(event["from"], event["body"]))
        elif event["event"] == "taken_over":
            raise Refused(event["msg"])  # to come back would throw out that other one, and so on for ever
        elif event["event"] == "notice":
            say(f"notice: {event['msg']}")

    async def told(self, sender, body):
        answer = await self.answer(sender, body.split())
        if answer is None:
            return say(f"nothing for {sender}")
        # A sender's name is what TELL takes, for players and visitors alike.
        refused = self.link.outbox.put("TELL", to=sender, body=answer)
        if refused:
            say(f"no answer to {sender}: {refused}")

    async def answer(self, sender, words):
        first = words[0].lower() if words else ""
        if first == "hello":
            return f"Good day, {sender}."
        if first == "best" and len(words) == 2:
            reply = await self.link.ask("RECORD TOP", board=words[1], limit=3)
            if reply["state"] != "OK":
                return reply["msg"]  # it says what was probably meant
            rows = reply["data"]["records"]
            best = ", ".join(f"{row['rank']}. {row['player']} {row['score']}" for row in rows)
            return f"{reply['data']['board']} ({reply['data']['unit']}): {best or 'nobody yet'}"
        # Two bots that explain themselves to each other would never end: once is enough for a while.
        now = time.monotonic()
        if now - self.explained.get(sender, -PAUSE) < PAUSE:
            return None
        while len(self.explained) >= KNOWN:
            self.explained.pop(next(iter(self.explained)))
        self.explained[sender] = now
        return "I am a bot. I know: hello, best BOARD."


if len(sys.argv) != 3:
    sys.exit("usage: SSMGLOBAL_PASSWORD=… bot.py NAME HOST:PORT")
try:
    asyncio.run(Bot(*sys.argv[1:]).link.run())
except Refused as why:
    sys.exit(f"The backend does not take us: {why}")
except KeyboardInterrupt:
    pass

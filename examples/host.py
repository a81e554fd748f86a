"""Hosts worlds: lets players in by their passes, shows them what is for them, keeps their scores.

    python3 host.py host.json

README.md shows such a file; ../docs/protocol.md explains each command. The game is small: a player's first line
is his pass; then `score NUMBER` and `mail NAME TEXT` go to the backend; all else is heard by all in his world.
"""
import asyncio, json, signal, sys
from door import Door
from link import LATER, Link, Refused, say
from outbox import Outbox


class Host:
    def __init__(self, path):
        self.config = json.load(open(path))  # has the key and the passwords: only we may read it
        self.worlds = self.config["worlds"]  # the hosting password of each
        self.guests = set()
        self.link = Link(self.config["backend"], "SERVER", Outbox(path + ".outbox"), self.begin, self.heard)

    async def begin(self):
        """On each new connection: who we are, which worlds are ours, who is there."""
        reply = await self.link.send("AUTH", name=self.config["server"], key=self.config["key"])
        if reply["state"] != "OK":
            raise (ConnectionError if reply["code"] in LATER else Refused)(reply["msg"])
        for world in list(self.worlds):
            await self.start(world)
        # When the whole backend was restarted, it knows of nobody, and refuses who has shown his pass before that.
        guests = list(self.guests)
        replies = [self.link.send("ENTER", player=guest.name, world=guest.world) for guest in guests]
        for guest, reply in zip(guests, replies):
            if (await reply)["state"] != "OK":
                self.send_away(guest, "The backend does not know you any more. Come again with a new pass.")
        # Of all others it thinks that they are where they were: who is not named now has left meanwhile.
        for world in self.worlds:
            self.link.send("PRESENT", world=world, players=[guest.name for guest in self.inside(world)])
            self.link.send("HOST SAY", world=world, users=len(self.inside(world)))

    async def start(self, world):
        where = {"port": self.port, "address": self.config.get("address")}
        reply = await self.link.send("HOST START", world=world, password=self.worlds[world], **where)
        if reply["state"] == "OK":
            say(f"{world} is open{' again' if reply['data']['resumed'] else ''}")
        elif reply["code"] in (*LATER, "hosted_elsewhere"):
            say(f"{world} is not open yet: {reply['msg']}")
            asyncio.get_running_loop().call_later(30, self.start_later, world)
        else:
            self.close(world, reply["msg"])

    def start_later(self, world):
        if self.link.ready and world in self.worlds:
            asyncio.ensure_future(self.start(world))

    def close(self, world, why):
        say(f"{world} is closed: {why}")
        self.worlds.pop(world, None)
        for guest in self.inside(world):
            self.send_away(guest, f"{world} is closed: {why}")

    def send_away(self, guest, why):
        guest.tell(why)
        guest.close()
        self.guests.discard(guest)

    def heard(self, event):
        kind, to, text = event["event"], event.get("to"), event.get("body") or event.get("subject")
        say(f"event: {kind}")
        if kind == "world_stopped":  # disabled, expired, or another host has it: it is not ours any more
            self.close(event["world"], event["msg"])
        elif kind == "world_changed":
            say(f"{event['world']} has room for {event['users']} now")
        elif kind == "guest_registered":  # a visitor is a player now, and stays
            for guest in self.inside(name=event["visitor"]):
                guest.name = event["player"]
        elif kind == "guest_rights":
            to, text = event["player"], " ".join(event["rights"])
        # With `to` it is for players who have no connection but the one to us: `tell`, `mail`, `broadcast`.
        for guest in self.guests:
            if to and guest.name in (to if isinstance(to, list) else [to]):
                guest.tell(f"[{kind}] {event.get('from', 'the backend')}: {text}")

    def inside(self, world=None, name=None):
        return [guest for guest in self.guests if world in (None, guest.world) and name in (None, guest.name)]

    async def player(self, guest, word):
        # We name no world: there is one door for all of ours, and the reply says for which one the pass is.
        reply = await self.link.ask("PASS REDEEM", **{"pass": word}, address=guest.address)
        if reply["state"] == "OK":
            guest.world, guest.name = reply["data"]["world"], reply["data"]["player"]
            reply = await self.link.ask("ENTER", player=guest.name, world=guest.world)
        if reply["state"] != "OK":
            return guest.tell(f"You cannot come in: {reply['msg']}")
        for other in self.inside(guest.world, guest.name):
            self.send_away(other, "You have come in a second time.")
        self.guests.add(guest)
        guest.tell(f"Welcome to {guest.world}, {guest.name}.")
        self.count(guest.world)
        try:
            while (line := await guest.line()) is not None:
                self.said(guest, line)
        finally:
            if guest in self.guests:
                self.guests.discard(guest)
                self.link.ask("LEAVE", player=guest.name, world=guest.world)
                self.count(guest.world)

    def count(self, world):
        self.link.ask("HOST SAY", world=world, users=len(self.inside(world)))

    def said(self, guest, line):
        word, _, rest = line.partition(" ")
        to, _, body = rest.partition(" ")
        put, refused = self.link.outbox.put, None
        if word == "score":
            refused = put("RECORD SUBMIT", board=self.config["board"], score=rest, player=guest.name)
        elif word == "mail":
            refused = put("MAIL SEND", to=to, body=body, subject=f"From {guest.name}")
        else:
            for other in self.inside(guest.world):
                other.tell(f"{guest.name}: {line}")
        if refused:
            guest.tell(refused)


async def main(path):
    host, stop = Host(path), asyncio.Event()
    door = Door(host.config.get("guests", 500), host.config.get("pass_seconds", 30), host.player)
    server = await asyncio.start_server(door.come, host.config["listen"], host.config["port"])
    host.port = server.sockets[0].getsockname()[1]  # 0 in the file stands for any that is free
    say(f"players come in at port {host.port}")
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    running = asyncio.create_task(host.link.run())
    await asyncio.wait({running, asyncio.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED)
    if running.done():
        sys.exit(f"The backend does not take us: {running.exception()}")
    for world in host.worlds:  # said, they are free for others at once; just gone, they are kept for 30 seconds
        await host.link.ask("HOST STOP", world=world)


asyncio.run(main(sys.argv[1]))

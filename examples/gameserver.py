"""A game server: who guesses the number? Scores, letters and words to other servers go through the backend.

    python3 gameserver.py game.json

README.md shows such a file; ../docs/protocol.md explains each command. A player's first line is a pass, which `PASS arena`
gives him at the backend. Then a number is a guess, and all else is heard on all servers of the channel.
"""
import asyncio, json, os, random, sys
from door import Door
from link import LATER, Link, Refused, say
from outbox import Outbox, save


class Game:
    def __init__(self, path):
        self.config = json.load(open(path))  # has the key: only we may read it
        self.most, self.players, self.seen, self.seen_file = self.config.get("guests", 500), {}, {}, path + ".seen"
        if os.path.exists(self.seen_file):
            self.seen = json.load(open(self.seen_file))
        self.link = Link(self.config["backend"], "SERVER", Outbox(path + ".outbox"), self.begin, self.heard)
        self.new_number()

    def new_number(self):
        self.number = random.randint(1, self.config.get("highest", 100))

    async def begin(self):
        """On each new connection, since all of this ends with the one before: who we are, who is here, what WORLDS shows, and
        what we listen to. When only a part of the backend dies, the connection stays, and so does all of this."""
        reply = await self.link.send("AUTH", name=self.config["server"], key=self.config["key"])
        if reply["state"] != "OK":
            raise (ConnectionError if reply["code"] in LATER else Refused)(reply["msg"])
        here = [(guest, self.link.send("ENTER", player=name)) for name, guest in self.players.items()]
        for guest, reply in here:
            if (await reply)["state"] != "OK":  # disabled meanwhile
                guest.close()
        self.show(self.link.send)
        # What was said on the channel meanwhile comes first. The first time we begin with what is said from now on.
        reply = await self.link.send("RELAY JOIN", channel=self.config["channel"], **self.seen)
        if reply["state"] != "OK":
            return say(f"we do not hear the others: {reply['msg']}")
        say(f"gone on the channel: {reply['data']['missed']}")  # None where nobody knows
        if reply["data"]["waiting"] == 0:
            self.heard_up_to(reply["data"])

    def show(self, ask):
        ask("STATUS SET", map="guess", players=len(self.players), max=self.most, address=self.config.get("address"))

    def heard_up_to(self, message):
        self.seen = {"since": message["number"], "epoch": message["epoch"]}
        save(self.seen_file, self.seen)

    def heard(self, event):
        kind, body, to = event["event"], event.get("body") or event.get("subject"), event.get("to", [])
        if kind == "relay" and "missed" not in event:  # never one of our own
            if event["channel"]:
                self.heard_up_to(event)
            self.tell_all(f"[{event['from']}] {body}")
        else:
            say(f"event: {kind} {event.get('msg', '')}")
        # With `to` it is for players who have no connection but the one to us: `tell`, `mail`, `broadcast`.
        for name in to if isinstance(to, list) else [to]:
            if name in self.players:
                self.players[name].tell(f"[{kind}] {event.get('from')}: {body}")

    def tell_all(self, text):
        for player in self.players.values():
            player.tell(text)

    async def player(self, guest, word):
        reply = await self.link.ask("PASS REDEEM", **{"pass": word})
        if reply["state"] != "OK":
            return guest.tell(f"You cannot come in: {reply['msg']}")
        name, guesses = reply["data"]["player"], 0
        if name in self.players:
            return guest.tell("You are here already.")
        self.players[name] = guest
        self.link.ask("ENTER", player=name)
        self.show(self.link.ask)
        guest.tell(f"Welcome, {name}. Which number is it?")
        try:
            while (line := await guest.line()) is not None:
                if not (line.isascii() and line.isdigit() and len(line) < 10):
                    self.said(f"{name}: {line}")
                    continue
                guesses += 1
                if int(line) == self.number:
                    self.won(name, guesses)
                    guesses = 0
                else:
                    guest.tell("No. It is more." if int(line) < self.number else "No. It is less.")
        finally:
            del self.players[name]
            self.link.ask("LEAVE", player=name)
            self.show(self.link.ask)

    def said(self, text):
        self.tell_all(text)  # our own words do not come back from the channel
        self.link.outbox.put("RELAY SEND", channel=self.config["channel"], body=text)

    def won(self, name, guesses):
        """All of it waits in the outbox until the backend has done it, and is done once, whatever breaks."""
        self.said(f"{name} has guessed {self.number} with {guesses}.")
        self.link.outbox.put("RECORD SUBMIT", board=self.config["board"], player=name, score=guesses)
        self.link.outbox.put("MAIL SEND", to=name, subject="You have won", body=f"It was {self.number}.")
        self.new_number()


async def main(path):
    game = Game(path)
    door = Door(game.most, game.config.get("pass_seconds", 30), game.player)
    server = await asyncio.start_server(door.come, game.config["listen"], game.config["port"])
    say(f"players come in at port {server.sockets[0].getsockname()[1]}")
    await game.link.run()  # it may be killed at any time: what waits is on disk, and is sent the next time


try:
    asyncio.run(main(sys.argv[1]))
except Refused as why:
    sys.exit(f"The backend does not take us: {why}")

"""The door of host.py and gameserver.py. Whoever comes may be anybody, so all that he can do has a bound: how many are there at once,
how long a line is, how long one may be without a pass, and how much is kept for one who does not read."""
import asyncio

LINE = 4096  # bytes; a longer one is refused, and whoever goes on for 64 KiB without an end is sent away
UNREAD = 1 << 20  # bytes; whoever leaves more of them unread is not waited for


class Guest:
    world = name = None  # until he is in

    def __init__(self, reader, writer):
        self.reader, self.writer = reader, writer
        self.address = (writer.get_extra_info("peername") or [None])[0]  # there is none if he has gone already

    def tell(self, text):
        self.writer.write(text.encode() + b"\n")
        if self.writer.transport.get_write_buffer_size() > UNREAD:
            self.writer.transport.abort()

    async def line(self):
        """What he says next; None at his end. What cannot be sent on goes nowhere, and he is told why."""
        try:
            while line := await self.reader.readline():
                if len(line) > LINE:
                    self.tell(f"That is too long: a line has at most {LINE} bytes.")
                    continue
                try:
                    return line.decode().strip()
                except UnicodeDecodeError:
                    self.tell("That is not UTF-8. Let your program write UTF-8, and say it again.")
        except ValueError:
            self.tell("That is far too long, and does not end. Goodbye.")
        except OSError:
            pass  # he is gone
        return None

    def close(self):
        self.writer.close()
        # It waits until he has read what he was told. That is not for ever.
        asyncio.get_running_loop().call_later(10, self.writer.transport.abort)


class Door:
    """Awaits `inside(guest, word)` for each who comes, with what he says first; when that is over, he goes."""

    def __init__(self, most, seconds, inside):
        self.most, self.seconds, self.inside, self.here = most, seconds, inside, 0

    async def come(self, reader, writer):
        guest = Guest(reader, writer)
        if self.here >= self.most:
            guest.tell("There is no room at the moment. Come again a little later.")
            return guest.close()
        self.here += 1
        try:
            word = await asyncio.wait_for(guest.line(), self.seconds)
            if word is not None:
                await self.inside(guest, word)
        except asyncio.TimeoutError:
            guest.tell("You have shown no pass. Come again when you have one.")
        finally:
            self.here -= 1
            guest.close()

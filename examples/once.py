"""A few questions to the backend, in order, within so many seconds altogether: for programs that ask and end. For health.py and
leaderboard.py."""
import json, socket, time


class Once:
    def __init__(self, address, seconds):
        """Raises OSError or ValueError where nothing answers, or not as a backend does; Refused where it lets nobody in."""
        self.end = time.monotonic() + seconds
        host, _, port = address.rpartition(":")
        self.socket = socket.create_connection((host.strip("[]"), int(port)), timeout=seconds)
        self.buffer = b""
        self.answer()  # the greeting
        self.socket.sendall(b"MODE CLIENT\n")
        self.answer()

    def ask(self, cmd, **args):
        """`data` of the answer."""
        self.socket.sendall(json.dumps({"cmd": cmd, "args": args}).encode() + b"\n")
        return self.answer().get("data")

    def answer(self):
        while True:
            while b"\n" not in self.buffer:
                # Not a timeout for each read: one that gets a byte now and then would wait for ever.
                self.socket.settimeout(max(self.end - time.monotonic(), 0.001))
                read = self.socket.recv(1 << 16)
                if not read:
                    raise ConnectionError("the connection was closed")
                self.buffer += read
                if len(self.buffer) > 1 << 20:
                    raise ValueError("a line without an end")
            line, _, self.buffer = self.buffer.partition(b"\n")
            try:
                answer = json.loads(line)
            except (ValueError, RecursionError):
                answer = None
            if not isinstance(answer, dict):
                raise ValueError("what answers there does not speak as the backend does to programs")
            if answer.get("state") == "ERROR":
                raise Refused(answer["msg"])
            if answer.get("state") == "OK":
                return answer  # all else is an event, which may come between


class Refused(Exception):
    """The backend is there, and says why not."""

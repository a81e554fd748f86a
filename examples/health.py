"""Is the backend well? One line and an exit code, as Nagios, Icinga, Monit, Docker and supervisors want them.

    python3 health.py localhost:53450 [SECONDS [SLOW]]

0: well. 1: it answers, but later than SLOW (1 second), or it lets us not in, as when it is full. 2: no answer within SECONDS (5),
or something else is there. 3: called in a wrong way. It never takes longer than SECONDS, whatever hangs.
"""
import os, sys, threading, time
from once import Once, Refused

USAGE = "UNKNOWN - usage: health.py HOST:PORT [SECONDS [SLOW]]"


def check(address, seconds, slow):
    began = time.monotonic()
    try:
        # Answered by the part that owns the database; PING is not, and needs no login either.
        name = Once(address, seconds).ask("UNIVERSE SHOW")["name"]
    except Refused as why:
        return 1, f"WARNING - {address} lets us not in: {why}"
    except (OSError, ValueError, TypeError, KeyError) as why:
        return 2, f"CRITICAL - {address}: {why or 'no answer'}"
    took = time.monotonic() - began
    code, word = (1, "WARNING") if took > slow else (0, "OK")
    return code, f"{word} - {name or 'the backend'} has answered in {took * 1000:.0f} ms | time={took:.3f}s;{slow:g};{seconds:g};0"


def end(code, line):
    """At once: an ordinary end waits for the thread."""
    # A name may hold anything: it stays one line, in what the terminal can show.
    line = "".join(letter if letter.isprintable() else "?" for letter in line)
    sys.stdout.buffer.write(line.encode(errors="replace") + b"\n")
    sys.stdout.flush()
    os._exit(code)


try:
    address, seconds, slow = (sys.argv[1:] + ["5", "1"][max(len(sys.argv) - 2, 0):])[:3]
    seconds, slow = float(seconds), float(slow)
    if not (0 < seconds < 3600 and address.rpartition(":")[2].isdigit() and len(sys.argv) <= 4):
        raise ValueError
except ValueError:
    end(3, USAGE)

found = []
# In a thread: looking a name up cannot be given a time, and may take a minute.
thread = threading.Thread(target=lambda: found.append(check(address, seconds, slow)), daemon=True)
thread.start()
thread.join(seconds)
end(*(found or [(2, f"CRITICAL - {address}: no answer within {seconds:g} seconds")])[0])

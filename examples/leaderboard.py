"""Makes a page of the best, to be looked at in a browser. For cron, or a timer:

    python3 leaderboard.py localhost:53450 /var/www/html/best.html [BOARD …]

Without boards it shows all of them. The page is changed in one step: nobody sees half of it, and where the backend cannot be asked
the one before stays, and the exit code is 1. Needs no login: whoever connects may ask for the best.
"""
import html, os, sys, time
from once import Once, Refused

ROWS = 10
PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width"><style>td, th {{ padding: 0 1em; text-align: left }}</style></head>
<body><h1>{title}</h1>
{boards}
<p>As of {now} UTC.</p></body></html>
"""


def text(value):
    """What others wrote is text, whatever stands in it."""
    return html.escape("" if value is None else str(value))


def board(page):
    # A score that a game server has sent is worth more than one that a player says he has: `from` tells.
    keys = ("rank", "player", "score", "at", "from", "note")
    head = "".join(f"<th>{text(name)}</th>" for name in ("", "Player", page["unit"], "When", "Sent by", "Note"))
    rows = ["".join(f"<td>{text(row[key])}</td>" for key in keys) for row in page["records"]]
    body = "\n".join(f"<tr>{row}</tr>" for row in [head, *rows])
    return f"<h2>{text(page['board'])}</h2>\n<table>\n{body}\n</table>\n<p>{page['total']} altogether.</p>"


def all_boards(backend):
    names, after = [], {}
    while True:
        page = backend.ask("RECORD BOARDS", **after)
        names += [board["board"] for board in page["boards"]]
        # Lists come in pages: `next` of one is asked for the one behind it.
        if page["next"] is None:
            return names
        after = {"after": page["next"]}


def main(address, path, *names):
    backend = Once(address, 60)
    title = backend.ask("UNIVERSE SHOW")["name"] or "The best"
    boards = [board(backend.ask("RECORD TOP", board=name, limit=ROWS)) for name in names or all_boards(backend)]
    now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
    page = PAGE.format(title=text(title), boards="\n".join(boards), now=now)
    # Beside it and then renamed; where two run at once each has its own.
    beside = f"{path}.{os.getpid()}.new"
    try:
        with open(beside, "w", encoding="utf-8") as file:
            file.write(page)
        os.replace(beside, path)
    finally:
        if os.path.exists(beside):
            os.remove(beside)


if len(sys.argv) < 3:
    sys.exit("usage: leaderboard.py HOST:PORT FILE [BOARD …]")
try:
    main(*sys.argv[1:])
except (OSError, ValueError, Refused) as why:
    sys.exit(f"The page stays as it was: {why}")

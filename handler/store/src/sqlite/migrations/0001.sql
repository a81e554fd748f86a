-- Schema 1. Times are milliseconds since 1970-01-01 UTC. Once released, this file does not change.

CREATE TABLE player (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL,
    folded     TEXT NOT NULL UNIQUE,
    skeleton   TEXT NOT NULL UNIQUE,
    hash       TEXT NOT NULL,
    email      TEXT,
    registered INTEGER NOT NULL,
    last_login INTEGER,
    disabled   TEXT                      -- why the login is refused; NULL: it is not
) STRICT;

CREATE TABLE server (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    name      TEXT NOT NULL UNIQUE COLLATE NOCASE,
    key       BLOB NOT NULL CHECK (length(key) = 32),
    added     INTEGER NOT NULL,
    last_auth INTEGER,
    disabled  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE board (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    name     TEXT NOT NULL UNIQUE COLLATE NOCASE,
    unit     TEXT NOT NULL,
    better   TEXT NOT NULL CHECK (better IN ('lower', 'higher')),
    operator TEXT NOT NULL CHECK (operator IN ('best', 'last', 'sum', 'count')),
    submit   TEXT NOT NULL CHECK (submit IN ('servers', 'players'))
) STRICT;

-- Scores: every change is a row at the end of record_log; later it is folded into record. For each board and
-- player the row with the highest ord, of both tables together, is what stands. No foreign keys on these two:
-- a lookup per row would be felt, and players, servers and boards are never deleted.
CREATE TABLE record_log (
    ord       INTEGER PRIMARY KEY,
    board     INTEGER NOT NULL,
    player    INTEGER NOT NULL,
    withdrawn INTEGER NOT NULL,
    score     INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    server    INTEGER,
    note      TEXT
) STRICT;

CREATE TABLE record (
    board  INTEGER NOT NULL,
    player INTEGER NOT NULL,
    ord    INTEGER NOT NULL,
    score  INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    server INTEGER,
    note   TEXT,
    PRIMARY KEY (board, player)
) STRICT, WITHOUT ROWID;

-- One row: the highest ord that has left record_log, so that none is ever given twice.
CREATE TABLE record_folded (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    ord  INTEGER NOT NULL
) STRICT;
INSERT INTO record_folded (only, ord) VALUES (1, 0);

CREATE TABLE withdrawal (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    board        INTEGER NOT NULL REFERENCES board (id),
    player       INTEGER NOT NULL REFERENCES player (id),
    ord          INTEGER NOT NULL,
    score        INTEGER NOT NULL,
    at           INTEGER NOT NULL,
    server       INTEGER REFERENCES server (id),
    note         TEXT,
    withdrawn_at INTEGER NOT NULL,
    reason       TEXT NOT NULL
) STRICT;

-- owner_kind: 1 a player, 2 a game server. value is NULL when the setting was deleted and its version is kept.
CREATE TABLE setting (
    owner_kind INTEGER NOT NULL CHECK (owner_kind IN (1, 2)),
    owner_id   INTEGER NOT NULL,
    key        TEXT NOT NULL,
    version    INTEGER NOT NULL,
    public     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    value      TEXT,
    PRIMARY KEY (owner_kind, owner_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX setting_live ON setting (owner_kind, owner_id) WHERE value IS NOT NULL;

-- The sender is a player or a game server. in_box: the receiver keeps it; in_sent: the sender keeps it.
CREATE TABLE mail (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    from_player INTEGER REFERENCES player (id),
    from_server INTEGER REFERENCES server (id),
    to_player   INTEGER NOT NULL REFERENCES player (id),
    in_box      INTEGER NOT NULL,
    in_sent     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    read_at     INTEGER,
    subject     TEXT NOT NULL,
    body        TEXT NOT NULL,
    CHECK ((from_player IS NULL) <> (from_server IS NULL))
) STRICT;
CREATE INDEX mail_box ON mail (to_player) WHERE in_box = 1;
CREATE INDEX mail_unread ON mail (to_player) WHERE in_box = 1 AND read_at IS NULL;
CREATE INDEX mail_sent ON mail (from_player) WHERE in_sent = 1;
CREATE TRIGGER mail_let_go AFTER UPDATE OF in_box, in_sent ON mail WHEN new.in_box = 0 AND new.in_sent = 0
BEGIN
    DELETE FROM mail WHERE id = new.id;
END;

-- from_kind: as setting.owner_kind.
CREATE TABLE block (
    player    INTEGER NOT NULL REFERENCES player (id),
    from_kind INTEGER NOT NULL CHECK (from_kind IN (1, 2)),
    from_id   INTEGER NOT NULL,
    PRIMARY KEY (player, from_kind, from_id)
) STRICT, WITHOUT ROWID;

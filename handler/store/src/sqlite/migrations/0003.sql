-- Schema 3, the first that is released, and the rules begin here: a released migration never changes, not even in a
-- comment. What comes after it is 0004.sql, with its line in schema.rs and a fixture in tests/migrations.rs. Schemas 1
-- and 2 were never released and are refused.
--
-- Times are milliseconds since 1970-01-01 UTC. Somebody, who owns or sends or is blocked, is two columns: the number of
-- a PrincipalKind, and which one of that kind. No CHECK lists the kinds, so that a new one needs no new table.

-- Numbers that are given once: the last of each. kind: 1 players, 2 game servers, 3 boards, all of owner (0, 0); 4 the
-- letters of an owner, received and sent. The order of scores has its own place in record_log and record_folded.
CREATE TABLE sequence (
    kind       INTEGER NOT NULL,
    owner_kind INTEGER NOT NULL,
    owner_id   INTEGER NOT NULL,
    last       INTEGER NOT NULL,
    PRIMARY KEY (kind, owner_kind, owner_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE player (
    id         INTEGER PRIMARY KEY,
    name       TEXT NOT NULL,
    folded     TEXT NOT NULL UNIQUE,
    skeleton   TEXT NOT NULL UNIQUE,
    hash       TEXT NOT NULL,
    email      TEXT,
    registered INTEGER NOT NULL,
    last_login INTEGER,
    disabled   TEXT                      -- why the login is refused; NULL: it is not
) STRICT;
-- Who is disabled, without looking at everybody.
CREATE INDEX player_disabled ON player (id) WHERE disabled IS NOT NULL;

CREATE TABLE server (
    id        INTEGER PRIMARY KEY,
    name      TEXT NOT NULL UNIQUE COLLATE NOCASE,
    key       BLOB NOT NULL CHECK (length(key) = 32),
    added     INTEGER NOT NULL,
    last_auth INTEGER,
    disabled  INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE board (
    id       INTEGER PRIMARY KEY,
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
    id           INTEGER PRIMARY KEY,
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

-- value is NULL when the setting was deleted and its version is kept.
CREATE TABLE setting (
    owner_kind INTEGER NOT NULL,
    owner_id   INTEGER NOT NULL,
    key        TEXT NOT NULL,
    version    INTEGER NOT NULL,
    public     INTEGER NOT NULL,
    at         INTEGER NOT NULL,
    value      TEXT,
    PRIMARY KEY (owner_kind, owner_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX setting_live ON setting (owner_kind, owner_id) WHERE value IS NOT NULL;

-- A letter has a number among the letters of its sender and one among those of its receiver; id is for this table
-- alone. in_box: the receiver keeps it; in_sent: the sender keeps it.
CREATE TABLE mail (
    id          INTEGER PRIMARY KEY,
    from_kind   INTEGER NOT NULL,
    from_id     INTEGER NOT NULL,
    from_number INTEGER NOT NULL,
    to_player   INTEGER NOT NULL REFERENCES player (id),
    to_number   INTEGER NOT NULL,
    in_box      INTEGER NOT NULL,
    in_sent     INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    read_at     INTEGER,
    subject     TEXT NOT NULL,
    body        TEXT NOT NULL
) STRICT;
-- Nobody looks for a letter that was let go, so the indexes leave these out; counting a box reads the index alone.
CREATE UNIQUE INDEX mail_box ON mail (to_player, to_number) WHERE in_box = 1;
CREATE UNIQUE INDEX mail_sent ON mail (from_kind, from_id, from_number) WHERE in_sent = 1;
CREATE INDEX mail_unread ON mail (to_player) WHERE in_box = 1 AND read_at IS NULL;
CREATE TRIGGER mail_let_go AFTER UPDATE OF in_box, in_sent ON mail WHEN new.in_box = 0 AND new.in_sent = 0
BEGIN
    DELETE FROM mail WHERE id = new.id;
END;

CREATE TABLE block (
    player    INTEGER NOT NULL REFERENCES player (id),
    from_kind INTEGER NOT NULL,
    from_id   INTEGER NOT NULL,
    PRIMARY KEY (player, from_kind, from_id)
) STRICT, WITHOUT ROWID;

-- One row: which run of the backend the rows of result belong to, and the key that its tickets are sealed with.
CREATE TABLE run (
    only INTEGER PRIMARY KEY CHECK (only = 1),
    run  INTEGER NOT NULL,
    key  BLOB NOT NULL CHECK (length(key) = 32)
) STRICT;

-- One row for each transaction: what was answered to the requests in it, until their sessions have the answers.
CREATE TABLE result (
    id      INTEGER PRIMARY KEY,
    answers BLOB NOT NULL
) STRICT;

-- Requests that a client has given a key of its own.
CREATE TABLE keyed (
    owner_kind INTEGER NOT NULL,
    owner_id   INTEGER NOT NULL,
    key        TEXT NOT NULL,
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    at         INTEGER NOT NULL,
    answer     BLOB NOT NULL,
    PRIMARY KEY (owner_kind, owner_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX keyed_at ON keyed (at);

-- Schema 2: answers are kept beside the changes. Times are milliseconds since 1970-01-01 UTC. Once released, this file does
-- not change.

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

-- Requests that a client has given a key of its own. owner_kind: as setting.owner_kind.
CREATE TABLE keyed (
    owner_kind INTEGER NOT NULL CHECK (owner_kind IN (1, 2)),
    owner_id   INTEGER NOT NULL,
    key        TEXT NOT NULL,
    digest     BLOB NOT NULL CHECK (length(digest) = 32),
    at         INTEGER NOT NULL,
    answer     BLOB NOT NULL,
    PRIMARY KEY (owner_kind, owner_id, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX keyed_at ON keyed (at);

-- Who is disabled, without looking at everybody.
CREATE INDEX player_disabled ON player (id) WHERE disabled IS NOT NULL;

-- Schema 7. Licences of worlds, rights of players, how long players are on, settings of the universe, and properties of players
-- and worlds.

-- A world's number is that of its licence (kind 3 of those who own settings); sequence has kind 6 for it. One that is
-- gone waits for the next licence of its name, so that what is kept of the world is found again.
CREATE TABLE licence (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL,
    folded        TEXT NOT NULL,
    skeleton      TEXT NOT NULL,
    password      BLOB NOT NULL CHECK (length(password) = 32),
    owner         INTEGER NOT NULL REFERENCES player (id),
    users         INTEGER NOT NULL,
    size          INTEGER NOT NULL,
    email         TEXT,
    comment       TEXT NOT NULL,
    created       INTEGER NOT NULL,
    expires       INTEGER,                  -- NULL: never
    disabled      TEXT,                     -- why it is refused; NULL: it is not
    last_started  INTEGER,
    last_address  TEXT,
    listed        INTEGER NOT NULL,
    visitors      INTEGER NOT NULL,
    voice         INTEGER NOT NULL,
    plugins       INTEGER NOT NULL,
    check_address INTEGER NOT NULL,
    client        INTEGER NOT NULL,         -- four numbers of 16 bits; 0: any version
    gone          INTEGER                   -- when it was deleted; NULL: it was not
) STRICT;
CREATE UNIQUE INDEX licence_folded ON licence (folded) WHERE gone IS NULL;
CREATE UNIQUE INDEX licence_skeleton ON licence (skeleton) WHERE gone IS NULL;
CREATE INDEX licence_gone ON licence (gone) WHERE gone IS NOT NULL;

CREATE TABLE granted (
    player INTEGER NOT NULL REFERENCES player (id),
    right  TEXT NOT NULL,
    PRIMARY KEY (player, right)
) STRICT, WITHOUT ROWID;

-- For whom the worlds may be, at the most, that a player is let into; NULL: any.
ALTER TABLE player ADD COLUMN rating TEXT CHECK (rating IN ('G', 'PG', 'PG13', 'R', 'X'));

-- How many minutes one login may last; NULL: any number. Logins, of which registering is the first, and how long those that
-- have ended have lasted altogether. Of players from before nothing is known.
ALTER TABLE player ADD COLUMN session_minutes INTEGER;
ALTER TABLE player ADD COLUMN times_on INTEGER NOT NULL DEFAULT 0;
ALTER TABLE player ADD COLUMN milliseconds_on INTEGER NOT NULL DEFAULT 0;

-- For the handler's start.
CREATE INDEX player_limit ON player (id) WHERE session_minutes IS NOT NULL;

-- What the operator has set; all else is as the config file says.
CREATE TABLE universe (
    key   TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Owners are players (1) and worlds (3). value is a text or bytes; NULL when the property was deleted and its version is
-- kept. What is not kept is there while its owner is on.
CREATE TABLE property (
    owner_kind INTEGER NOT NULL,
    owner_id   INTEGER NOT NULL,
    name       TEXT NOT NULL,
    version    INTEGER NOT NULL,
    finger     INTEGER NOT NULL,
    push       INTEGER NOT NULL,
    kept       INTEGER NOT NULL,
    write      TEXT NOT NULL CHECK (write IN ('everyone', 'owner', 'world', 'property')),
    read       TEXT NOT NULL CHECK (read IN ('everyone', 'owner', 'world', 'property')),
    at         INTEGER NOT NULL,
    value      ANY CHECK (typeof(value) IN ('text', 'blob', 'null')),
    PRIMARY KEY (owner_kind, owner_id, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX property_live ON property (owner_kind, owner_id) WHERE value IS NOT NULL;
CREATE INDEX property_while_on ON property (owner_kind, owner_id) WHERE value IS NOT NULL AND kept = 0;

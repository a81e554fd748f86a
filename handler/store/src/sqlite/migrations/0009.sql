-- Schema 9. How players want what they are shown.

CREATE TABLE preference (
    player INTEGER NOT NULL REFERENCES player (id),
    name   TEXT NOT NULL,
    value  TEXT NOT NULL,
    PRIMARY KEY (player, name)
) STRICT, WITHOUT ROWID;

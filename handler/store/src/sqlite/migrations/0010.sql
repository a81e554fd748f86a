-- Schema 10. How worlds are played through us, as far as their licences say.

CREATE TABLE played (
    world INTEGER NOT NULL REFERENCES licence (id),
    key   TEXT NOT NULL,
    value TEXT NOT NULL,
    PRIMARY KEY (world, key)
) STRICT, WITHOUT ROWID;

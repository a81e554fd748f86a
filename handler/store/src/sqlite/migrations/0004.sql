-- Schema 4. Who was told that a letter from somebody was refused because his mailbox was full, and when, so that he is
-- told once a day and sender. Rows that are older go when others come.
CREATE TABLE refused (
    player    INTEGER NOT NULL REFERENCES player (id),
    from_kind INTEGER NOT NULL,
    from_id   INTEGER NOT NULL,
    at        INTEGER NOT NULL,
    PRIMARY KEY (player, from_kind, from_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX refused_at ON refused (at);

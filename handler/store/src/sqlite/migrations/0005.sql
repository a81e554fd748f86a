-- Schema 5.
--
-- Who somebody is, and what he proves that by: an epoch grows whenever what was proved before holds no longer (another
-- password or key, shut out by the operator).
ALTER TABLE player ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE server ADD COLUMN epoch INTEGER NOT NULL DEFAULT 0;
-- Those that are in memory, without looking at everybody.
CREATE INDEX player_epoch ON player (id) WHERE epoch > 0;

-- From where players were in, and when last. A network is what counts as one address: an IPv4 address, or the first half
-- of an IPv6 one, as people write it.
CREATE TABLE player_network (
    player  INTEGER NOT NULL REFERENCES player (id),
    network TEXT NOT NULL,
    at      INTEGER NOT NULL,
    PRIMARY KEY (player, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX player_network_at ON player_network (at);

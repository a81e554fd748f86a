//! Players in SQLite. Runs in the handler.

use super::db::{Db, from_sql};
use crate::{
    KeptHash, NamesOf, Network, NewPlayer, Player, PlayerId, Principal, PrincipalKind, ReadPlayers, Result, StoreError,
};
use rusqlite::{Row, params};
use ssmglobal_ipc::{Rating, Secret, Time};
use std::net::IpAddr;

fn read(row: &Row<'_>) -> Result<Player> {
    Ok(Player {
        id: PlayerId(row.get(0)?),
        name: row.get(1)?,
        email: row.get(2)?,
        registered: Time(row.get(3)?),
        last_login: row.get::<_, Option<i64>>(4)?.map(Time),
        disabled: row.get(5)?,
        epoch: row.get(6)?,
        session_minutes: row.get(7)?,
        times_on: from_sql(row.get(8)?)?,
        milliseconds_on: from_sql(row.get(9)?)?,
    })
}

/// What [`read`] reads.
macro_rules! columns {
    () => {
        "id, name, email, registered, last_login, disabled, epoch, session_minutes, times_on, milliseconds_on"
    };
}

fn network(text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| StoreError::Corrupt("a player was in from what is no address".into()))
}

impl ReadPlayers for Db {
    fn player_names(&self, each: &mut dyn FnMut(PlayerId, NamesOf<'_>)) -> Result<()> {
        self.each("SELECT id, name, folded, skeleton, email FROM player", [], |row| {
            let name = row.get_ref(1)?.as_str().map_err(rusqlite::Error::from)?;
            let folded = row.get_ref(2)?.as_str().map_err(rusqlite::Error::from)?;
            let skeleton = row.get_ref(3)?.as_str().map_err(rusqlite::Error::from)?;
            let email = row.get_ref(4)?.as_str_or_null().map_err(rusqlite::Error::from)?;
            each(PlayerId(row.get(0)?), NamesOf { name, folded, skeleton, email });
            Ok(())
        })
    }

    fn players_disabled(&self) -> Result<Vec<PlayerId>> {
        self.all("SELECT id FROM player WHERE disabled IS NOT NULL", [], |row| Ok(PlayerId(row.get(0)?)))
    }

    fn player_count(&self) -> Result<u64> {
        // Players are never deleted, but counting needs no such assumption: it walks the smallest index.
        self.row("SELECT count(*) FROM player", [], |row| from_sql(row.get(0)?))
    }

    fn player(&self, id: PlayerId) -> Result<Option<Player>> {
        self.one(concat!("SELECT ", columns!(), " FROM player WHERE id = ?1"), [id.0], read)
    }

    fn player_hash(&self, id: PlayerId) -> Result<Option<KeptHash>> {
        self.one("SELECT hash, epoch FROM player WHERE id = ?1", [id.0], |row| {
            Ok(KeptHash { hash: Secret::new(row.get::<_, String>(0)?), epoch: row.get(1)? })
        })
    }

    fn player_epochs(&self) -> Result<Vec<(PlayerId, u32)>> {
        self.all("SELECT id, epoch FROM player WHERE epoch > 0", [], |row| Ok((PlayerId(row.get(0)?), row.get(1)?)))
    }

    fn player_ratings(&self) -> Result<Vec<(PlayerId, Rating)>> {
        self.all("SELECT id, rating FROM player WHERE rating IS NOT NULL", [], |row| {
            let word: String = row.get(1)?;
            let unknown =
                || StoreError::Corrupt("a player wants worlds of a rating that this program does not know".into());
            Ok((PlayerId(row.get(0)?), Rating::parse(&word).ok_or_else(unknown)?))
        })
    }

    fn player_limits(&self) -> Result<Vec<(PlayerId, u32)>> {
        self.all("SELECT id, session_minutes FROM player WHERE session_minutes IS NOT NULL", [], |row| {
            Ok((PlayerId(row.get(0)?), row.get(1)?))
        })
    }

    fn player_networks(&self, id: PlayerId) -> Result<Vec<Network>> {
        self.all("SELECT network, at FROM player_network WHERE player = ?1", [id.0], |row| {
            Ok(Network { network: network(&row.get::<_, String>(0)?)?, at: Time(row.get(1)?) })
        })
    }

    fn networks_before(&self, before: Time, limit: u32) -> Result<Vec<(PlayerId, IpAddr)>> {
        let sql = "SELECT player, network FROM player_network WHERE at < ?1 ORDER BY at, player, network LIMIT ?2";
        self.all(sql, params![before.0, limit], |row| Ok((PlayerId(row.get(0)?), network(&row.get::<_, String>(1)?)?)))
    }

    fn networks(&self, each: &mut dyn FnMut(PlayerId, Network)) -> Result<()> {
        self.each("SELECT player, network, at FROM player_network", [], |row| {
            let network = Network { network: network(&row.get::<_, String>(1)?)?, at: Time(row.get(2)?) };
            each(PlayerId(row.get(0)?), network);
            Ok(())
        })
    }

    fn player_name_taken(&self, folded: &str, skeleton: &str) -> Result<bool> {
        self.row(
            "SELECT EXISTS (SELECT 1 FROM player WHERE folded = ?1)
                 OR EXISTS (SELECT 1 FROM player WHERE skeleton = ?2)",
            [folded, skeleton],
            |row| Ok(row.get(0)?),
        )
    }

    fn players(&self, after: Option<&str>, limit: u32) -> Result<Vec<Player>> {
        self.all(
            concat!("SELECT ", columns!(), " FROM player WHERE folded > ?1 ORDER BY folded LIMIT ?2"),
            params![after.unwrap_or_default(), limit],
            read,
        )
    }
}

impl Db {
    pub(super) fn player_add(&self, player: &NewPlayer) -> Result<()> {
        self.change(
            "INSERT INTO player (id, name, folded, skeleton, hash, email, registered)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                player.id.0,
                player.name,
                player.folded,
                player.skeleton,
                player.hash.expose(),
                player.email,
                player.registered.0
            ],
        )?;
        Ok(())
    }

    pub(super) fn player_set_hash(&self, id: PlayerId, hash: &Secret) -> Result<()> {
        self.change("UPDATE player SET hash = ?2 WHERE id = ?1", params![id.0, hash.expose()])?;
        Ok(())
    }

    pub(super) fn player_logged_in(&self, id: PlayerId, at: Time) -> Result<()> {
        let sql = "UPDATE player SET last_login = ?2, times_on = times_on + 1 WHERE id = ?1";
        self.change(sql, params![id.0, at.0])?;
        Ok(())
    }

    pub(super) fn player_limit(&self, id: PlayerId, minutes: Option<u32>) -> Result<()> {
        self.change("UPDATE player SET session_minutes = ?2 WHERE id = ?1", params![id.0, minutes])?;
        Ok(())
    }

    pub(super) fn player_lasted(&self, id: PlayerId, lasted: u64) -> Result<()> {
        let lasted = i64::try_from(lasted).unwrap_or(i64::MAX);
        // The sum of two that are no negative numbers would become a fraction beyond the largest number that there is.
        let sql = "UPDATE player SET milliseconds_on = milliseconds_on + min(?2, 9223372036854775807 - milliseconds_on)
                   WHERE id = ?1";
        self.change(sql, params![id.0, lasted])?;
        Ok(())
    }

    pub(super) fn player_seen(&self, id: PlayerId, seen: Network) -> Result<()> {
        self.change(
            "INSERT INTO player_network (player, network, at) VALUES (?1, ?2, ?3)
             ON CONFLICT DO UPDATE SET at = excluded.at",
            params![id.0, seen.network.to_string(), seen.at.0],
        )?;
        Ok(())
    }

    pub(super) fn player_unseen(&self, id: PlayerId, network: IpAddr) -> Result<()> {
        self.change(
            "DELETE FROM player_network WHERE player = ?1 AND network = ?2",
            params![id.0, network.to_string()],
        )?;
        Ok(())
    }

    pub(super) fn epoch_set(&self, who: Principal, epoch: u32) -> Result<()> {
        let sql = match who.kind {
            PrincipalKind::Player => "UPDATE player SET epoch = ?2 WHERE id = ?1",
            PrincipalKind::Server => "UPDATE server SET epoch = ?2 WHERE id = ?1",
            PrincipalKind::World
            | PrincipalKind::Visitor
            | PrincipalKind::Bot
            | PrincipalKind::Channel
            | PrincipalKind::Backend => return Err(StoreError::Other("somebody who proves nothing".into())),
        };
        self.change(sql, params![who.id, epoch])?;
        Ok(())
    }

    pub(super) fn player_rating(&self, id: PlayerId, rating: Option<Rating>) -> Result<()> {
        let word = rating.map(Rating::as_str);
        self.change("UPDATE player SET rating = ?2 WHERE id = ?1", params![id.0, word])?;
        Ok(())
    }

    pub(super) fn player_disable(&self, id: PlayerId, reason: Option<&str>) -> Result<()> {
        self.change("UPDATE player SET disabled = ?2 WHERE id = ?1", params![id.0, reason])?;
        Ok(())
    }
}

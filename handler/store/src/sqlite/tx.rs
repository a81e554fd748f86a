//! What the handler changes inside a transaction: rows and numbers. How a row reaches its table is told beside the
//! reading of that table. Runs in the handler.

use super::db::{Db, from_sql, principal_to_sql};
use crate::{Result, Row, Sequence, Tx};
use rusqlite::params;
use std::ops::RangeInclusive;

/// Bytes that are written to find out whether a change can be.
const TOUCHED: u32 = 32 << 10;

/// The kinds of sequences, as [`Tx::next_number`] and the relay number them in the schema.
pub(super) const KINDS: RangeInclusive<u8> = 1..=7;

/// The owner of a sequence that there is only one of.
const NOBODY: (u8, u32) = (0, 0);

impl Tx for Db {
    fn put(&mut self, row: &Row) -> Result<()> {
        match row {
            Row::Player(player) => self.player_add(player),
            Row::PlayerHash { player, hash } => self.player_set_hash(*player, hash),
            Row::PlayerLogin { player, at } => self.player_logged_in(*player, *at),
            Row::PlayerDisabled { player, reason } => self.player_disable(*player, reason.as_deref()),
            Row::PlayerRating { player, rating } => self.player_rating(*player, *rating),
            Row::PlayerSeen { player, network } => self.player_seen(*player, *network),
            Row::PlayerUnseen { player, network } => self.player_unseen(*player, *network),
            Row::Epoch { who, epoch, .. } => self.epoch_set(*who, *epoch),
            Row::Server(server) => self.server_add(server),
            Row::ServerKey { server, key } => self.server_set_key(*server, key),
            Row::ServerAuthed { server, at } => self.server_authed(*server, *at),
            Row::ServerDisabled { server, disabled } => self.server_disable(*server, *disabled),
            Row::ServerAllowed { server, login_check } => self.server_allow(*server, *login_check),
            Row::ServerNamed { server, name } => self.server_rename(*server, name),
            Row::ServerGone { server } => self.server_remove(*server),
            Row::Board(board) => self.board_put(board),
            Row::BoardCleared { board } => self.board_clear(*board),
            Row::BoardGone { board } => self.board_remove(*board),
            Row::Standing { board, standing } => self.record_put(*board, standing),
            Row::Withdrawn { board, was, order, at, reason } => self.record_withdraw(*board, was, *order, *at, reason),
            Row::Setting { owner, key, setting } => self.setting_put(*owner, key, setting),
            Row::Property { holder, name, property, by: _ } => self.property_put(*holder, name, property),
            Row::Letter(letter) => self.letter_add(letter),
            Row::LetterRead { player, number, at } => self.letter_read(*player, *number, *at),
            Row::LetterGone { player, number } => self.letter_gone(*player, *number),
            Row::LetterRefused { player, from, mailbox: _, at, before } => {
                self.letter_refused(*player, *from, *at, *before)
            }
            Row::Blocked { player, from } => self.block_add(*player, *from),
            Row::Unblocked { player, from } => self.block_remove(*player, *from),
            Row::Keyed { owner, key, kept } => self.keyed_add(*owner, key, kept),
            Row::Licence(licence) => self.licence_put(licence),
            Row::WorldStopped { world, at } => self.licence_stopped(*world, *at),
            Row::WorldStarted { world, at, address, by: _ } => self.licence_started(*world, *at, address),
            Row::LicenceGone { world, at } => self.licence_gone(*world, *at),
            Row::WorldPurged { world } => self.licence_purge(*world),
            Row::WorldPlayed { world, key, value } => self.played_put(*world, key, value.as_ref()),
            Row::Granted { player, right } => self.right_grant(*player, right),
            Row::Revoked { player, right } => self.right_revoke(*player, right),
            Row::PlayerLimit { player, minutes } => self.player_limit(*player, *minutes),
            Row::PlayerLasted { player, lasted, session: _, since: _ } => self.player_lasted(*player, *lasted),
            Row::Universe { key, value } => match value {
                Some(value) => self.universe_set(key, value),
                None => self.universe_reset(key),
            },
            Row::Preference { player, name, value } => self.preference_put(*player, name, value.as_deref()),
            Row::RelayMark { upto } => self.relay_mark_move(*upto),
        }
    }

    fn touch(&mut self) -> Result<()> {
        // As many pages as a change may well take, which are free again at once: for one page there may be room where a
        // change has none.
        self.change("INSERT INTO result (id, answers) VALUES (-1, zeroblob(?1))", [TOUCHED])?;
        self.change("DELETE FROM result WHERE id = -1", [])?;
        Ok(())
    }

    fn next_number(&mut self, sequence: Sequence) -> Result<u64> {
        let (kind, (owner_kind, owner_id)) = match sequence {
            Sequence::Order => {
                // Every submit takes one; those of the log and of the table tell where to go on after a restart.
                self.order += 1;
                return Ok(self.order);
            }
            Sequence::Player => (1, NOBODY),
            Sequence::Server => (2, NOBODY),
            Sequence::Board => (3, NOBODY),
            Sequence::Letters(owner) => (4, principal_to_sql(owner)),
            // 5 is the relay's (`relay.rs`), 7 that of the order of scores (`records.rs`).
            Sequence::World => (6, NOBODY),
        };
        self.in_transaction()?;
        self.row(
            "INSERT INTO sequence (kind, owner_kind, owner_id, last) VALUES (?1, ?2, ?3, 1)
             ON CONFLICT DO UPDATE SET last = last + 1 RETURNING last",
            params![kind, owner_kind, owner_id],
            |row| from_sql(row.get(0)?),
        )
    }
}

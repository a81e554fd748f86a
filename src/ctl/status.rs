//! `ssmglobal ctl status`: how the running backend is.

use ssmglobal_ipc::ctl::Status;

use super::table::{bytes, facts, number};

/// How it all is.
pub fn text(status: &Status) -> String {
    let database = format!("{} ({})", status.database, bytes(status.database_bytes));
    let writes = match status.writable {
        true => "yes",
        false => "no: the database cannot be written (is the disk full?); reading goes on",
    };
    facts(&[
        ("version", status.version.clone()),
        ("listener", format!("process {}", status.listener)),
        ("handler", format!("process {}, since {}", status.handler, status.since)),
        ("clients", format!("{} of {}", number(status.clients.into()), number(status.clients_max.into()))),
        ("of them at work", number(status.linked.into())),
        ("players on", number(status.players_on.into())),
        ("servers on", number(status.servers_on.into())),
        ("players", number(status.players)),
        ("boards", number(status.boards.into())),
        ("requests", format!("{} since the handler's start", number(status.requests))),
        ("commits", format!("{} since the handler's start", number(status.commits))),
        ("database", database),
        ("writable", writes.to_owned()),
    ])
}

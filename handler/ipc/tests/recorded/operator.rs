//! A sample of each message between the operator and the handler.

use super::values::*;
use ssmglobal_ipc::ctl::{self, Answer, Ask};
use ssmglobal_ipc::numbers::{Histogram, LogLines, Machine, Numbers, Queues, Recent, WorldNumbers};
use ssmglobal_ipc::*;

fn session_row() -> ctl::SessionRow {
    ctl::SessionRow {
        pid: 4711,
        session: Some(12),
        address: text("192.0.2.1:5000"),
        mode: Some(Mode::Ask),
        who: some("bob"),
        since: AT,
        idle: Some(61),
        version: text("1.2.3"),
    }
}

fn status() -> ctl::Status {
    ctl::Status {
        version: text("0.1.0"),
        handler: 100,
        listener: 99,
        since: AT,
        clients: 5,
        clients_max: 10_000,
        linked: 4,
        players_on: 3,
        servers_on: 1,
        players: 70_000,
        boards: 2,
        requests: 1 << 40,
        commits: 900,
        database: text("/var/lib/ssmglobal/ssmglobal.db"),
        database_bytes: 1 << 33,
        writable: true,
    }
}

fn player_detail() -> ctl::PlayerDetail {
    ctl::PlayerDetail {
        player: text("bob"),
        email: some("b@example.org"),
        registered: AT,
        last_login: Some(AT),
        disabled: some("spam"),
        mails: 3,
        unread: 2,
        settings: 1,
        sessions: 4,
    }
}

fn numbers() -> Numbers {
    Numbers {
        status: status(),
        answers: Histogram { counts: vec![0, 300, 2], sum: 4711 },
        recent: Recent {
            milliseconds: 61_000,
            requests: 302,
            commits: 7,
            answers: Histogram { counts: vec![1], sum: 9 },
        },
        kinds: vec![(20, 301), (154, 1)],
        proofs_good: 3,
        proofs_bad: 200,
        queues: Queues { writer: 1, readers: 2, hashing: 3, sessions: 400, outboxes: 5, outbox_bytes: 1 << 20 },
        machine: Machine {
            handler_bytes: Some(1 << 25),
            listener_bytes: Some(1 << 22),
            workers_bytes: Some(5 << 14),
            handler_cpu_ms: Some(70_000),
            handler_fds: Some(44),
            handler_fds_max: Some(20_000),
            wal_bytes: 1 << 22,
            disk_free_bytes: None,
        },
        log: LogLines { written: [1, 2, 300, 0, 0], lost: 4 },
        deaths: 2,
        worlds: Vec::new(),
    }
}

samples! { asks Ask {
    ServerAdd: Ask::ServerAdd { name: text("arena") };
    ServerList: Ask::ServerList;
    ServerRotateKey: Ask::ServerRotateKey { name: text("arena") };
    ServerDisable: Ask::ServerDisable { name: text("arena"), disabled: true };
    ServerAllow: Ask::ServerAllow { name: text("arena"), login_check: true };
    Request: Ask::Request { kind: 90, payload: vec![1, 2, 255] };
    PlayerList: Ask::PlayerList { limit: 20, after: some("alice") };
    PlayerShow: Ask::PlayerShow { name: text("bob") };
    PlayerDisable: Ask::PlayerDisable { name: text("bob"), reason: text("spam"), disabled: true };
    PlayerSetPassword: Ask::PlayerSetPassword { name: text("bob"), password: Secret::new("pw") };
    BoardDefine: Ask::BoardDefine {
        name: text("race"), unit: text("ms"), better: Better::Higher, operator: Operator::Count,
        submit: Submitters::Servers,
    };
    BoardList: Ask::BoardList;
    BoardWithdraw: Ask::BoardWithdraw { board: text("race"), player: text("bob"), reason: text("cheated") };
    SessionsList: Ask::SessionsList;
    SessionsKick: Ask::SessionsKick { pid: 4711, reason: text("idle") };
    Status: Ask::Status;
    Backup: Ask::Backup { file: text("/var/backups/ssmglobal.db") };
    Verify: Ask::Verify { file: some("/var/backups/ssmglobal.db") };
    Upgrade: Ask::Upgrade { program: some("/usr/local/bin/ssmglobal") };
    Adopt: Ask::Adopt;
    Numbers: Ask::Numbers;
    PenaltyList: Ask::PenaltyList;
    PenaltyClear: Ask::PenaltyClear { address: Some("192.0.2.1".parse().unwrap()) };
    BackupCopy: Ask::BackupCopy;
    Reload: Ask::Reload;
    Stop: Ask::Stop;
    Log: Ask::Log(ctl::LogAsked { lines: 100, level: 3, session: Some(12), player: some("bob"), follow: true });
    PlayerAdd: Ask::PlayerAdd { name: text("bob"), password: Secret::new("pw"), email: some("b@example.org") };
    PlayerSearch: Ask::PlayerSearch { pattern: text("b*"), limit: 20, after: some("bob") };
    BoardReset: Ask::BoardReset { name: text("race") };
    BoardDelete: Ask::BoardDelete { name: text("race") };
    BoardRename: Ask::BoardRename { name: text("race"), new: text("sprint") };
    ServerDelete: Ask::ServerDelete { name: text("arena") };
    ServerRename: Ask::ServerRename { name: text("arena"), new: text("castle") };
    SessionsEnd: Ask::SessionsEnd { target: text("192.0.2.1"), reason: text("idle") };
    PlayedList: Ask::PlayedList;
    WorldFailover: Ask::WorldFailover { name: text("zoo"), address: some("127.0.0.1:2860") };
    PlayedTerms: Ask::PlayedTerms { name: text("zoo") };
} }

samples! { answers Answer {
    Failed: Answer::Failed(Failure::new(Code::NotFound, "There is no such player."));
    Done: Answer::Done;
    Key: Answer::Key(ctl::Key { server: text("arena"), key: Secret::new("key") });
    Servers: Answer::Servers(vec![ctl::ServerRow {
        server: text("arena"), added: AT, last_auth: Some(AT), disabled: false, sessions: 1,
    }]);
    Players: Answer::Players(ctl::PlayerPage {
        players: vec![ctl::PlayerRow { player: text("bob"), registered: AT, last_login: Some(AT), disabled: true }],
        next: some("bob"),
    });
    Player: Answer::Player(player_detail());
    Boards: Answer::Boards(vec![board_row()]);
    Sessions: Answer::Sessions(vec![session_row()]);
    Status: Answer::Status(Box::new(status()));
    Progress: Answer::Progress { done: 100, total: 900 };
    Verified: Answer::Verified(ctl::Verified {
        file: text("/var/lib/ssmglobal/ssmglobal.db"), ok: false, problems: vec![text("a page is missing")], schema: 1,
        players: 70_000, mails: 3, records: 4, settings: 5,
    });
    BackedUp: Answer::BackedUp { file: text("/var/backups/ssmglobal.db"), bytes: 1 << 33 };
    Upgraded: Answer::Upgraded { from: text("1.2.3"), to: text("1.3.0") };
    Adopted: Answer::Adopted { version: text("1.2.3"), build: (2049, 1 << 33) };
    Reply: Answer::Reply { kind: 90, payload: ctl::Sealed(vec![1, 2, 255]) };
    PlayerShown: Answer::PlayerShown {
        player: player_detail(),
        times: ctl::PlayerTimes { session_minutes: Some(90), times_on: 300, minutes_on: 70_000 },
    };
    Numbers: Answer::Numbers(Box::new(numbers()));
    Penalties: Answer::Penalties(vec![ctl::PenaltyRow {
        address: text("192.0.2.1"), stops: ctl::Stops::Logins, player: some("bob"), why: text("10 failures"), until: AT,
    }]);
    PenaltiesCleared: Answer::PenaltiesCleared(2);
    PlayerLoginsShown: Answer::PlayerLoginsShown {
        player: player_detail(),
        times: ctl::PlayerTimes { session_minutes: None, times_on: 1, minutes_on: 0 },
        logins: ctl::PlayerLogins {
            failures: 12, last_failure: Some(AT), failed_from: some("192.0.2.1"), slowed_until: Some(AT),
            slowed_from: some("192.0.2.1"), last_address: some("192.0.2.2"),
        },
    };
    Copied: Answer::Copied { bytes: 1 << 33 };
    Reloaded: Answer::Reloaded(ctl::Reloaded { changed: vec![text("limits.clients")], warnings: vec![text("data")] });
    Stopping: Answer::Stopping { listener: 4711 };
    Logged: Answer::Logged(ctl::Logged {
        lines: vec![ctl::LogEntry { at: AT, level: 3, process: text("handler"), text: text("a line") }],
        missed: 300, level: 4, listener: 4711,
    });
    PlayerAdded: Answer::PlayerAdded { player: text("bob") };
    BoardCleared: Answer::BoardCleared { board: text("race"), scores: 300 };
    Ended: Answer::Ended(vec![session_row()]);
    Played: Answer::Played(vec![PlayedRow {
        world: text("zoo"), state: PlayedState::Down, since: Some(AT), address: text("127.0.0.1:2860"), chosen: true,
        addresses: vec![text("10.1.2.3:2860"), text("127.0.0.1:2860")], playing: 1, waiting: 300, alone: 2,
    }]);
    PlayedTerms: Answer::PlayedTerms(PlayedTerms {
        world: text("Zoo"), kind: text("diku"), terms: text("{}"), licensed: true, in_file: vec![text("play")],
    });
} }

/// Answers with what they have gained since they were first released; above they are as they were then.
pub fn grown_answers() -> Vec<(&'static str, Answer)> {
    let world = WorldNumbers {
        world: text("Zoo"),
        up: Some(false),
        playing: 1,
        waiting: 300,
        alone: 2,
        downs: 3,
        returns: 70_000,
    };
    vec![("Answer::Numbers", Answer::Numbers(Box::new(Numbers { worlds: vec![world], ..numbers() })))]
}

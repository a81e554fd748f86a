//! What each supervisor needs, as it is in `config/`: where it goes, what it is, and what to type then. Also printed by
//! `ssmglobal config example`.

use std::path::Path;

use clap::ValueEnum;

/// Where the pieces say that the program is, but for systemd, which looks for it by itself.
const PROGRAM: &str = "/usr/local/bin/ssmglobal";

/// A supervisor that there is a piece for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Supervisor {
    /// systemd
    Systemd,
    /// OpenRC, with supervise-daemon
    Openrc,
    /// runit
    Runit,
    /// s6
    S6,
    /// supervisord
    Supervisord,
}

/// A file of one of them.
pub struct Piece {
    /// Where it goes.
    pub path: &'static str,
    /// Its mode.
    pub mode: u32,
    text: &'static str,
}

impl Piece {
    /// What is in it, for a program at this place.
    pub fn text(&self, program: &str) -> String {
        let text = self.text.replace(PROGRAM, program);
        text.replace("ExecStart=ssmglobal ", &format!("ExecStart={program} "))
    }
}

macro_rules! piece {
    ($path:literal, $mode:literal, $file:literal) => {
        Piece { path: $path, mode: $mode, text: include_str!(concat!("../../config/", $file)) }
    };
}

static SYSTEMD: [Piece; 1] = [piece!("/etc/systemd/system/ssmglobal.service", 0o644, "systemd/ssmglobal.service")];
static OPENRC: [Piece; 1] = [piece!("/etc/init.d/ssmglobal", 0o755, "openrc/ssmglobal")];
static RUNIT: [Piece; 2] =
    [piece!("/etc/sv/ssmglobal/run", 0o755, "runit/run"), piece!("/etc/sv/ssmglobal/log/run", 0o755, "runit/log/run")];
static S6: [Piece; 2] =
    [piece!("/etc/s6/ssmglobal/run", 0o755, "s6/run"), piece!("/etc/s6/ssmglobal/log/run", 0o755, "s6/log/run")];
static SUPERVISORD: [Piece; 1] = [piece!("/etc/supervisor/conf.d/ssmglobal.conf", 0o644, "supervisord/ssmglobal.conf")];

impl Supervisor {
    /// As it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Supervisor::Systemd => "systemd",
            Supervisor::Openrc => "openrc",
            Supervisor::Runit => "runit",
            Supervisor::S6 => "s6",
            Supervisor::Supervisord => "supervisord",
        }
    }

    /// Its files.
    pub fn pieces(self) -> &'static [Piece] {
        match self {
            Supervisor::Systemd => &SYSTEMD,
            Supervisor::Openrc => &OPENRC,
            Supervisor::Runit => &RUNIT,
            Supervisor::S6 => &S6,
            Supervisor::Supervisord => &SUPERVISORD,
        }
    }

    /// Where its log goes, if that is a directory that has to be there.
    pub fn log(self) -> Option<&'static str> {
        matches!(self, Supervisor::Runit | Supervisor::S6).then_some("/var/log/ssmglobal")
    }

    /// What starts the service, and goes on starting it with the machine.
    pub fn start(self) -> &'static str {
        match self {
            Supervisor::Systemd => "systemctl daemon-reload && systemctl enable --now ssmglobal",
            Supervisor::Openrc => "rc-update add ssmglobal default && rc-service ssmglobal start",
            Supervisor::Runit => "ln -s /etc/sv/ssmglobal /etc/service/    (or /var/service/, where your services are)",
            Supervisor::S6 => {
                "ln -s /etc/s6/ssmglobal /run/service/ && s6-svscanctl -a /run/service    (or where your services are)"
            }
            Supervisor::Supervisord => "supervisorctl update",
        }
    }

    /// What shows that it runs this machine, or is there to run services on it.
    fn signs(self) -> &'static [&'static str] {
        match self {
            Supervisor::Systemd => &["/run/systemd/system"],
            Supervisor::Openrc => &["/run/openrc"],
            Supervisor::Runit => &["/run/runit", "/etc/runit/runsvdir", "/etc/service"],
            Supervisor::S6 => &["/run/s6", "/run/s6-rc", "/run/service"],
            Supervisor::Supervisord => &["/etc/supervisor/conf.d"],
        }
    }

    /// The one that is there: what runs the machine counts for more than what is only installed.
    pub fn there() -> Option<Supervisor> {
        let all = Supervisor::value_variants().iter().copied();
        all.into_iter().find(|it| it.signs().iter().any(|sign| Path::new(sign).exists()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_what_is_typed() {
        for supervisor in Supervisor::value_variants() {
            assert_eq!(Supervisor::from_str(supervisor.name(), false), Ok(*supervisor));
        }
    }

    #[test]
    fn the_program_is_where_it_is_in_every_piece() {
        for supervisor in Supervisor::value_variants() {
            let texts: Vec<String> = supervisor.pieces().iter().map(|piece| piece.text("/opt/x/ssmglobal")).collect();
            assert!(
                texts
                    .iter()
                    .any(|text| text.contains("/opt/x/ssmglobal --config") || text.contains("\"/opt/x/ssmglobal\""))
            );
            assert!(texts.iter().all(|text| !text.contains(PROGRAM)), "{supervisor:?}");
        }
    }
}

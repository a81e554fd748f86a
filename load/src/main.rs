//! The load generator: starts the backend and, in turns within one run, the peers that it finds installed, and prints a
//! table of medians and ratios. A tool for developers; nothing of it runs in the daemon.
//!
//! `cargo run --release -p load [-- section …]`

mod backend;
mod engine;
mod evennia;
mod floors;
mod guard;
mod net;
mod peers;
mod protocol;
mod report;
mod sections;
mod seed;
mod stats;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use backend::{Backend, find_backend};
use floors::Floor;
use guard::{Result, check_stopped};
use peers::Postgres;
use report::Report;
use sections::Section;

/// Measures ssmglobal beside PostgreSQL, Redis and what the machine can do at best.
#[derive(Parser)]
#[command(name = "load", version)]
pub struct Options {
    /// What to measure; everything when nothing is named
    #[arg(value_enum)]
    sections: Vec<Section>,
    /// How often each side has its turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Length of one turn
    #[arg(long, default_value_t = 3.0)]
    seconds: f64,
    /// One round of one second, a tenth of the data: to see that it works, not to be quoted
    #[arg(long)]
    quick: bool,
    /// Only the peers and the floors, without ssmglobal
    #[arg(long)]
    peers_only: bool,
    /// Where the temporary data of all sides goes: a directory on a real disk
    #[arg(long, default_value_os_t = std::env::temp_dir())]
    dir: PathBuf,
    /// Where the picture of restarts is kept, and what was measured for it
    #[arg(long, default_value = "docs")]
    pictures: PathBuf,
    #[arg(long, value_enum, hide = true)]
    floor: Option<Floor>,
}

/// What all sections share.
pub struct Context {
    options: Options,
    backend: Option<Backend>,
    postgres: Option<Option<Postgres>>,
    report: Report,
}

impl Context {
    /// Players, and records on the large board.
    fn players(&self) -> u32 {
        if self.options.quick { 100_000 } else { 1_000_000 }
    }

    /// The PostgreSQL with as many records, started when it is needed first; `None` when not installed.
    fn postgres(&mut self) -> Result<Option<&mut Postgres>> {
        if self.postgres.is_none() {
            self.postgres = Some(Postgres::start(&self.options.dir, self.players())?);
        }
        Ok(self.postgres.as_mut().and_then(Option::as_mut))
    }

    /// Our backend with players and boards in it; `None` when only peers are measured.
    fn seeded(&mut self) -> Result<Option<&mut Backend>> {
        let players = self.players();
        let Some(backend) = &mut self.backend else {
            return Ok(None);
        };
        backend.seed(players, &sections::boards(players))?;
        Ok(Some(backend))
    }
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    if let Some(floor) = options.floor {
        return ended(floor.serve());
    }
    if options.quick {
        (options.rounds, options.seconds) = (1, 1.0);
    }
    ended(measure(options))
}

fn ended(result: Result<()>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("load: {e}");
            ExitCode::FAILURE
        }
    }
}

fn measure(options: Options) -> Result<()> {
    guard::catch_signals()?;
    let files = guard::raise_open_files()?;
    let mut wanted = options.sections.clone();
    if wanted.is_empty() {
        wanted = Section::ALL.to_vec();
    }
    println!("{}\n", machine(&options, files));
    let mut context = Context { backend: None, postgres: None, report: Report::default(), options };
    if !context.options.peers_only {
        context.backend = Some(Backend::start(find_backend()?, &context.options.dir)?);
    }
    for section in wanted {
        let name = section.name();
        eprintln!("-- {name}");
        if let Err(e) = section.run(&mut context) {
            if check_stopped().is_err() {
                break;
            }
            context.report.remark(format!("`{name}` ended early: {e}"));
            if let Some(backend) = &mut context.backend {
                backend.check()?;
            }
        }
    }
    println!("{}", context.report.markdown());
    check_stopped()
}

/// The machine and the peers in a line or two.
fn machine(options: &Options, files: u64) -> String {
    let first = |text: String| text.lines().next().unwrap_or_default().trim().to_owned();
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = first(read("/proc/sys/kernel/osrelease"));
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu.lines().find(|line| line.starts_with("model name"));
    let cpu = cpu.and_then(|line| line.split_once(": ")).map_or("unknown processor", |(_, name)| name);
    let memory = sections::meminfo("MemTotal").unwrap_or(0.0) / 1e9;
    let mut text = format!(
        "{cores} cores ({cpu}), {memory:.0} GB, Linux {kernel}; {files} open files; medians of {} × {} s in turns.",
        options.rounds, options.seconds,
    );
    for peer in [peers::redis_version(), peers::postgres_version()].into_iter().flatten() {
        text += &format!(" {peer}.");
    }
    if statfs(&options.dir).is_ok_and(|fs| fs.filesystem_type() == TMPFS_MAGIC) {
        text += " THE DATA IS IN MEMORY: commits cost nothing; choose another --dir.";
    }
    text
}

//! The load generator: starts the backend and, in turns within one run, the peers that it finds installed, and prints a
//! table of medians and ratios. Or it starts two builds of the backend, and the table tells what has become worse. A
//! tool for developers; nothing of it runs in the daemon.
//!
//! `cargo run --release -p load [-- [--before PATH] section …]`

mod backend;
mod engine;
mod evennia;
mod floors;
mod guard;
mod net;
mod pairs;
mod peers;
mod processes;
mod protocol;
mod report;
mod sections;
mod seed;
mod stats;
mod telnet;
mod world;

use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use nix::sys::statfs::{TMPFS_MAGIC, statfs};

use backend::{Backend, find_backend};
use floors::{Floor, Linked};
use guard::{Guarded, Result, check_stopped};
use pairs::{First, Sides};
use peers::{Postgres, Redis};
use report::Report;
use sections::Section;

/// Measures ssmglobal beside PostgreSQL, Redis, haproxy and what the machine can do at best.
#[derive(Parser)]
#[command(name = "load", version)]
pub struct Options {
    /// What to measure; everything when nothing is named
    #[arg(value_enum)]
    sections: Vec<Section>,
    /// Another build of ssmglobal, to measure this one beside it instead of PostgreSQL and Redis
    #[arg(long, value_name = "PATH", conflicts_with = "peers_only")]
    before: Option<PathBuf>,
    /// How often each side has its turn [default: 3, with --before 10]
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: Option<u32>,
    /// Length of one turn [default: 3]
    #[arg(long)]
    seconds: Option<f64>,
    /// One round (with --before: three) of one second, a tenth of the data: to see that it works, not to be quoted
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
    /// Runs a world to play in, at this port
    #[arg(long, value_name = "PORT", hide = true)]
    world: Option<u16>,
}

impl Options {
    /// How often each side has its turn, in all.
    fn rounds(&self) -> u32 {
        self.rounds.unwrap_or(match (self.before.is_some(), self.quick) {
            (false, false) | (true, true) => 3,
            (false, true) => 1,
            (true, false) => 10,
        })
    }
}

/// What all sections share.
pub struct Context {
    options: Options,
    /// How often each side has its turn with these backends, and for how long.
    rounds: u32,
    seconds: f64,
    /// The program of each build.
    programs: Sides<PathBuf>,
    /// A backend of each build, all running; under load is the one whose turn it is.
    ours: Sides<Backend>,
    postgres: Option<Option<Postgres>>,
    report: Report,
}

impl Context {
    fn new(options: Options) -> Result<Self> {
        let of_pairs = options.before.is_some();
        let rounds = options.rounds();
        let seconds = options.seconds.unwrap_or(if options.quick { 1.0 } else { 3.0 });
        // It runs in a directory of its own.
        let absolute = |path: &PathBuf| fs::canonicalize(path).map_err(|e| format!("{}: {e}", path.display()));
        let old = options.before.as_ref().map(absolute).transpose()?;
        let new = if options.peers_only { None } else { Some(find_backend()?) };
        let mut programs = Sides { new, old, first: First::New };
        let ours = programs.each(|program| Backend::start(program.clone(), &options.dir))?;
        let report = Report::new(of_pairs);
        Ok(Self { options, rounds, seconds, programs, ours, postgres: None, report })
    }

    /// Starts both builds anew, the other one first.
    fn turn_around(&mut self) -> Result<()> {
        self.programs.first = First::Old;
        let nobody = Sides { new: None, old: None, first: First::Old };
        drop(std::mem::replace(&mut self.ours, nobody));
        let dir = self.options.dir.clone();
        self.ours = self.programs.each(|program| Backend::start(program.clone(), &dir))?;
        Ok(())
    }

    /// Whether two builds are compared, and nothing else is measured.
    fn of_pairs(&self) -> bool {
        self.options.before.is_some()
    }

    /// Players, and records on the large board.
    fn players(&self) -> u32 {
        if self.options.quick { 100_000 } else { 1_000_000 }
    }

    /// The PostgreSQL with as many records, started when it is needed first; `None` when not installed, or when builds
    /// are compared.
    fn postgres(&mut self) -> Result<Option<&mut Postgres>> {
        if self.postgres.is_none() && !self.of_pairs() {
            self.postgres = Some(Postgres::start(&self.options.dir, self.players())?);
        }
        Ok(self.postgres.as_mut().and_then(Option::as_mut))
    }

    /// A new Redis; `None` when not installed, or when builds are compared.
    fn redis(&self, durable: bool) -> Result<Option<Redis>> {
        if self.of_pairs() { Ok(None) } else { Redis::start(&self.options.dir, durable) }
    }

    /// A floor and its port; `None` when builds are compared.
    fn floor(&self, floor: Floor, linked: Linked) -> Result<Option<(Guarded, u16)>> {
        if self.of_pairs() { Ok(None) } else { floor.start(linked).map(Some) }
    }

    /// Our backends with players and boards in them.
    fn seeded(&mut self) -> Result<&mut Sides<Backend>> {
        let players = self.players();
        self.ours.each(|backend| backend.seed(players, &sections::boards(players)))?;
        Ok(&mut self.ours)
    }
}

fn main() -> ExitCode {
    let options = Options::parse();
    if let Some(port) = options.world {
        return ended(world::serve(port));
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
    let mut context = Context::new(options)?;
    println!("{}\n", machine(&context, files));
    let all = context.rounds;
    // Of two builds each is the first to be started in half of the pairs.
    context.rounds = if context.of_pairs() { all.div_ceil(2) } else { all };
    run(&mut context, &wanted)?;
    if all > context.rounds && check_stopped().is_ok() {
        context.rounds = all - context.rounds;
        context.turn_around()?;
        run(&mut context, &wanted)?;
    }
    println!("{}", context.report.markdown());
    check_stopped()
}

/// All these sections with the backends as they run now.
fn run(context: &mut Context, wanted: &[Section]) -> Result<()> {
    for section in wanted {
        let name = section.name();
        eprintln!("-- {name}");
        if let Err(e) = section.run(context) {
            if check_stopped().is_err() {
                return Ok(());
            }
            context.report.remark(format!("`{name}` ended early: {e}"));
            context.ours.each(Backend::check)?;
        }
    }
    Ok(())
}

/// The machine and what is compared in a line or two.
fn machine(context: &Context, files: u64) -> String {
    let first = |text: String| text.lines().next().unwrap_or_default().trim().to_owned();
    let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let kernel = first(read("/proc/sys/kernel/osrelease"));
    let cpu = read("/proc/cpuinfo");
    let cpu = cpu.lines().find(|line| line.starts_with("model name"));
    let cpu = cpu.and_then(|line| line.split_once(": ")).map_or("unknown processor", |(_, name)| name);
    let memory = processes::meminfo("MemTotal").unwrap_or(0.0) / 1e9;
    let (rounds, seconds) = (context.rounds, context.seconds);
    let turns = if context.of_pairs() { "pairs of turns of" } else { "×" };
    let mut text = format!("{cores} cores ({cpu}), {memory:.0} GB, Linux {kernel}; {files} open files; ");
    text += &format!("medians of {rounds} {turns} {seconds} s");
    if let Sides { new: Some(new), old: Some(old), .. } = &context.programs {
        text += &format!(", new: `{}`, old: `{}`.", new.display(), old.display());
    } else {
        text += " in turns.";
        for peer in [peers::redis_version(), peers::postgres_version(), peers::haproxy_version()].into_iter().flatten()
        {
            text += &format!(" {peer}.");
        }
    }
    if statfs(&context.options.dir).is_ok_and(|fs| fs.filesystem_type() == TMPFS_MAGIC) {
        text += " THE DATA IS IN MEMORY: commits cost nothing; choose another --dir.";
    }
    text
}

//! The picture of the README: what clients feel over some seconds in which our processes are killed and upgraded,
//! beside Evennia while it is reloaded and killed. What was measured is kept beside the picture. Runs in the load
//! generator.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};

use super::evennia;
use super::steady::{CLIENTS, PER_SECOND, Steady};
use super::svg::draw;
use super::timeline::{LENGTH, Timeline};
use super::{CONFIG, served, upgrade};
use crate::Context;
use crate::backend::{Backend, Supervisor};
use crate::guard::{Result, check_stopped};
use crate::sections::grouped;

/// When our handler is killed, and when everything is upgraded (killed as well, where that is not offered), in
/// milliseconds.
const KILLS: [u64; 2] = [3_000, 6_000];
const UPGRADES: [u64; 2] = [9_000, 12_000];

/// Measures what can be measured here and draws what there is.
pub fn run(context: &mut Context) -> Result<()> {
    if context.of_pairs() {
        context.report.remark("`picture` is left out: it shows one build.");
        return Ok(());
    }
    let dir = context.options.pictures.clone();
    let [ours, theirs] = ["restart-ssmglobal.txt", "restart-evennia.txt"].map(|name| dir.join(name));
    std::fs::create_dir_all(&dir)?;
    if let Some(program) = context.programs.new.clone() {
        let backend = Backend::start_under(Supervisor::None, program.clone(), &context.options.dir, CONFIG)?;
        std::fs::write(&ours, restarted(&backend, &program)?.text())?;
    }
    match evennia::reloaded(&context.options.dir)? {
        Some(timeline) => std::fs::write(&theirs, timeline.text())?,
        None => context.report.remark("`picture`: Evennia is not installed; its kept figures are drawn."),
    }
    let kept = |path: &Path| path.is_file().then(|| Timeline::read(path));
    let timelines = [ours, theirs].iter().filter_map(|path| kept(path)).collect::<Result<Vec<_>>>()?;
    let picture = dir.join("restart.svg");
    std::fs::write(&picture, draw(&timelines))?;
    context.report.remark(format!("`picture`: {}", picture.display()));
    Ok(())
}

/// Waits until so many milliseconds have passed.
fn wait_until(start: Instant, millis: u64) -> Result<()> {
    check_stopped()?;
    std::thread::sleep((start + Duration::from_millis(millis)).saturating_duration_since(Instant::now()));
    Ok(())
}

fn restarted(backend: &Backend, program: &Path) -> Result<Timeline> {
    let mut probe = backend.client(0)?;
    let upgrades = upgrade::offered(program);
    let steady = Steady::start(backend)?;
    let start = Instant::now();
    let mut events = Vec::new();
    for at in KILLS.into_iter().chain(UPGRADES) {
        let handler = backend.handler()?;
        wait_until(start, at)?;
        let begin = Instant::now();
        if upgrades && UPGRADES.contains(&at) {
            events.push((begin, "upgrade"));
            backend.operate(&["upgrade", "--binary", &program.to_string_lossy()])?;
        } else {
            events.push((begin, "kill -9 handler"));
            kill(handler, Signal::SIGKILL)?;
            served(&mut probe)?;
        }
        steady.settle()?;
    }
    wait_until(start, u64::from(LENGTH))?;
    let record = steady.finish()?;
    let title = format!(
        "ssmglobal {}: {} clients, {} requests/s, a third of them writes",
        env!("CARGO_PKG_VERSION"),
        grouped(CLIENTS as u32),
        grouped(PER_SECOND)
    );
    Ok(Timeline::new(title, LENGTH, record.start, &events, &record.pauses))
}

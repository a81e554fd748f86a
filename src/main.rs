//! The one program: the backend (this process becomes its listener), the handler that the listener starts,
//! and the operator's commands. Here it is only decided which of them this process is.

#![forbid(unsafe_code)]

mod check;
mod cli;
mod ctl;
mod listener;
mod location;
mod pages;
mod print;
mod restore;
mod setup;
mod wait;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, HandlerArgs};
use listener::source::{self, Asked};
use listener::{resume, upgrade};

fn main() -> ExitCode {
    // First of all, while there is one thread and nobody has looked at the environment.
    ssmglobal_sys::Title::capture();
    // Once: the memory that they lie in becomes the title.
    let args: Vec<OsString> = std::env::args_os().collect();
    if args.get(1).is_some_and(|word| word == HandlerArgs::NAME) {
        let args = HandlerArgs::parse_from(args.into_iter().skip(1));
        return ssmglobal_handler::run(args.rendezvous, args.control, args.journal, args.user());
    }
    match args.get(1) {
        Some(word) if word == upgrade::RESUME => return resume::resume(args),
        Some(word) if word == upgrade::CHECK => return resume::check(args),
        _ => {}
    }
    match source::read(&args) {
        Ok(Asked::Run(found)) => listener::run(*found, args),
        Ok(Asked::Other) => command(Cli::read(&args)),
        Ok(Asked::Wrong(_)) => ExitCode::FAILURE,
        Ok(Asked::Ended(code)) => code,
        Err(error) => {
            print::note(&format!("ssmglobal: not started: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Whatever is not running the backend.
fn command(cli: Cli) -> ExitCode {
    match cli.command {
        None => ExitCode::FAILURE,
        Some(Command::Ctl(args)) => ctl::run(args, cli.place),
        Some(Command::Check(args)) => check::run(args, cli.place.config),
        Some(Command::Restore(args)) => restore::run(args, cli.place),
        Some(Command::Setup(args)) => setup::setup(args),
        Some(Command::Config(command)) => setup::config(command),
        Some(Command::Completions { shell }) => pages::completions(shell),
        Some(Command::Man { dir }) => pages::man(dir),
    }
}

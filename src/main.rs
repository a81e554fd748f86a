//! The one program: the backend (this process becomes its listener), the handler that the listener starts,
//! and the operator's commands. Here it is only decided which of them this process is.

#![forbid(unsafe_code)]

mod check;
mod cli;
mod ctl;
mod listener;
mod pages;
mod print;

use std::process::ExitCode;

use clap::Parser;
use cli::{Cli, Command, HandlerArgs};
use ssmglobal_config::{Loaded, environment, load};

fn main() -> ExitCode {
    // First of all, while there is one thread and nobody has looked at the environment.
    ssmglobal_sys::Title::capture();
    if std::env::args_os().nth(1).is_some_and(|word| word == HandlerArgs::NAME) {
        let args = HandlerArgs::parse_from(std::env::args_os().skip(1));
        return ssmglobal_handler::run(args.desk, args.control);
    }
    let cli = Cli::read();
    match cli.command {
        None => match settings(&cli) {
            Some(loaded) => {
                let source = listener::Source { overrides: cli.overrides(), file: cli.place.config };
                listener::run(loaded, source)
            }
            None => ExitCode::FAILURE,
        },
        Some(Command::Ctl(args)) => ctl::run(args, cli.place),
        Some(Command::Check(args)) => check::run(args, cli.place.config),
        Some(Command::Completions { shell }) => pages::completions(shell),
        Some(Command::Man(args)) => pages::man(args),
    }
}

/// What the backend shall run with; nothing, after everything that is wrong was told.
fn settings(cli: &Cli) -> Option<Loaded> {
    match load(cli.place.config.as_deref(), environment(), &cli.overrides()) {
        Ok(loaded) => Some(loaded),
        Err(problems) => {
            for problem in problems {
                print::note(&format!("ssmglobal: {}", print::clean(&problem.to_string())));
            }
            print::note("ssmglobal: not started; put this right and try again (`ssmglobal check` looks at the file)");
            None
        }
    }
}

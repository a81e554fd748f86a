//! What other commands feel while a hundred registrations wait for their password's hash.

use super::{LARGE, in_turns, rank::push_show, side, streams};
use crate::Context;
use crate::engine::{Fleet, Outcome};
use crate::guard::Result;
use crate::net::Client;
use crate::protocol::{Json, Protocol, push_number};
use crate::report::{Row, Target, Unit};
use crate::stats::Random;

const PER_SECOND: u32 = 500;
const REGISTRATIONS: usize = 100;
/// The connections on which the other commands are sent.
const OTHERS: usize = 8;

/// The row about hashing.
pub fn run(context: &mut Context) -> Result<()> {
    let (rounds, seconds, players) = (context.options.rounds, context.options.seconds, context.players());
    let work = format!("p99 of other commands ({PER_SECOND}/s) while {REGISTRATIONS} registrations wait");
    let (mut quiet, mut busy) = (Vec::new(), Vec::new());
    if let Some(backend) = context.seeded()? {
        let mut clients = Vec::new();
        for stream in 0..OTHERS {
            let mut client = backend.server(stream)?;
            client.ask(r#"{"id":1,"cmd":"SETTING SET","args":{"key":"motd","value":"welcome"}}"#)?;
            clients.push(client);
        }
        let others = clients.into_iter().map(Client::into_stream).collect::<Result<Vec<_>>>()?;
        let others = std::cell::RefCell::new((Fleet::new(others)?, mix(players)));
        let mut registering = Fleet::new(streams(REGISTRATIONS, |n| backend.client(n))?)?;
        let mut register = register();
        let measured = |kind: &str| -> Result<f64> {
            let (fleet, mix) = &mut *others.borrow_mut();
            let outcome = fleet.paced(mix, PER_SECOND, seconds)?;
            eprintln!("  {kind}: p50 {}", Unit::Seconds.show(outcome.latency.quantile(0.5)));
            Ok(outcome.latency.quantile(0.99))
        };
        let hashing = || -> Result<f64> {
            let (p99, registered) = std::thread::scope(|scope| {
                let load = scope.spawn(|| registering.run(&mut register, 1, seconds));
                let p99 = measured("while registering");
                (p99, load.join())
            });
            let registered: Outcome = registered.map_err(|_| "the registering thread died")??;
            eprintln!("  {:.0} registrations/s", registered.rate / 2.0);
            p99
        };
        let mut results = in_turns(
            rounds,
            &work,
            Unit::Seconds,
            vec![side("quiet", Some(|| measured("quiet"))), side("hashing", Some(hashing))],
        )?;
        (busy, quiet) = (results.remove(1), results.remove(0));
    }
    context.report.row(Row {
        work,
        unit: Unit::Seconds,
        ours: busy,
        peer: "without",
        theirs: quiet,
        target: Target::AtMost(2.0),
    });
    Ok(())
}

/// `HW`, RECORD SHOW and SETTING GET in turn.
fn mix(players: u32) -> impl Protocol {
    let mut random = Random::new(3);
    let mut turn = 0;
    Json::new(move |_, _, out: &mut Vec<u8>| {
        turn += 1;
        match turn % 3 {
            0 => out.extend_from_slice(b"\"cmd\":\"HW\"}"),
            1 => push_show(out, LARGE, &mut random, players),
            _ => out.extend_from_slice(b"\"cmd\":\"SETTING GET\",\"args\":{\"key\":\"motd\"}}"),
        }
    })
}

/// REGISTER with a new name, and LOGOUT, so that the same connection can register the next.
fn register() -> impl Protocol + Send {
    let mut registered = 0;
    Json::new(move |_, id, out: &mut Vec<u8>| {
        if id % 2 == 0 {
            out.extend_from_slice(b"\"cmd\":\"LOGOUT\"}");
            return;
        }
        registered += 1;
        out.extend_from_slice(b"\"cmd\":\"REGISTER\",\"args\":{\"name\":\"new");
        push_number(out, registered);
        out.extend_from_slice(b"\",\"password\":\"correct horse battery\"}}");
    })
}

//! What other commands feel while a hundred registrations wait for their password's hash.

use std::cell::RefCell;

use super::compare::{Beside, ours};
use super::{LARGE, rank::push_show, streams};
use crate::Context;
use crate::backend::Backend;
use crate::engine::{Fleet, Outcome};
use crate::guard::Result;
use crate::protocol::{Json, Protocol, push_number};
use crate::report::{Target, Unit};
use crate::stats::Random;

const PER_SECOND: u32 = 500;
const REGISTRATIONS: usize = 100;
/// The connections on which the other commands are sent.
const OTHERS: usize = 8;

/// The row about hashing.
pub fn run(context: &mut Context) -> Result<()> {
    let (seconds, players) = (context.seconds, context.players());
    let work = format!("p99 of other commands ({PER_SECOND}/s)");
    let busy = format!("{work} while {REGISTRATIONS} registrations wait");
    // Both kinds of turns share the clients.
    let clients = context.seeded()?.each(|backend| Ok(RefCell::new(clients(backend, players)?)))?;
    let results = context.plan()?.measure(
        Unit::Seconds,
        vec![
            ours("quiet", work, clients.as_ref(), |clients| clients.borrow_mut().quiet(seconds)),
            ours("hashing", busy, clients.as_ref(), |clients| clients.borrow_mut().hashing(seconds)),
        ],
    )?;
    let target = Target::AtMost(2.0);
    results.report(&mut context.report, &[Beside { ours: 1, peer: "without", theirs: 0, target }]);
    Ok(())
}

/// Those who wait for their hash, and all others, with what they send.
struct Clients<M, R> {
    others: Fleet,
    mix: M,
    registering: Fleet,
    register: R,
}

fn clients(
    backend: &mut Backend,
    players: u32,
) -> Result<Clients<impl Protocol + use<>, impl Protocol + Send + use<>>> {
    let others = streams(OTHERS, |n| {
        let mut client = backend.server(n)?;
        client.ask(r#"{"id":1,"cmd":"SETTING SET","args":{"key":"motd","value":"welcome"}}"#)?;
        Ok(client)
    })?;
    let registering = Fleet::new(streams(REGISTRATIONS, |n| backend.client(n))?)?;
    Ok(Clients { others: Fleet::new(others)?, mix: mix(players), registering, register: register() })
}

impl<M: Protocol, R: Protocol + Send> Clients<M, R> {
    fn quiet(&mut self, seconds: f64) -> Result<f64> {
        measured("quiet", &mut self.others, &mut self.mix, seconds)
    }

    fn hashing(&mut self, seconds: f64) -> Result<f64> {
        let Self { others, mix, registering, register } = self;
        let (p99, registered) = std::thread::scope(|scope| {
            let load = scope.spawn(|| registering.run(register, 1, seconds));
            (measured("while registering", others, mix, seconds), load.join())
        });
        let registered: Outcome = registered.map_err(|_| "the registering thread died")??;
        eprintln!("  {:.0} registrations/s", registered.rate / 2.0);
        p99
    }
}

/// The slowest hundredth of what is sent at a steady rate.
fn measured(kind: &str, fleet: &mut Fleet, mix: &mut impl Protocol, seconds: f64) -> Result<f64> {
    let outcome = fleet.paced(mix, PER_SECOND, seconds)?;
    eprintln!("  {kind}: p50 {}", Unit::Seconds.show(outcome.latency.quantile(0.5)));
    Ok(outcome.latency.quantile(0.99))
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

//! The zygote: a process that is locked in as a worker is, and forks workers, which have their lock from the beginning. That each
//! one locks itself in is a quarter of what a connection costs. It speaks to nobody but the listener, whose children the workers
//! are, and ends with it. It knows what held when it was made: when what workers inherit changes, another one follows.
//!
//! The listener orders workers and does not wait for them. What has become of an order stands in a page that both see: the kernel
//! itself writes the worker's number there before the worker begins. So it is known for certain, whoever dies when.
//!
//! Runs in the listener; what belongs to [`Cradle`] in the zygote and, from the fork on, in the worker.

use super::accept::newcomer;
use super::children::Arrival;
use super::doors::Opened;
use super::inheritance::{Birth, Inheritance, Locks, sort};
use super::pending;
use super::reap::wait_for;
use mio::net::TcpStream;
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, getpid};
use ssmglobal_ipc::WorkerEnd;
use ssmglobal_sys::{Child, ChildStack, ExitSignal, SharedPage, Title, Unforked, UnforkedVec, close_others, exit_now};
use std::io;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicI32, AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// Orders that may be open. Behind them whoever connects waits: it is the zygote that is busy then.
const ORDERS: usize = 16;

/// How long the listener waits for an order at the most. To make a worker takes some fifty microseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// What stands in an order's place when the kernel had no room for a process.
const NOBODY: i32 = -1;

/// Where the two see how far the other is. Orders are counted from the zygote's beginning, and from 0 again behind the highest number.
#[derive(Default)]
struct Board {
    /// Orders that were given.
    given: AtomicU32,
    /// The listener waits until so many are done.
    awaited: AtomicU32,
    /// What has become of each, in turn: nothing yet, the worker, or [`NOBODY`].
    born: [AtomicI32; ORDERS],
}

impl Board {
    fn born(&self, order: u32) -> &AtomicI32 {
        // The number of places divides that of all numbers.
        &self.born[order as usize % ORDERS]
    }

    fn outcome(&self, order: u32) -> Outcome {
        match self.born(order).load(SeqCst) {
            0 => Outcome::Open,
            NOBODY => Outcome::Nobody,
            pid => Outcome::Worker(Pid::from_raw(pid)),
        }
    }
}

/// What has become of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Nothing yet.
    Open,
    /// The worker. He may not have begun yet, or have ended already; the zygote may not have come to know of him.
    Worker(Pid),
    /// There is none: the kernel had no room for a process.
    Nobody,
}

/// Somebody who has come, and whose worker is not there yet.
pub struct Unborn {
    /// The client, or the proxy that comes for it.
    pub client: TcpStream,
    /// The place of its door among the open ones.
    pub door: usize,
    /// Who it is.
    pub arrival: Arrival,
    /// Since when it waits.
    pub since: Instant,
}

/// What the zygote has to know of a worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// The client, or the proxy that comes for it.
    pub address: SocketAddr,
    /// The session's number.
    pub session: u64,
    /// The place of its door among the open ones.
    pub door: u32,
}

impl Order {
    const LENGTH: usize = 8 + 4 + 2 + 16 + 4 + 4;

    fn bytes(&self) -> [u8; Order::LENGTH] {
        // An old address as it is written in the new form: so none of the new ones is.
        let (ip, flow, scope) = match self.address {
            SocketAddr::V4(at) => (at.ip().to_ipv6_mapped(), 0, u32::MAX),
            SocketAddr::V6(at) => (*at.ip(), at.flowinfo(), at.scope_id()),
        };
        let mut bytes = [0; Order::LENGTH];
        let fields = self.session.to_ne_bytes().into_iter().chain(self.door.to_ne_bytes());
        let fields = fields.chain(self.address.port().to_ne_bytes()).chain(ip.octets());
        let fields = fields.chain(flow.to_ne_bytes()).chain(scope.to_ne_bytes());
        bytes.iter_mut().zip(fields).for_each(|(to, from)| *to = from);
        bytes
    }

    fn of(bytes: &[u8; Order::LENGTH]) -> Option<Order> {
        let (session, rest) = bytes.split_first_chunk()?;
        let (door, rest) = rest.split_first_chunk()?;
        let (port, rest) = rest.split_first_chunk()?;
        let (ip, rest) = rest.split_first_chunk::<16>()?;
        let (flow, rest) = rest.split_first_chunk()?;
        let scope = u32::from_ne_bytes(*rest.first_chunk()?);
        let (ip, port, flow) = (Ipv6Addr::from(*ip), u16::from_ne_bytes(*port), u32::from_ne_bytes(*flow));
        let address = match (scope, ip.to_ipv4_mapped()) {
            (u32::MAX, Some(ip)) => SocketAddrV4::new(ip, port).into(),
            _ => SocketAddrV6::new(ip, port, flow, scope).into(),
        };
        Some(Order { address, session: u64::from_ne_bytes(*session), door: u32::from_ne_bytes(*door) })
    }
}

/// The zygote that there is, or why there is none.
pub enum Nursery {
    /// The next client brings one.
    Empty,
    /// It lives, as far as is known.
    Lives(Zygote),
    /// One has ended without having been of any use. None is tried again with what holds now.
    GivenUp,
}

impl Nursery {
    /// Whether this is the zygote that lives.
    pub fn is(&self, pid: Pid) -> bool {
        matches!(self, Nursery::Lives(zygote) if zygote.pid == pid)
    }

    /// When the oldest open order has taken too long.
    pub fn overdue_at(&self) -> Option<Instant> {
        if let Nursery::Lives(zygote) = self { zygote.overdue_at() } else { None }
    }

    /// The next one of those whose order is done, and what has become of it.
    pub fn next_born(&mut self) -> Option<(Unborn, Outcome)> {
        let Nursery::Lives(zygote) = self else { return None };
        zygote.next_born()
    }
}

/// A zygote, as the listener has it.
pub struct Zygote {
    pid: Pid,
    socket: OwnedFd,
    board: SharedPage<Board>,
    /// Orders of which it is known what has become of them.
    taken: u32,
    /// For whom the others are, in turn.
    unborn: UnforkedVec<Unborn>,
    /// It has made a worker.
    proved: bool,
}

/// How a zygote has ended.
pub struct Ended {
    /// Its exit code, or the negated signal.
    pub status: Option<i32>,
    /// It had made a worker.
    pub was_of_use: bool,
}

/// What workers get of the listener's descriptors, and a zygote besides.
pub struct Ends<'a> {
    /// Where links are handed over to the handler.
    pub rendezvous: BorrowedFd<'a>,
    /// Where clients are handed over to workers of another program.
    pub moves: BorrowedFd<'a>,
    /// Hung up when neither a listener nor a handler is left.
    pub lifeline: BorrowedFd<'a>,
    /// Where a client lies until its worker is there; the zygote's alone.
    pub pending: BorrowedFd<'a>,
}

impl Zygote {
    /// Makes one.
    ///
    /// # Errors
    /// The kernel's, when there is no room for it.
    pub fn start(
        stack: &mut ChildStack,
        opened: &[Option<Opened>],
        ends: Ends<'_>,
        inherited: &Inheritance,
    ) -> io::Result<Zygote> {
        let (theirs, socket) = ssmglobal_sys::waiting_pair(PATIENCE)?;
        let (board, orders) = (SharedPage::new(Board::default())?, theirs.as_fd());
        let cradle = Cradle { parent: getpid(), orders, board, opened, ends, inherited };
        let (forked, Cradle { board, .. }) = ssmglobal_sys::fork(stack, ExitSignal::Queued, cradle);
        // Whoever else is forked here has nothing to do with it.
        board.keep()?;
        let unborn = UnforkedVec::with_capacity_in(ORDERS, Unforked);
        Ok(Zygote { pid: forked?, socket, board, taken: 0, unborn, proved: false })
    }

    /// When the oldest open order has taken too long.
    pub fn overdue_at(&self) -> Option<Instant> {
        self.unborn.first().map(|unborn| unborn.since + PATIENCE)
    }

    /// Where it says that something is done.
    pub fn socket(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }

    /// Whether there is room for one more order.
    pub fn has_room(&self) -> bool {
        self.unborn.len() < ORDERS
    }

    /// Orders a worker; there is room.
    ///
    /// # Errors
    /// It is gone; the order stays open.
    pub fn order(&mut self, unborn: Unborn) -> io::Result<()> {
        let given = self.board.given.load(SeqCst);
        self.board.born(given).store(0, SeqCst);
        // Before it is sent: the zygote is to say that all is done when it has done the last one.
        self.board.given.store(given.wrapping_add(1), SeqCst);
        let door = u32::try_from(unborn.door).unwrap_or(u32::MAX);
        let order = Order { address: unborn.arrival.place.address, session: unborn.arrival.session, door };
        let sent = ssmglobal_sys::send_descriptor(&self.socket, &order.bytes(), unborn.client.as_fd());
        self.unborn.push(unborn);
        sent
    }

    /// Waits until some of the open orders are done.
    ///
    /// # Errors
    /// It is gone, or stuck.
    pub fn wait(&self) -> io::Result<()> {
        let some = u32::try_from(self.unborn.len().div_ceil(2)).unwrap_or(1);
        let awaited = self.taken.wrapping_add(some);
        self.board.awaited.store(awaited, SeqCst);
        while self.board.outcome(awaited.wrapping_sub(1)) == Outcome::Open {
            self.hear(ssmglobal_sys::read_waiting(&self.socket, &mut [0; ORDERS]))?;
        }
        Ok(())
    }

    /// Takes what it has said.
    ///
    /// # Errors
    /// It is gone.
    pub fn listen(&self) -> io::Result<()> {
        self.hear(ssmglobal_sys::read_now(&self.socket, &mut [0; ORDERS]))
    }

    fn hear(&self, heard: io::Result<usize>) -> io::Result<()> {
        if heard? == 0 { Err(io::ErrorKind::UnexpectedEof.into()) } else { Ok(()) }
    }

    /// The oldest of the open orders, if it is done, and what has become of it.
    fn next_born(&mut self) -> Option<(Unborn, Outcome)> {
        let is_done = !self.unborn.is_empty() && self.board.outcome(self.taken) != Outcome::Open;
        if is_done { self.take() } else { None }
    }

    /// Takes the oldest of the orders, and what has become of it so far.
    fn take(&mut self) -> Option<(Unborn, Outcome)> {
        if self.unborn.is_empty() {
            return None;
        }
        let outcome = self.board.outcome(self.taken);
        self.taken = self.taken.wrapping_add(1);
        self.proved |= matches!(outcome, Outcome::Worker(_));
        Some((self.unborn.remove(0), outcome))
    }

    /// Ends it. Gives what has become of its open orders as well. `status`: how it has ended, if it was waited for.
    pub fn end(mut self, status: Option<i32>) -> (Ended, Vec<(Unborn, Outcome)>) {
        let status = status.or_else(|| {
            // A child that was not waited for: its id is nobody else's.
            let _ = kill(self.pid, Signal::SIGKILL);
            wait_for(self.pid)
        });
        let orders = std::iter::from_fn(|| self.take()).collect();
        (Ended { status, was_of_use: self.proved }, orders)
    }
}

/// All that a zygote begins with.
struct Cradle<'a> {
    /// The listener.
    parent: Pid,
    /// Where orders come from.
    orders: BorrowedFd<'a>,
    board: SharedPage<Board>,
    opened: &'a [Option<Opened>],
    ends: Ends<'a>,
    inherited: &'a Inheritance,
}

impl Child for Cradle<'_> {
    fn begin(self) -> ! {
        match self.settle() {
            Ok(mut stack) => self.serve(&mut stack),
            // The listener goes on without it.
            Err(_) => exit_now(WorkerEnd::NOT_LOCKED.0),
        }
    }
}

impl Cradle<'_> {
    /// Locks itself in. Gives the memory that workers are to run on.
    fn settle(&self) -> io::Result<ChildStack> {
        Title::set(format_args!("ssmglobal: zygote"));
        let Ends { rendezvous, moves, lifeline, pending } = &self.ends;
        let Inheritance { sandbox, signals, .. } = self.inherited;
        let [null, root, ruleset] = sandbox.descriptors();
        let [orders, rendezvous, moves, lifeline, pending] =
            [&self.orders, rendezvous, moves, lifeline, pending].map(AsRawFd::as_raw_fd);
        let mut keep = [orders, rendezvous, moves, lifeline, pending, signals.as_raw_fd(), null, root, ruleset];
        sort(&mut keep);
        close_others(&keep);
        ssmglobal_sys::keep_own_stack();
        self.board.keep()?;
        let stack = ChildStack::new()?;
        ssmglobal_sys::settle_heap();
        sandbox.enter_as_zygote(self.parent)?;
        Ok(stack)
    }

    /// Makes workers, until nobody orders any.
    fn serve(&self, stack: &mut ChildStack) -> ! {
        let (mut bytes, mut done) = ([0; Order::LENGTH], 0_u32);
        while let Ok(Some(client)) = ssmglobal_sys::receive_descriptor(self.orders, &mut bytes) {
            if !Order::of(&bytes).is_some_and(|order| self.make(stack, self.board.born(done), &order, client)) {
                self.board.born(done).store(NOBODY, SeqCst);
            }
            // Its client lies there no more: whoever looks for one that has no worker takes the next.
            pending::clear(self.ends.pending);
            done = done.wrapping_add(1);
            let asked = [&self.board.given, &self.board.awaited].map(|count| count.load(SeqCst));
            if asked.contains(&done) && ssmglobal_sys::write_now(self.orders, &[0]).is_err() {
                break;
            }
        }
        exit_now(WorkerEnd::GOOD.0)
    }

    /// Makes a worker, whose number then stands in its place; gives whether it could.
    fn make(&self, stack: &mut ChildStack, number: &AtomicI32, order: &Order, client: OwnedFd) -> bool {
        let Some(opened) = self.opened.get(order.door as usize).and_then(Option::as_ref) else { return false };
        let client = TcpStream::from_std(std::net::TcpStream::from(client));
        let (title, new) = newcomer(order.address, order.session, client, opened);
        let Ends { rendezvous, moves, lifeline, pending: _ } = self.ends;
        let (door, begun, inherited, locks) = (&opened.door, Instant::now(), self.inherited, Locks::Behind);
        let birth = Birth { title, new, door, rendezvous, moves, lifeline, begun, inherited, locks };
        ssmglobal_sys::fork_sibling(stack, number, birth).0.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_arrives_as_it_was_given() {
        let scoped = SocketAddrV6::new("fe80::1".parse().unwrap(), 9, 3, 7).into();
        let addresses = ["192.0.2.1:1", "[::ffff:192.0.2.1]:65535", "[2001:db8::1]:4201", "[::]:0"];
        for address in addresses.map(|text| text.parse().unwrap()).into_iter().chain([scoped]) {
            let order = Order { address, session: u64::MAX - 1, door: 70_000 };
            assert_eq!(Order::of(&order.bytes()), Some(order));
        }
    }
}

//! A filter of system calls: compiled once, before any fork, installed by each child with one system call. Runs in the
//! listener (compiling) and in workers (installing).
//!
//! The program is a binary search over the numbers of the calls. The kernel runs it for each of its some 470 calls when
//! it is installed, to know which ones it need not ask about again; with one comparison after the other, as crates make
//! it, that alone costs a worker 70 µs more.

use nix::errno::Errno;
use nix::libc;
use std::io;

/// One system call that is allowed, and how its arguments must be: every test has to hold.
///
/// Tests see the lower 32 bits of an argument. That is all that the kernel looks at in the arguments that are tested
/// (families, commands, flags), except for protections of memory, of which the upper half has no meaning.
#[derive(Clone, Copy, Debug)]
pub struct Allowed {
    /// The system call's number on this architecture.
    pub call: libc::c_long,
    /// What its arguments must be.
    pub tests: &'static [Test],
}

/// What one argument must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Test {
    /// The argument with this index is one of these.
    OneOf(u32, &'static [u32]),
    /// None of these bits is set in the argument with this index.
    Without(u32, u32),
    /// The argument with this index is the caller's process id.
    OwnPid(u32),
}

/// The most instructions; jumps count in 8 bits.
const MOST: usize = 255;

const ALLOW: libc::sock_filter = give(libc::SECCOMP_RET_ALLOW);
const KILL: libc::sock_filter = give(libc::SECCOMP_RET_KILL_PROCESS);
const REFUSE: libc::sock_filter = give(libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);

/// Places in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

#[cfg(target_arch = "x86_64")]
const OURS: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const OURS: u32 = 0xc000_00b7;

const fn instruction(code: u32, yes: u8, no: u8, k: u32) -> libc::sock_filter {
    // All codes are below 256.
    libc::sock_filter { code: code as u16, jt: yes, jf: no, k }
}

const fn give(what: u32) -> libc::sock_filter {
    instruction(libc::BPF_RET | libc::BPF_K, 0, 0, what)
}

const fn load(at: u32) -> libc::sock_filter {
    instruction(libc::BPF_LD | libc::BPF_W | libc::BPF_ABS, 0, 0, at)
}

const fn jump(how: u32, k: u32, yes: u8, no: u8) -> libc::sock_filter {
    instruction(libc::BPF_JMP | how | libc::BPF_K, yes, no, k)
}

/// A filter that is ready to be installed.
#[derive(Debug)]
pub struct Filter {
    program: Box<[libc::sock_filter]>,
    /// Instructions that compare with the process id, which is not known before the fork.
    pids: Box<[usize]>,
}

/// From this number on, up to the next one's, this is what happens.
#[derive(Clone, Copy)]
struct Range {
    from: u32,
    goal: Goal,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Goal {
    Kill,
    Allow,
    Refuse,
    /// Look at the arguments; the index in the list of calls.
    Look(usize),
}

impl Filter {
    /// Compiles a filter that lets these calls through, refuses those (`EPERM`), and kills the process at any other. Each call may be
    /// named once, in any order.
    ///
    /// # Errors
    /// `InvalidInput` when a call is named twice, or for a list that is too long; `Unsupported` on a machine whose
    /// calls are not known here.
    pub fn new(allowed: &[Allowed], refused: &[libc::c_long]) -> io::Result<Filter> {
        #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
        return Err(io::ErrorKind::Unsupported.into());
        #[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
        Compiler::compile(allowed, refused).ok_or_else(|| io::ErrorKind::InvalidInput.into())
    }

    /// Installs it: from now on, and for ever, it holds for this process. The process must have given up new privileges.
    ///
    /// # Errors
    /// The kernel's; `ENOSYS` or `EINVAL` where it has no filters.
    #[inline(always)]
    pub fn install(&self) -> io::Result<()> {
        // On the stack: to change it where it lies would cost a page of memory.
        let mut program = [KILL; MOST];
        for (to, from) in program.iter_mut().zip(&self.program) {
            *to = *from;
        }
        let pid = std::process::id();
        for &place in &self.pids {
            if let Some(instruction) = program.get_mut(place) {
                instruction.k = pid;
            }
        }
        let len = u16::try_from(self.program.len()).map_err(|_| Errno::EINVAL)?;
        let program = libc::sock_fprog { len, filter: program.as_mut_ptr() };
        let set = libc::SECCOMP_SET_MODE_FILTER;
        // SAFETY: `program` points to `len` instructions, which live across the call; the kernel checks and copies them.
        let done = unsafe { libc::syscall(libc::SYS_seccomp, set, 0, &raw const program) };
        Errno::result(done)?;
        Ok(())
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
struct Compiler<'a> {
    allowed: &'a [Allowed],
    refused: &'a [libc::c_long],
    program: Vec<libc::sock_filter>,
    /// Jumps to be filled in: the instruction, whether it is its yes, and where to.
    jumps: Vec<(usize, bool, Goal)>,
    pids: Vec<usize>,
}

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
impl Compiler<'_> {
    fn compile(allowed: &[Allowed], refused: &[libc::c_long]) -> Option<Filter> {
        let mut compiler = Compiler { allowed, refused, program: Vec::new(), jumps: Vec::new(), pids: Vec::new() };
        let ranges = compiler.ranges()?;
        compiler.program.extend([load(ARCHITECTURE), jump(libc::BPF_JEQ, OURS, 1, 0), KILL, load(NUMBER)]);
        compiler.search(&ranges)?;
        compiler.goals(&ranges)?;
        let Compiler { program, pids, .. } = compiler;
        (program.len() <= MOST).then(|| Filter { program: program.into(), pids: pids.into() })
    }

    /// What happens from which number on, ascending.
    fn ranges(&self) -> Option<Vec<Range>> {
        let mut calls: Vec<(u32, Goal)> = Vec::new();
        for (index, allowed) in self.allowed.iter().enumerate() {
            let goal = if allowed.tests.is_empty() { Goal::Allow } else { Goal::Look(index) };
            calls.push((u32::try_from(allowed.call).ok()?, goal));
        }
        for refused in self.refused {
            calls.push((u32::try_from(*refused).ok()?, Goal::Refuse));
        }
        calls.sort_unstable_by_key(|(number, _)| *number);
        let mut ranges = vec![Range { from: 0, goal: Goal::Kill }];
        for (number, goal) in calls {
            // Where the range before ended, unless this one follows at once.
            let last = ranges.last_mut()?;
            match number.checked_sub(last.from) {
                Some(0) if last.goal == Goal::Kill => last.goal = goal,
                Some(1..) if last.goal == Goal::Kill => ranges.push(Range { from: number, goal }),
                _ => return None,
            }
            ranges.push(Range { from: number + 1, goal: Goal::Kill });
        }
        ranges.dedup_by(|later, earlier| later.goal == earlier.goal);
        Some(ranges)
    }

    /// The search through these ranges.
    fn search(&mut self, ranges: &[Range]) -> Option<()> {
        let (low, high) = ranges.split_at_checked(middle(ranges))?;
        let first = high.first()?;
        let at = self.program.len();
        self.program.push(jump(libc::BPF_JGE, first.from, 0, 0));
        match low {
            [] => {}
            [one] => self.jumps.push((at, false, one.goal)),
            _ => self.search(low)?,
        }
        match high {
            [one] => self.jumps.push((at, true, one.goal)),
            _ => {
                let distance = u8::try_from(self.program.len() - at - 1).ok()?;
                self.program.get_mut(at)?.jt = distance;
                self.search(high)?;
            }
        }
        Some(())
    }

    /// Where the search leads to.
    fn goals(&mut self, ranges: &[Range]) -> Option<()> {
        let looks = ranges.iter().map(|range| range.goal).filter(|goal| matches!(goal, Goal::Look(_)));
        let refuse = (!self.refused.is_empty()).then_some(Goal::Refuse);
        for goal in looks.chain([Goal::Allow]).chain(refuse).chain([Goal::Kill]) {
            let here = self.program.len();
            for &(at, yes, _) in self.jumps.iter().filter(|(_, _, to)| *to == goal) {
                let distance = u8::try_from(here - at - 1).ok()?;
                let instruction = self.program.get_mut(at)?;
                *(if yes { &mut instruction.jt } else { &mut instruction.jf }) = distance;
            }
            match goal {
                Goal::Allow => self.program.push(ALLOW),
                Goal::Refuse => self.program.push(REFUSE),
                Goal::Kill => self.program.push(KILL),
                Goal::Look(index) => self.look(index)?,
            }
        }
        Some(())
    }

    fn look(&mut self, index: usize) -> Option<()> {
        for test in self.allowed.get(index)?.tests {
            let (Test::OneOf(argument, _) | Test::Without(argument, _) | Test::OwnPid(argument)) = *test;
            self.program.push(load(ARGUMENTS + 8 * argument));
            match *test {
                Test::OneOf(_, values) => {
                    for (left, value) in (0..u8::try_from(values.len()).ok()?).rev().zip(values) {
                        // Past the rest of the values and the end.
                        self.program.push(jump(libc::BPF_JEQ, *value, left + 1, 0));
                    }
                }
                Test::Without(_, bits) => self.program.push(jump(libc::BPF_JSET, bits, 0, 1)),
                Test::OwnPid(_) => {
                    self.pids.push(self.program.len());
                    self.program.push(jump(libc::BPF_JEQ, 0, 1, 0));
                }
            }
            self.program.push(KILL);
        }
        self.program.push(ALLOW);
        Some(())
    }
}

/// Where to divide ranges: so that about as many numbers are below it as above. Long ranges are found after few steps, which the
/// kernel goes for each number when the filter is installed.
#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
fn middle(ranges: &[Range]) -> usize {
    // Of the last one as far as machines have calls.
    const NUMBERS: u32 = 470;
    let [first, .., last] = ranges else { return ranges.len() / 2 };
    let end = NUMBERS.max(last.from + 1);
    let half = first.from + (end - first.from) / 2;
    let from = |at: usize| ranges.get(at).map_or(end, |range| range.from);
    let at = ranges.partition_point(|range| range.from <= half).clamp(1, ranges.len() - 1);
    if at > 1 && half.abs_diff(from(at - 1)) <= half.abs_diff(from(at)) { at - 1 } else { at }
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::sys::wait::{WaitStatus, waitpid};
    use nix::unistd::Pid;
    use std::mem::ManuallyDrop;

    /// Runs the program as the kernel does.
    fn verdict(filter: &Filter, architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
        let (mut at, mut value) = (0, 0);
        loop {
            let libc::sock_filter { code, jt, jf, k } = filter.program[at];
            at += 1;
            match u32::from(code) & 0x07 {
                libc::BPF_RET => return k,
                libc::BPF_LD => {
                    value = match k {
                        NUMBER => number,
                        ARCHITECTURE => architecture,
                        _ => arguments[((k - ARGUMENTS) / 8) as usize] as u32,
                    }
                }
                _ => {
                    let holds = match u32::from(code) & 0xf0 {
                        libc::BPF_JGE => value >= k,
                        libc::BPF_JEQ => value == k,
                        _ => value & k != 0,
                    };
                    at += usize::from(if holds { jt } else { jf });
                }
            }
        }
    }

    const CALLS: &[Allowed] = &[
        Allowed { call: 7, tests: &[] },
        Allowed { call: 0, tests: &[] },
        Allowed { call: 8, tests: &[] },
        Allowed { call: 60, tests: &[Test::OneOf(0, &[1, 5, 9]), Test::Without(2, 4)] },
        Allowed { call: 61, tests: &[Test::OneOf(1, &[3])] },
        Allowed { call: 400, tests: &[] },
    ];

    #[test]
    fn only_what_is_named_passes() {
        let filter = Filter::new(CALLS, &[9, 62]).unwrap();
        for refused in [9, 62] {
            assert_eq!(verdict(&filter, OURS, refused, [0; 6]), libc::SECCOMP_RET_ERRNO | libc::EPERM as u32);
        }
        let passes = |number, arguments| verdict(&filter, OURS, number, arguments) == libc::SECCOMP_RET_ALLOW;
        for number in 0..1000 {
            assert_eq!(passes(number, [0; 6]), [0, 7, 8, 400].contains(&number), "{number}");
            assert_eq!(passes(number, [5, 3, 2, 0, 0, 0]), [0, 7, 8, 60, 61, 400].contains(&number), "{number}");
        }
        // The numbers of another machine, and of the 32-bit calls that this one knows as well.
        assert_eq!(verdict(&filter, 0x4000_0003, 7, [0; 6]), libc::SECCOMP_RET_KILL_PROCESS);
        assert!(!passes(0x4000_0007, [0; 6]) && !passes(u32::MAX, [0; 6]));
    }

    #[test]
    fn arguments_are_looked_at() {
        let filter = Filter::new(CALLS, &[]).unwrap();
        let passes = |a: u64, c: u64| verdict(&filter, OURS, 60, [a, 0, c, 0, 0, 0]) == libc::SECCOMP_RET_ALLOW;
        for a in 0..12 {
            for c in 0..12 {
                assert_eq!(passes(a, c), [1, 5, 9].contains(&a) && c & 4 == 0, "{a} {c}");
            }
        }
    }

    #[test]
    fn a_call_is_named_once() {
        assert!(Filter::new(&[CALLS[0], CALLS[1], CALLS[0]], &[]).is_err());
        assert!(Filter::new(CALLS, &[CALLS[0].call]).is_err());
    }

    /// Does something in a child behind a filter that lets it write, end, and map memory that cannot be executed.
    fn behind_a_filter(what: impl FnOnce()) -> WaitStatus {
        const FEW: &[Allowed] = &[
            Allowed { call: libc::SYS_exit_group, tests: &[] },
            Allowed { call: libc::SYS_mmap, tests: &[Test::Without(2, libc::PROT_EXEC.cast_unsigned())] },
            Allowed { call: libc::SYS_gettid, tests: &[] },
            Allowed { call: libc::SYS_tgkill, tests: &[Test::OwnPid(0), Test::OneOf(2, &[0])] },
        ];
        let filter = Filter::new(FEW, &[]).unwrap();
        let given = (&filter, ManuallyDrop::new(what));
        let (child, _) = crate::fork_once(given, |(filter, what)| {
            let locked = nix::sys::prctl::set_no_new_privs().is_ok() && filter.install().is_ok();
            ManuallyDrop::into_inner(what)();
            crate::exit_now(i32::from(!locked))
        })
        .unwrap();
        waitpid(child, None).unwrap()
    }

    #[test]
    fn memory_cannot_be_made_executable() {
        let map = |protection: i32| {
            move || {
                let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
                // SAFETY: a new mapping at a place of the kernel's choice touches nothing that exists.
                unsafe { libc::syscall(libc::SYS_mmap, 0, 4096, protection, flags, -1, 0) };
            }
        };
        let fine = behind_a_filter(map(libc::PROT_READ | libc::PROT_WRITE));
        assert!(matches!(fine, WaitStatus::Exited(_, 0)), "{fine:?}");
        let killed = behind_a_filter(map(libc::PROT_READ | libc::PROT_EXEC));
        assert!(matches!(killed, WaitStatus::Signaled(_, nix::sys::signal::Signal::SIGSYS, _)), "{killed:?}");
    }

    #[test]
    fn a_process_may_send_a_signal_to_itself_alone() {
        let send = |own: bool| {
            let parent = Pid::this().as_raw();
            move || {
                // SAFETY: it only asks for a number.
                let own_id = unsafe { libc::syscall(libc::SYS_gettid) };
                let to = if own { own_id } else { libc::c_long::from(parent) };
                // SAFETY: signal 0 is none; only whether it may be sent is looked at.
                unsafe { libc::syscall(libc::SYS_tgkill, to, to, 0) };
            }
        };
        let fine = behind_a_filter(send(true));
        assert!(matches!(fine, WaitStatus::Exited(_, 0)), "{fine:?}");
        let killed = behind_a_filter(send(false));
        assert!(matches!(killed, WaitStatus::Signaled(_, nix::sys::signal::Signal::SIGSYS, _)), "{killed:?}");
    }
}

//! What a worker begins with: of the listener's memory, mappings and descriptors, what is listed here and nothing else.

use crate::harness::{Backend, GREETING, Mapping, Process, Wire, is_root, zygote_of};

/// A client who has said nothing, and his worker, which waits for his first word.
fn idle(backend: &Backend) -> (Wire, Process) {
    let mark = backend.log().mark();
    let mut client = Wire::to(backend.at());
    client.expect(GREETING);
    // The greeting comes before the worker.
    backend.log().wait_after(mark, "Connected (");
    let worker = Process(backend.workers().last().expect("a worker").pid);
    worker.comes_to_wait();
    (client, worker)
}

/// What each descriptor is, in order.
fn sorts(descriptors: &[String]) -> Vec<&str> {
    let mut sorts: Vec<&str> = descriptors.iter().map(|link| link.split(['[', ']']).next().unwrap_or(link)).collect();
    sorts.sort_unstable();
    sorts
}

/// What a mapping is, in one word.
fn kind(mapping: &Mapping, program: &str) -> &'static str {
    match (mapping.name.as_str(), mapping.rights.as_str()) {
        (name, "r--p") if name == program => "program, read",
        (name, "r-xp") if name == program => "program, run",
        (name, "rw-p") if name == program => "program, written",
        ("[heap]", "rw-p") => "heap",
        ("[stack]", "rw-p") => "title",
        ("[vvar]" | "[vvar_vclock]" | "[vdso]" | "[vsyscall]", _) => "kernel's",
        ("", "---p") => "guard",
        ("", "rw-p") if mapping.kib == 1020 => "stack",
        // What a program has that begins as zeroes.
        ("", "rw-p") => "zeroes",
        _ => "strange",
    }
}

#[test]
fn a_fork_leaves_no_page_behind_in_a_worker_but_its_stack() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    // The first worker is as any other.
    let (_first, _) = idle(&backend);
    let (_client, worker) = idle(&backend);
    let program = worker.program();
    let own = || -> Vec<(&str, u64)> {
        let mappings = worker.mappings();
        mappings.iter().filter(|it| it.private > 0).map(|it| (kind(it, &program), it.private)).collect()
    };
    let at_first = own();
    let pages =
        |wanted: &str| -> u64 { at_first.iter().filter(|(kind, _)| *kind == wanted).map(|(_, kib)| kib / 4).sum() };
    // What it writes itself: its stack, of which a program that is not optimised needs more, and its title, which may lie on two
    // pages.
    assert!(at_first.iter().all(|(kind, _)| ["title", "stack"].contains(kind)), "{at_first:?}");
    assert!(pages("stack") <= 3 && pages("title") <= 2, "{at_first:?}");
    // Whatever the listener does from then on, nothing of it is this worker's.
    let others: Vec<_> = (0..20).map(|_| idle(&backend)).collect();
    let mark = backend.log().mark();
    drop(others);
    backend.log().wait_after(mark, "Disconnected (2/");
    assert_eq!(own(), at_first);
}

#[test]
fn a_worker_begins_with_these_mappings() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    let (_client, worker) = idle(&backend);
    let program = worker.program();
    let mappings = worker.mappings();
    let mut kinds: Vec<&str> = mappings.iter().map(|mapping| kind(mapping, &program)).collect();
    kinds.retain(|kind| *kind != "kernel's");
    kinds.sort_unstable();
    let wanted = [
        "guard",
        "guard",
        "heap",
        "program, read",
        "program, read",
        "program, run",
        "program, written",
        "stack",
        "title",
        "zeroes",
    ];
    assert_eq!(kinds, wanted, "{mappings:#?}");
}

#[test]
fn a_worker_begins_with_these_descriptors() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    let _other = idle(&backend);
    let (_client, worker) = idle(&backend);
    let descriptors = worker.descriptors();
    // The three streams that lead nowhere; the lifeline; the client, the rendezvous and where clients move; the signals.
    let wanted = ["/dev/null", "/dev/null", "/dev/null", "anon_inode:", "pipe:", "socket:", "socket:", "socket:"];
    assert_eq!(sorts(&descriptors), wanted, "{descriptors:?}");
    assert_eq!(descriptors.iter().filter(|link| link.contains("signalfd")).count(), 1, "{descriptors:?}");
}

#[test]
fn a_zygote_has_what_its_workers_need_and_what_it_works_with() {
    if !is_root() {
        return;
    }
    let backend = Backend::start();
    let _client = backend.program();
    let zygote = zygote_of(backend.pid());
    let descriptors = zygote.descriptors();
    // As a worker's, without a client; where orders come from, and where clients lie until they have a worker.
    let wanted =
        ["/dev/null", "/dev/null", "/dev/null", "anon_inode:", "pipe:", "socket:", "socket:", "socket:", "socket:"];
    assert_eq!(sorts(&descriptors), wanted, "{descriptors:?}");
    assert!(zygote.mappings().iter().all(|mapping| !mapping.name.contains("memfd")), "{:#?}", zygote.mappings());
}

#[test]
fn the_program_lies_somewhere_else_each_time() {
    if !is_root() {
        return;
    }
    let at = || {
        let backend = Backend::start();
        let listener = Process(backend.pid());
        let program = listener.program();
        let mappings = listener.mappings();
        let first = |wanted: &str| mappings.iter().find(|it| it.name == wanted).map(|it| it.start);
        [first(&program), first("[heap]"), first("[stack]")].map(|start| start.expect("a mapping"))
    };
    let (one, other) = (at(), at());
    for (one, other) in one.into_iter().zip(other) {
        assert_ne!(one, other);
    }
}

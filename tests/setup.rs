//! `ssmglobal setup` on a machine of its own, and the pieces in `config/`.

use crate::harness::{Machine, Output, Running, is_installed, is_root_beside, program, run};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Supervisors, with what is written for each: the file, where it goes.
const PIECES: [(&str, &[(&str, &str)]); 5] = [
    ("systemd", &[("systemd/ssmglobal.service", "systemd/system/ssmglobal.service")]),
    ("openrc", &[("openrc/ssmglobal", "init.d/ssmglobal")]),
    ("runit", &[("runit/run", "sv/ssmglobal/run"), ("runit/log/run", "sv/ssmglobal/log/run")]),
    ("s6", &[("s6/run", "s6/ssmglobal/run"), ("s6/log/run", "s6/ssmglobal/log/run")]),
    ("supervisord", &[("supervisord/ssmglobal.conf", "supervisor/conf.d/ssmglobal.conf")]),
];

fn config(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("config").join(name)
}

fn read(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.as_ref().display()))
}

fn setup(machine: &Machine, words: &[&str]) -> Output {
    machine.runs(Path::new("/"), &[&["setup"], words].concat())
}

/// What each step says of what.
fn said<'a>(output: &'a Output, how: &str) -> Vec<&'a str> {
    output.out.lines().filter_map(|line| line.strip_prefix(how)).map(str::trim).collect()
}

#[test]
fn it_makes_what_a_service_needs_and_twice_is_once() {
    let Some(machine) = Machine::new() else { return };
    machine.shell("! id ssmglobal 2>/dev/null || userdel ssmglobal").succeeds();
    let all = [
        "the program /usr/local/bin/ssmglobal",
        "the user ssmglobal",
        "the directory /var/lib/ssmglobal",
        "/etc/ssmglobal.toml",
        "/etc/systemd/system/ssmglobal.service",
    ];
    let dry = setup(&machine, &["--dry-run", "--supervisor", "systemd"]).succeeds();
    assert_eq!(said(&dry, "would make"), all);
    assert!(!machine.etc("ssmglobal.toml").exists());
    machine
        .shell("! id ssmglobal 2>/dev/null; ! ls /usr/local/bin/ssmglobal /var/lib/ssmglobal 2>/dev/null")
        .succeeds();

    let first = setup(&machine, &["--supervisor", "systemd"]).succeeds().prints("systemctl enable --now ssmglobal");
    assert_eq!(said(&first, "made"), all);
    let second = setup(&machine, &["--supervisor", "systemd"]).succeeds();
    assert_eq!((said(&second, "is there"), said(&second, "made").len()), (all.to_vec(), 0));
    machine.shell("stat -c '%U %G %a' /var/lib/ssmglobal").succeeds().prints("ssmglobal ssmglobal 700");
    machine.runs(Path::new("/"), &["check", "/etc/ssmglobal.toml"]).succeeds().prints("/etc/ssmglobal.toml: fine");

    // What an administrator has changed stays.
    machine.write_config("limits.clients = 7\n");
    let unit = machine.etc("systemd/system/ssmglobal.service");
    std::fs::write(&unit, "[Unit]\n# mine\n").unwrap();
    let third = setup(&machine, &["--supervisor", "systemd"]).succeeds().prints("it stays as it is");
    assert!(third.out.contains("ssmglobal config example systemd"), "{third:?}");
    assert!(said(&third, "made").is_empty(), "{third:?}");
    assert_eq!(
        (read(&unit).as_str(), read(machine.etc("ssmglobal.toml")).as_str()),
        ("[Unit]\n# mine\n", "limits.clients = 7\n")
    );
}

#[test]
fn what_it_has_made_runs_as_its_user_and_is_found() {
    let Some(machine) = Machine::new() else { return };
    setup(&machine, &["--supervisor", "runit"]).succeeds();
    let run_script = read(machine.etc("sv/ssmglobal/run"));
    let line = run_script.lines().last().expect("what it starts").strip_prefix("exec chpst -u ssmglobal ");
    let address = crate::harness::own_address();
    let script = format!(
        "cd / && exec setpriv --reuid ssmglobal --regid ssmglobal --clear-groups {} -a {address} -p 0",
        line.expect("it")
    );
    let keeper = machine.process();
    let mut command = Command::new("nsenter");
    command.args(["-m", "-t", &keeper, "--", "sh", "-ec", &script]);
    let running = Running::start(command.env_remove("JOURNAL_STREAM").env_remove("NOTIFY_SOCKET"));
    running.stderr.wait("is ready");
    machine.ctl(Path::new("/"), &["status"]).succeeds().prints("/var/lib/ssmglobal/ssmglobal.db");
    // Whose the directory is, is said where it is another's.
    machine.shell("chown 4243 /var/lib/ssmglobal").succeeds();
    setup(&machine, &["--supervisor", "runit"]).succeeds().complains("chown -R ssmglobal:ssmglobal /var/lib/ssmglobal");
}

#[test]
fn every_supervisor_gets_the_files_of_config() {
    let Some(machine) = Machine::new() else { return };
    for (supervisor, files) in PIECES {
        setup(&machine, &["--supervisor", supervisor]).succeeds().prints("Start it: ");
        for (name, path) in files {
            let found = machine.etc(path);
            let expected = read(config(name)).replace("ExecStart=ssmglobal", "ExecStart=/usr/local/bin/ssmglobal");
            assert_eq!(read(&found), expected, "{path}");
            let is_script = expected.starts_with("#!");
            let mode = if is_script { 0o755 } else { 0o644 };
            assert_eq!(found.metadata().unwrap().permissions().mode() & 0o777, mode, "{path}");
        }
        let printed = machine.runs(Path::new("/"), &["config", "example", supervisor]).succeeds();
        assert!(printed.out.starts_with(&read(machine.etc(files[0].1))), "{supervisor}");
    }
}

#[test]
fn who_is_not_root_is_told_what_to_do() {
    if is_root_beside(4242) {
        let refused = run(program().arg("setup").uid(4242).gid(4242), b"").ends_with(1);
        refused.complains("sudo ssmglobal setup").complains("--dry-run");
        run(program().args(["setup", "--dry-run"]).uid(4242).gid(4242), b"").succeeds().prints("would make");
    }
    run(program().args(["config", "example"]), b"").succeeds().prints("# ssmglobal: the config file");
}

#[test]
fn systemd_has_nothing_against_its_unit() {
    if !is_installed("systemd-analyze") {
        return;
    }
    let dir = tempfile::TempDir::new().unwrap();
    let unit = dir.path().join("ssmglobal.service");
    let program = program().get_program().to_str().expect("a path").to_owned();
    std::fs::write(
        &unit,
        read(config("systemd/ssmglobal.service")).replace("ExecStart=ssmglobal", &format!("ExecStart={program}")),
    )
    .unwrap();
    let output = run(Command::new("systemd-analyze").args(["verify", "--man=no"]).arg(&unit), b"");
    let ours: Vec<&str> = output.err.lines().filter(|line| line.contains("ssmglobal.service")).collect();
    assert!(ours.is_empty(), "{ours:?}");
    assert!(read(&unit).contains("[Install]\nWantedBy=multi-user.target"));
}

#[test]
fn scripts_have_no_slip_and_can_be_run() {
    for name in ["runit/run", "runit/log/run", "s6/run", "s6/log/run", "openrc/ssmglobal"] {
        run(Command::new("sh").arg("-n").arg(config(name)), b"").succeeds();
        assert_eq!(config(name).metadata().unwrap().mode() & 0o111, 0o111, "{name}");
    }
}

#[test]
fn the_container_copies_what_is_there_and_asks_what_the_program_knows() {
    let text = read(config("container/Containerfile"));
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let lines: Vec<Vec<String>> = text.lines().filter(|line| !line.starts_with('#')).map(words).collect();
    let all = |instruction: &str| {
        lines.iter().filter(|line| line.first().is_some_and(|word| word == instruction)).collect::<Vec<_>>()
    };
    // From the clone all of it, and from the first stage the program, where the build leaves it.
    let copies: Vec<String> = all("COPY").iter().map(|line| line[1..].join(" ")).collect();
    assert_eq!(copies, [". .", "--from=build /src/target/*/dist/ssmglobal /usr/local/bin/ssmglobal"]);
    let manifest = read(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"));
    assert!(manifest.contains("[profile.dist]") && text.contains("--profile dist --bin ssmglobal"));
    assert_eq!(all("USER"), [&["USER", "ssmglobal"]]);
    assert_eq!(all("VOLUME"), [&["VOLUME", "/var/lib/ssmglobal"]]);
    // What is run there makes sense to the program: the check fails only since nothing runs here.
    for (instruction, expected) in [("HEALTHCHECK", 3), ("ENTRYPOINT", 0)] {
        let line = text.lines().find(|line| line.starts_with(instruction)).expect("the instruction");
        let list = &line[line.find('[').expect("a list")..];
        let mut words: Vec<String> = serde_json::from_str(list).expect("a list of words");
        assert_eq!(words.remove(0), "ssmglobal");
        let dir = tempfile::TempDir::new().unwrap();
        let data = dir.path().join("data").display().to_string();
        words.iter_mut().filter(|word| *word == "/var/lib/ssmglobal").for_each(|word| word.clone_from(&data));
        if expected == 0 {
            words.push("--version".to_owned());
        }
        run(program().args(&words), b"").ends_with(expected);
    }
}

#[test]
fn no_page_quotes_a_piece() {
    let pages = ["README.md", "docs/operating.md"].map(|page| read(Path::new(env!("CARGO_MANIFEST_DIR")).join(page)));
    for line in ["ExecStart=", "stopasgroup=", "exec chpst", "s6-setuidgid ssmglobal", "command_user="] {
        assert!(pages.iter().all(|page| !page.contains(line)), "{line}");
    }
}

//! Mail to any registered player, and TELL to those who are on.

use crate::harness::{Backend, Program, has};
use serde_json::{Value, json};

fn send(from: &mut Program, to: &str, body: &str) -> u64 {
    from.ok("MAIL SEND", json!({"to": to, "body": body}))["id"].as_u64().expect("a number")
}

#[test]
fn a_letter_and_its_answer() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let data = alice.ok("MAIL SEND", json!({"to": "BOB", "body": "line 1\nline 2", "subject": "Hello"}));
    assert_eq!(data["to"], "bob");
    let event = bob.expect_event("mail");
    has(&event, json!({"from": "alice", "subject": "Hello", "unread": 1}));
    let id = event["id"].clone();
    let list = bob.ok("MAIL LIST", json!({}));
    assert_eq!(list["mails"][0]["read"], false);
    has(&list, json!({"unread": 1, "total": 1}));
    let mail = bob.ok("MAIL READ", json!({"id": id}));
    has(&mail, json!({"body": "line 1\nline 2", "from": "alice", "to": "bob"}));
    assert_eq!(bob.ok("MAIL LIST", json!({}))["mails"][0]["read"], true);
    bob.ok("MAIL REPLY", json!({"id": id, "body": "Hello back"}));
    let event = alice.expect_event("mail");
    has(&event, json!({"subject": "Re: Hello", "from": "bob"}));
    alice.ok("MAIL REPLY", json!({"id": event["id"], "body": "Once more"}));
    assert_eq!(bob.expect_event("mail")["subject"], "Re: Hello");
    let sent = alice.ok("MAIL SENT", json!({}));
    assert_eq!(sent["total"], 2);
    assert_eq!(sent["mails"][0]["to"], "bob");
    // Deleted by its receiver it is gone for him alone.
    bob.ok("MAIL DELETE", json!({"id": id}));
    for cmd in ["MAIL READ", "MAIL DELETE"] {
        assert_eq!(bob.fails(cmd, json!({"id": id})), "not_found");
    }
    assert_eq!(bob.fails("MAIL REPLY", json!({"id": id, "body": "x"})), "not_found");
    assert_eq!(bob.ok("MAIL LIST", json!({}))["total"], 1);
}

#[test]
fn everybody_numbers_his_own_letters_from_1() {
    let mut backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let mut carol = backend.player("carol");
    assert_eq!((send(&mut carol, "alice", "x"), send(&mut carol, "alice", "y")), (1, 2));
    assert_eq!((&alice.expect_event("mail")["id"], &alice.expect_event("mail")["id"]), (&1.into(), &2.into()));
    // Sent and received are one sequence, and what others do in theirs does not show.
    assert_eq!(send(&mut alice, "bob", "first of bob's"), 3);
    assert_eq!(bob.expect_event("mail")["id"], 1);
    assert_eq!(alice.ok("MAIL READ", json!({"id": 3}))["body"], "first of bob's");
    assert_eq!(bob.fails("MAIL READ", json!({"id": 3})), "not_found");
    assert_eq!(alice.ok("MAIL SENT", json!({}))["mails"][0]["id"], 3);
    // To oneself it is one letter.
    assert_eq!(send(&mut bob, "bob", "to myself"), 2);
    assert_eq!(bob.expect_event("mail")["id"], 2);
    bob.ok("MAIL DELETE", json!({"id": 2}));
    assert_eq!(bob.ok("MAIL SENT", json!({}))["total"], 0);
    // A number is never used again, whatever is deleted or restarted.
    bob.ok("MAIL DELETE", json!({"id": 1}));
    drop((alice, bob, carol));
    backend.restart();
    let mut bob = backend.player_again("bob");
    assert_eq!(send(&mut bob, "alice", "after the restart"), 3);
    assert_eq!(backend.player_again("alice").ok("MAIL LIST", json!({}))["mails"][0]["id"], 4);
}

#[test]
fn a_letter_is_passed_on() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let mut carol = backend.person("carol");
    alice.ok("MAIL SEND", json!({"to": "bob", "body": "The tower at eight.", "subject": "Meet"}));
    let id = bob.expect_event("mail")["id"].clone();
    let sent = bob.ok("MAIL FORWARD", json!({"id": id, "to": "CAROL"}));
    has(&sent, json!({"to": "carol", "id": 2}));
    carol.expect("[mail] bob: Fwd: Meet (MAIL READ 1)\r\n> ");
    carol.says("MAIL READ 1").sees("alice wrote on").sees("The tower at eight.");
    // On it goes, and says Fwd: once.
    carol.says("MAIL FORWARD 1 alice").sees("Mail 2 sent to alice.");
    assert_eq!(alice.expect_event("mail")["subject"], "Fwd: Meet");
    assert_eq!(bob.fails("MAIL FORWARD", json!({"id": 7, "to": "carol"})), "not_found");
    assert_eq!(bob.fails("MAIL FORWARD", json!({"id": 1, "to": "nobody-here"})), "not_found");
    assert_eq!(bob.fails("MAIL FORWARD", json!({"id": 1})), "usage");
    carol.says("MAIL BLOCK bob").sees("Blocked");
    assert_eq!(bob.fails("MAIL FORWARD", json!({"id": 1, "to": "carol"})), "denied");
    carol.says("MAIL FORWARD x bob").sees("Usage: MAIL FORWARD <id> <to>");
}

#[test]
fn nobody_reads_the_letters_of_others() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let mut mallory = backend.player("mallory");
    let id = send(&mut alice, "bob", "for your eyes only");
    for cmd in ["MAIL READ", "MAIL DELETE"] {
        assert_eq!(mallory.fails(cmd, json!({"id": id})), "not_found", "{cmd}");
    }
    assert_eq!(mallory.fails("MAIL REPLY", json!({"id": id, "body": "x"})), "not_found");
    // Who wrote it may look at it, which does not make it read, and take it off the list of what was sent.
    assert_eq!(alice.ok("MAIL READ", json!({"id": id}))["body"], "for your eyes only");
    assert_eq!(bob.ok("MAIL LIST", json!({}))["unread"], 1);
    alice.ok("MAIL DELETE", json!({"id": id}));
    assert_eq!(alice.ok("MAIL SENT", json!({}))["total"], 0);
    assert_eq!(bob.ok("MAIL READ", json!({"id": id}))["body"], "for your eyes only");
}

#[test]
fn nobody_answers_himself() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let _bob = backend.player("bob");
    let id = send(&mut alice, "bob", "hello");
    let reply = json!({"id": id, "body": "and another thing"});
    assert_eq!(alice.ok("MAIL REPLY", reply)["to"], "bob", "a letter of one's own is answered to whom it went");
    alice.expect_no_event("mail");
}

#[test]
fn a_full_mailbox_is_an_error_to_the_sender_and_no_letter_is_lost() {
    let backend = Backend::plan().config("mail.mailbox = 5\n").start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let ids: Vec<u64> = (0..5).map(|number| send(&mut alice, "bob", &format!("letter {number}"))).collect();
    assert_eq!(alice.fails("MAIL SEND", json!({"to": "bob", "body": "one too many"})), "limit");
    assert_eq!(bob.ok("MAIL LIST", json!({}))["total"], 5);
    bob.ok("MAIL DELETE", json!({"id": ids[0]}));
    send(&mut alice, "bob", "now it fits");
    assert_eq!(alice.fails("MAIL SEND", json!({"to": "bob", "body": "one too many"})), "limit");
    for id in &ids[1..] {
        bob.ok("MAIL READ", json!({"id": id}));
    }
}

#[test]
fn the_owner_of_a_full_mailbox_is_told_at_login_by_whoami_and_when_a_letter_was_refused() {
    let backend = Backend::plan().config("mail.mailbox = 2\n").start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    let mut arena = backend.game_server("arena");
    assert_eq!(bob.ok("WHOAMI", json!({}))["mailbox_full"], false);
    let ids = [(); 2].map(|()| send(&mut alice, "bob", "x"));
    let refuse = |from: &mut Program| assert_eq!(from.fails("MAIL SEND", json!({"to": "bob", "body": "x"})), "limit");
    // Once for each sender, also under a key, which may be tried again.
    let keyed = r#"{"cmd": "MAIL SEND", "key": "k", "args": {"to": "bob", "body": "under a key"}}"#;
    (0..2).for_each(|_| assert_eq!(alice.say(keyed)["code"], "limit"));
    refuse(&mut alice);
    refuse(&mut arena);
    for from in ["alice", "server:arena"] {
        let event = bob.expect_event("mail_refused");
        has(&event, json!({"from": from, "limit": 2}));
    }
    // The next handler knows whom it need not tell of.
    backend.kill_handler();
    refuse(&mut alice);
    bob.expect_no_event("mail_refused");
    assert_eq!(bob.ok("WHOAMI", json!({}))["mailbox_full"], true);
    let mut again = backend.program();
    let login = json!({"name": "bob", "password": "secret-of-bob"});
    assert_eq!(again.ok("LOGIN", login.clone())["mailbox_full"], true);
    bob.ok("MAIL DELETE", json!({"id": ids[0]}));
    assert_eq!(bob.ok("WHOAMI", json!({}))["mailbox_full"], false);
    assert_eq!(backend.program().ok("LOGIN", login)["mailbox_full"], false);
    assert_eq!(alice.say(keyed)["state"], "OK");
}

#[test]
fn a_person_with_a_full_mailbox_is_told_in_words() {
    let backend = Backend::plan().config("mail.mailbox = 1\n").start();
    let mut alice = backend.player("alice");
    let mut bob = backend.person("bob");
    send(&mut alice, "bob", "x");
    bob.expect("(MAIL READ 1)\r\n> ");
    assert_eq!(alice.fails("MAIL SEND", json!({"to": "bob", "body": "x"})), "limit");
    bob.expect("[mail_refused] alice: your mailbox is full (MAIL DELETE makes room)\r\n> ");
    let full = "\r\nYour mailbox is full, further mail is refused: MAIL DELETE makes room.\r\n";
    let (whoami, login) = (bob.ask("WHOAMI"), backend.terminal().ask("LOGIN bob secret-of-bob"));
    assert!(whoami.contains(full) && login.contains(full), "{whoami}{login}");
    bob.ask("MAIL DELETE 1");
    bob.says("WHOAMI").sees_no("full");
}

#[test]
fn many_at_once_do_not_overfill_it() {
    let backend = Backend::plan().config("mail.mailbox = 10\n").start();
    let mut bob = backend.player("bob");
    let mut senders: Vec<Program> = (0..4).map(|n| backend.player(&format!("sender-{n}"))).collect();
    for sender in &mut senders {
        for _ in 0..10 {
            sender.send_line(r#"{"cmd": "MAIL SEND", "args": ["bob", "hello"]}"#);
        }
    }
    let replies = senders.iter_mut().flat_map(|sender| (0..10).map(|_| sender.reply()).collect::<Vec<_>>());
    assert_eq!(replies.filter(|reply| reply["state"] == "OK").count(), 10);
    assert_eq!(bob.ok("MAIL LIST", json!({}))["total"], 10);
}

#[test]
fn blocked_is_blocked() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut mallory = backend.player("mallory");
    let mut arena = backend.game_server("arena");
    alice.ok("MAIL BLOCK", json!({"player": "MALLORY"}));
    alice.ok("MAIL BLOCK", json!({"player": "mallory"}));
    alice.ok("MAIL BLOCK", json!({"player": "server:arena"}));
    assert_eq!(alice.ok("MAIL BLOCKS", json!({}))["players"].as_array().map(Vec::len), Some(2));
    for (cmd, sender) in [("MAIL SEND", &mut mallory), ("MAIL SEND", &mut *arena)] {
        assert_eq!(sender.fails(cmd, json!({"to": "alice", "body": "hi"})), "denied");
    }
    assert_eq!(mallory.fails("TELL", json!({"to": "alice", "body": "hi"})), "denied");
    alice.expect_no_event("mail");
    alice.expect_no_event("tell");
    alice.ok("MAIL UNBLOCK", json!({"player": "mallory"}));
    assert_eq!(alice.fails("MAIL UNBLOCK", json!({"player": "mallory"})), "not_found");
    assert_eq!(alice.fails("MAIL BLOCK", json!({"player": "nobody"})), "not_found");
    send(&mut mallory, "alice", "sorry");
    mallory.ok("TELL", json!({"to": "alice", "body": "sorry"}));
    alice.expect_event("mail");
    alice.expect_event("tell");
}

#[test]
fn bounds() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut mail = |body: &str, subject: &str| {
        let reply = alice.ask("MAIL SEND", json!({"to": "alice", "body": body, "subject": subject}));
        reply["code"].as_str().unwrap_or("ok").to_owned()
    };
    assert_eq!(mail(&"x".repeat(4096), &"s".repeat(120)), "ok");
    assert_eq!(mail(&"x".repeat(4097), ""), "too_long");
    assert_eq!(mail("x", &"s".repeat(121)), "too_long");
    assert_eq!(mail("", ""), "invalid");
    assert_eq!(mail("x", "two\nlines"), "invalid");
    assert_eq!(alice.fails("MAIL SEND", json!({"to": "nobody", "body": "x"})), "not_found");
    for args in
        [json!({}), json!({"to": "alice"}), json!({"to": "alice", "body": 5, "sub": "x"}), json!(["a", "b", "c", "d"])]
    {
        assert_eq!(alice.fails("MAIL SEND", args), "usage");
    }
    for (id, code) in [
        (json!(-1), "invalid"),
        (json!("x"), "usage"),
        (json!(1.5), "usage"),
        (json!(u64::MAX), "not_found"),
        (json!(null), "usage"),
    ] {
        assert_eq!(alice.fails("MAIL READ", json!({"id": id})), code, "{id}");
    }
    assert_eq!(alice.fails("MAIL LIST", json!({"after": "x"})), "invalid");
}

#[test]
fn a_long_list_comes_in_pages_newest_first() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let ids: Vec<u64> = (0..25).map(|number| send(&mut alice, "alice", &format!("letter {number}"))).collect();
    let pages = alice.pages("MAIL LIST", json!({"limit": 10}));
    let rows = pages.iter().flat_map(|page| page["mails"].as_array().unwrap());
    let found: Vec<u64> = rows.filter_map(|mail| mail["id"].as_u64()).collect();
    let newest_first: Vec<u64> = ids.into_iter().rev().collect();
    assert_eq!(found, newest_first);
    let mut person = backend.terminal();
    person.says("LOGIN alice secret-of-alice").sees("25 unread");
    person.says("MAIL LIST 10").sees("; MAIL LIST 10 AFTER ");
}

#[test]
fn everywhere_that_a_player_is_on_it_is_heard() {
    let backend = Backend::start();
    let mut desk = backend.player("alice");
    let mut phone = backend.player_again("alice");
    let mut terminal = backend.terminal();
    terminal.ask("LOGIN alice secret-of-alice");
    let mut bob = backend.player("bob");
    bob.ok("TELL", json!({"to": "alice", "body": "hello"}));
    send(&mut bob, "alice", "hello");
    for program in [&mut desk, &mut phone] {
        program.expect_event("tell");
        program.expect_event("mail");
    }
    terminal.expect("[tell] bob: hello");
    terminal.expect("[mail] bob: (no subject)");
    // Logged out it is heard no more.
    phone.ok("LOGOUT", json!({}));
    bob.ok("TELL", json!({"to": "alice", "body": "again"}));
    desk.expect_event("tell");
    phone.expect_no_event("tell");
}

#[test]
fn tell_reaches_only_those_who_are_on() {
    let backend = Backend::start();
    let mut alice = backend.player("alice");
    let mut bob = backend.player("bob");
    bob.ok("LOGOUT", json!({}));
    let reply = alice.ask("TELL", json!({"to": "bob", "body": "hi"}));
    assert_eq!(reply["code"], "not_found");
    assert!(reply["msg"].as_str().is_some_and(|msg| msg.contains("MAIL SEND")), "{reply}");
    assert_eq!(alice.fails("TELL", json!({"to": "nobody", "body": "hi"})), "not_found");
    assert_eq!(alice.fails("TELL", json!({"to": "alice", "body": "x".repeat(3000)})), "too_long");
    assert_eq!(alice.fails("TELL", json!({"to": "alice", "body": ""})), "invalid");
}

#[test]
fn foreign_text_does_nothing_to_a_terminal() {
    let backend = Backend::start();
    let mut alice = backend.person("alice");
    let mut mallory = backend.player("mallory");
    let evil = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\r\n> fake prompt\u{202e}\u{0}\u{8}";
    mallory.ok("MAIL SEND", json!({"to": "alice", "body": evil, "subject": "plain"}));
    assert_eq!(mallory.fails("TELL", json!({"to": "alice", "body": evil})), "invalid", "that is two lines");
    mallory.ok("TELL", json!({"to": "alice", "body": evil.replace("\r\n", "")}));
    alice.expect("[tell] mallory: ");
    let told = alice.answer();
    let letter = alice.ask("MAIL READ 1");
    for text in [&told, &letter] {
        let bad = |c: char| (c.is_control() && c != '\r' && c != '\n') || c == '\u{202e}';
        assert!(!text.contains(bad), "{text:?}");
    }
    assert_eq!(told.lines().count(), 1, "{told:?}");
    // A program gets it as it was written.
    let mut program = backend.player_again("alice");
    assert_eq!(program.ok("MAIL READ", json!({"id": 1}))["body"], Value::from(evil));
}

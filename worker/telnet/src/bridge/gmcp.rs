//! What a player's program has said of itself in GMCP, to be said again to a world that has not heard it. Runs in the worker.

use serde::{Deserialize, Serialize};

/// Bytes of `Core.Hello` that are kept.
const HELLO: usize = 1024;
/// Modules that are kept, and bytes of the name of one.
const MOST: usize = 96;
const LONGEST: usize = 64;

/// The last `Core.Hello`, and what came of all `Core.Supports`. At most 8 KiB.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Gmcp {
    hello: Vec<u8>,
    /// Names as they stand between quotes, with their versions.
    modules: Vec<Vec<u8>>,
}

impl Gmcp {
    /// Takes over what a message of the player says of his program, if it does.
    pub(super) fn hear(&mut self, message: &[u8]) {
        let end = message.iter().position(u8::is_ascii_whitespace).unwrap_or(message.len());
        let (name, rest) = message.split_at(end);
        match name.to_ascii_lowercase().as_slice() {
            b"core.hello" if message.len() <= HELLO => self.hello = message.to_vec(),
            b"core.supports.set" => {
                self.modules.clear();
                self.add(rest);
            }
            b"core.supports.add" => self.add(rest),
            b"core.supports.remove" => {
                strings(rest).for_each(|gone| self.modules.retain(|module| !is_same(module, gone)));
            }
            _ => {}
        }
    }

    /// What is to be said to a new world, in this order.
    pub(super) fn messages(&self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        if !self.hello.is_empty() {
            messages.push(self.hello.clone());
        }
        if !self.modules.is_empty() {
            let list: Vec<Vec<u8>> = self.modules.iter().map(|module| [b"\"", &module[..], b"\""].concat()).collect();
            messages.push([b"Core.Supports.Set [", &list.join(&b", "[..])[..], b"]"].concat());
        }
        messages
    }

    fn add(&mut self, list: &[u8]) {
        for new in strings(list) {
            match self.modules.iter_mut().find(|module| is_same(module, new)) {
                Some(module) => *module = new.to_vec(),
                None => self.modules.push(new.to_vec()),
            }
            self.modules.truncate(MOST);
        }
    }
}

/// Whether both are the same module, in whatever version.
fn is_same(module: &[u8], other: &[u8]) -> bool {
    let [module, other] = [module, other].map(|name| name.split(|byte| *byte == b' ').next().unwrap_or_default());
    module.eq_ignore_ascii_case(other)
}

/// The strings of a list in JSON, as they are written there. What is longer than a name is left out.
fn strings(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = list;
    let next = move || {
        let begin = rest.iter().position(|byte| *byte == b'"')?;
        let text = rest.get(begin + 1..)?;
        let (mut end, mut escaped) = (0, false);
        for byte in text {
            match byte {
                b'"' if !escaped => break,
                b'\\' if !escaped => escaped = true,
                _ => escaped = false,
            }
            end += 1;
        }
        rest = text.get(end + 1..).unwrap_or_default();
        text.get(..end)
    };
    std::iter::from_fn(next).filter(|text| !text.is_empty() && text.len() <= LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said_again(messages: &[&[u8]]) -> Vec<String> {
        let mut gmcp = Gmcp::default();
        messages.iter().for_each(|message| gmcp.hear(message));
        gmcp.messages().into_iter().map(|message| String::from_utf8_lossy(&message).into_owned()).collect()
    }

    #[test]
    fn what_a_program_has_said_of_itself_is_said_again() {
        let hello = br#"Core.Hello {"client": "Mudlet", "version": "4.17"}"#;
        let again = said_again(&[
            hello,
            br#"Core.Supports.Set ["Char 1", "Room 1","Comm.Channel 1"]"#,
            br#"Core.Supports.Add ["Room 2", "IRE.Rift 1"]"#,
            br#"core.supports.remove [ "char" ]"#,
            br#"Char.Login {"name": "x"}"#,
        ]);
        let modules = r#"Core.Supports.Set ["Room 2", "Comm.Channel 1", "IRE.Rift 1"]"#;
        assert_eq!(again, [String::from_utf8_lossy(hello).as_ref(), modules]);
        assert!(said_again(&[b"Core.Ping", b"", b" ", b"Core.Supports.Add"]).is_empty());
    }

    #[test]
    fn set_forgets_what_was_before() {
        let again = said_again(&[br#"Core.Supports.Set ["A 1"]"#, br#"Core.Supports.Set ["B 1"]"#]);
        assert_eq!(again, [r#"Core.Supports.Set ["B 1"]"#]);
    }

    #[test]
    fn a_name_may_hold_a_quote_and_a_list_may_lack_its_end() {
        let again = said_again(&[br#"Core.Supports.Set ["A\"B 1", "", "C 1"#]);
        assert_eq!(again, [r#"Core.Supports.Set ["A\"B 1", "C 1"]"#]);
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let mut gmcp = Gmcp::default();
        for number in 0..1000 {
            gmcp.hear(format!("Core.Supports.Add [\"{number:060} 1\"]").as_bytes());
            gmcp.hear(format!("Core.Hello {number:03000}").as_bytes());
        }
        gmcp.hear(format!("Core.Supports.Add [\"{:0100} 1\"]", 0).as_bytes());
        let bytes: usize = gmcp.messages().iter().map(Vec::len).sum();
        assert!(bytes > 4000 && bytes <= 8 * 1024, "{bytes}");
    }
}

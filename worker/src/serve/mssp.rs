//! Crawlers of lists of games: what they ask goes to the handler, and what that says to them, by telnet or in lines. Runs in a
//! worker.

use super::Worker;
use super::upward::Errand;
use ssmglobal_ipc::{MsspOf, MsspTable, MsspVariable, Reply, Request};

/// Appends a table as lines: a name, a tab and its value.
fn lines(variables: &[MsspVariable], out: &mut Vec<u8>) {
    out.extend_from_slice(b"\r\nMSSP-REPLY-START\r\n");
    for MsspVariable { name, values } in variables {
        out.extend_from_slice(name.as_bytes());
        for value in values {
            out.push(b'\t');
            out.extend_from_slice(value.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"MSSP-REPLY-END\r\n");
}

impl Worker<'_> {
    /// Whether the operator wants to be found here by crawlers: most of them wait for an offer, and say nothing before.
    pub(super) fn is_to_be_found(&self) -> bool {
        !self.door.mssp.is_empty() || !self.settings.texts.mssp.is_empty()
    }

    /// The handler has answered a crawler's question.
    pub(super) fn tell_crawler(&mut self, plain: bool, reply: &Reply) {
        // A failure is none of a crawler's words.
        let Reply::MsspTable(MsspTable { variables }) = reply else { return };
        let stack = self.client.stack();
        if plain {
            return stack.write(|out| lines(variables, out));
        }
        let table = variables
            .iter()
            .flat_map(|MsspVariable { name, values }| values.iter().map(|value| (name.as_str(), value.as_str())));
        let table: Vec<(&str, &str)> = table.collect();
        stack.signal(|speech, out| speech.telnet().mssp(&table, out));
    }

    /// The world has told of itself, once for each connection: the handler keeps it for crawlers.
    pub(super) fn tell_of_world(&mut self) {
        let Some((world, table)) = self.playing.as_ref().and_then(|playing| playing.play.mssp()) else { return };
        if self.link.is_none() {
            return;
        }
        let mut variables: Vec<MsspVariable> = Vec::new();
        for (name, value) in table.iter() {
            match variables.last_mut().filter(|last| last.name == name) {
                Some(last) => last.values.push(value.to_owned()),
                None => variables.push(MsspVariable { name: name.to_owned(), values: vec![value.to_owned()] }),
            }
        }
        let of = MsspOf { world: world.to_owned(), variables };
        let number = self.tell(&Request::MsspOf(of));
        self.errands.add(number, Errand::PlayTold);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_is_lines_between_two_marks() {
        let variable = |name: &str, values: &[&str]| MsspVariable {
            name: name.to_owned(),
            values: values.iter().map(|value| (*value).to_owned()).collect(),
        };
        let mut out = Vec::new();
        lines(&[variable("NAME", &["Zo\u{eb}"]), variable("PORT", &["23", "4201"])], &mut out);
        let expected = "\r\nMSSP-REPLY-START\r\nNAME\tZo\u{eb}\r\nPORT\t23\t4201\r\nMSSP-REPLY-END\r\n";
        assert_eq!(String::from_utf8(out), Ok(expected.to_owned()));
    }
}

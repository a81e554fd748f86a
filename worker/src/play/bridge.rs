use serde::{Deserialize, Serialize};
use ssmglobal_telnet::{Event, Role, Telnet};
pub enum FromWorld<'i> { Data(&'i [u8]), HideInput(bool), PromptEnd, Charset, Alive }
#[derive(Serialize, Deserialize)]
#[serde(default)]
pub struct Bridge { world: Telnet }
impl Default for Bridge { fn default() -> Bridge { Bridge { world: Telnet::new(Role::Client) } } }
impl Bridge {
    pub fn connect(&mut self, _p: &mut Telnet, _out: &mut Vec<u8>, _w: &mut Vec<u8>) { *self = Bridge::default(); }
    pub fn leave(&mut self, p: &mut Telnet, out: &mut Vec<u8>) { p.hide_input(false, out); }
    pub fn from_world<'i>(&mut self, p: &mut Telnet, input: &mut &'i [u8], out: &mut Vec<u8>, w: &mut Vec<u8>) -> Option<FromWorld<'i>> {
        loop { return Some(match self.world.next(input, w)? {
            Event::Data(d) => FromWorld::Data(d),
            Event::HideInput(h) => { p.hide_input(h, out); FromWorld::HideInput(h) }
            Event::PromptEnd => FromWorld::PromptEnd,
            Event::Alive => FromWorld::Alive,
            _ => continue,
        }) }
    }
    pub fn from_player(&mut self, _p: &mut Telnet, _e: Event<'_>, _out: &mut Vec<u8>, _w: &mut Vec<u8>) {}
    pub fn give_up_waiting(&mut self, _p: &mut Telnet, _out: &mut Vec<u8>, _w: &mut Vec<u8>) {}
    pub fn seal_to_world(&self, out: &mut Vec<u8>, from: usize) { self.world.seal(out, from) }
    pub fn wants_keys(&self) -> bool { false }
    pub fn charset(&self) -> Option<&str> { None }
}

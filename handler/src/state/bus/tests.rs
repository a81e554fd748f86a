//! Channels: what they keep, what they miss, who makes room.

use super::*;
use ssmglobal_sys::memory;

struct Place {
    bus: Bus,
    journal: Journal,
    used: Vec<ChannelId>,
}

impl Place {
    fn new() -> Place {
        let journal = Journal::open(&memory::make("test").unwrap()).unwrap();
        Place { bus: Bus::new(1), journal, used: Vec::new() }
    }

    fn make(&mut self, name: &str, most: usize) -> Option<ChannelId> {
        let (used, mut unwritten) = (&self.used, Vec::new());
        let made = self.bus.make(&mut unwritten, name, most, |id| used.contains(&id)).unwrap();
        for entry in &unwritten {
            self.journal.append(entry);
        }
        made
    }

    fn publish(&mut self, channel: ChannelId, from: &str, backlog: usize) {
        let (from, body) = (from.to_owned(), format!("a line of {from}"));
        let message = Outgoing { channel, from, body, receivers: 0 };
        let settle = |reply: &Reply| Settled::new(9, 1, reply, None);
        assert!(self.bus.publish(&mut self.journal, message, backlog, settle).is_some());
    }

    fn kept_for(&self, channel: ChannelId, reader: &str, after: u64, upto: u64) -> Vec<u64> {
        let after = self.at(channel, after);
        self.bus.since(channel, reader, after, upto).unwrap().kept.map(|(number, _)| number).collect()
    }

    fn missed(&self, channel: ChannelId, after: u64, upto: u64) -> u64 {
        self.bus.since(channel, "x", self.at(channel, after), upto).unwrap().missed
    }

    /// A number in a channel's present epoch.
    fn at(&self, channel: ChannelId, number: u64) -> Position {
        Position { number, ..self.bus.channel(channel).unwrap().position() }
    }

    fn names(&self, after: Option<&str>) -> Vec<String> {
        self.bus.channels_after(after).map(|channel| channel.name.clone()).collect()
    }

    fn line_length(&self, channel: ChannelId) -> usize {
        self.bus.channel(channel).unwrap().messages.kept().last().unwrap().line.len()
    }
}

#[test]
fn a_channel_keeps_its_last_messages() {
    let mut place = Place::new();
    let chat = place.make("Chat", 4).unwrap();
    assert_eq!(place.missed(chat, 0, 0), 0);
    for from in ["arena", "castle", "arena", "castle", "arena"] {
        place.publish(chat, from, 3);
    }
    assert_eq!(place.bus.channel(chat).unwrap().position().number, 5);
    assert_eq!(place.kept_for(chat, "other", 0, 5), [3, 4, 5]);
    assert_eq!(place.kept_for(chat, "other", 3, 4), [4]);
    assert_eq!(place.kept_for(chat, "other", 5, 5), [0; 0]);
    assert_eq!(place.kept_for(chat, "other", 9, 3), [0; 0]);
    assert_eq!(place.kept_for(chat, "ARENA", 0, 5), [4], "not one's own");
    for ((after, upto), gone) in
        [((0, 5), 2), ((1, 5), 1), ((2, 5), 0), ((0, 1), 1), ((1, 1), 0), ((4, 5), 0), ((5, 2), 0)]
    {
        assert_eq!(place.missed(chat, after, upto), gone, "({after}, {upto}]");
    }
    // A smaller backlog holds from the next message on.
    place.publish(chat, "arena", 1);
    assert_eq!(place.kept_for(chat, "other", 0, 6), [6]);
    assert_eq!(place.bus.kept, place.line_length(chat));
    // Numbers of another epoch say nothing.
    let here = place.at(chat, 5);
    assert!(place.bus.since(chat, "other", Position { epoch: here.epoch + 1, ..here }, 6).is_none());
}

#[test]
fn without_a_backlog_everything_older_is_missed() {
    let mut place = Place::new();
    let chat = place.make("chat", 4).unwrap();
    for _ in 0..3 {
        place.publish(chat, "arena", 0);
    }
    assert_eq!(place.kept_for(chat, "castle", 0, 3), [0; 0]);
    assert_eq!(place.missed(chat, 0, 3), 3);
    assert_eq!(place.missed(chat, 2, 3), 1);
    assert_eq!(place.missed(chat, 3, 3), 0);
    assert_eq!(place.bus.kept, 0);
    // What was kept before goes with the next message.
    place.publish(chat, "arena", 2);
    place.publish(chat, "arena", 0);
    assert_eq!((place.kept_for(chat, "castle", 0, 5), place.bus.kept), (Vec::new(), 0));
}

#[test]
fn where_all_channels_keep_too_much_the_busy_one_gives_way() {
    let mut place = Place::new();
    let chat = place.make("chat", 4).unwrap();
    for _ in 0..3 {
        place.publish(chat, "arena", 100);
    }
    // As if others kept all that may be kept.
    place.bus.kept += KEPT;
    place.publish(chat, "arena", 100);
    assert_eq!(place.kept_for(chat, "castle", 0, 4), [4], "the newest stays in any case");
    assert_eq!(place.missed(chat, 0, 4), 3);
    assert_eq!(place.bus.kept, KEPT + place.line_length(chat));
}

#[test]
fn every_message_is_in_the_ring_and_wakes_its_readers_once() {
    let mut place = Place::new();
    let chat = place.make("chat", 4).unwrap();
    let quiet = place.make("quiet", 4).unwrap();
    let channel = place.bus.channel(chat).unwrap();
    let mut reader =
        ssmglobal_sys::ring::Reader::new(&channel.ring.descriptors().unwrap()[0], channel.ring.position()).unwrap();
    place.publish(chat, "arena", 0);
    place.publish(chat, "castle", 0);
    place.bus.wake_readers();
    place.bus.wake_readers();
    let mut got = Vec::new();
    reader.read(&mut Vec::new(), |entry| got.push((entry.sender, entry.number, entry.text.to_vec())));
    assert!(got.iter().map(|(sender, number, _)| (*sender, *number)).eq([(9, 1), (9, 2)]));
    assert!(String::from_utf8_lossy(&got[1].2).contains("a line of castle"));
    assert_eq!(place.bus.channel(chat).unwrap().ring.woken(), Some(1));
    assert_eq!(place.bus.channel(quiet).unwrap().ring.woken(), None);
}

#[test]
fn at_the_bound_the_channel_unused_for_longest_makes_room() {
    let mut place = Place::new();
    let [a, b, c] = ["A", "b", "C"].map(|name| place.make(name, 3).unwrap());
    assert_eq!(place.names(None), ["A", "b", "C"]);
    assert_eq!(place.names(Some("B")), ["C"]);
    place.publish(a, "arena", 5);
    place.publish(b, "arena", 5);
    let (kept, of_a) = (place.bus.kept, place.line_length(a));
    // `C` is the one that was unused for longest, but somebody is on it; then it is `A`.
    place.used.push(c);
    let d = place.make("d", 3).unwrap();
    assert!(place.bus.named("a").is_none() && d != a);
    assert_eq!(place.bus.kept, kept - of_a);
    assert_eq!(place.names(None), ["b", "C", "d"]);
    let channel = place.bus.named("D").unwrap();
    assert_eq!((channel.id, &*channel.name, channel.position().number), (d, "d", 1));
    // Being made is being used, and so is being touched.
    let e = place.make("e", 3).unwrap();
    assert!(place.bus.channel(b).is_none());
    place.bus.touch(d);
    let f = place.make("f", 3).unwrap();
    assert!(place.bus.channel(e).is_none());
    place.used.extend([d, f]);
    assert_eq!(place.make("g", 3), None);
    assert_eq!(place.names(None), ["C", "d", "f"]);
}

#[test]
fn what_is_published_outlives_the_handler() {
    let fd = memory::make("test").unwrap();
    let mut place = Place { journal: Journal::open(&fd).unwrap(), ..Place::new() };
    let chat = place.make("chat", 4).unwrap();
    for from in ["arena", "castle", "arena"] {
        place.publish(chat, from, 2);
    }
    let position = place.bus.channel(chat).unwrap().position();
    drop(place);
    let found = Journal::open(&fd).unwrap().recover();
    let mut bus = Bus::new(1);
    for channel in found.channels {
        bus.restore(channel, 2).unwrap();
    }
    assert_eq!(bus.channel(chat).unwrap().position(), position);
    let since = bus.since(chat, "x", Position { number: 0, ..position }, 9).unwrap();
    assert_eq!((since.missed, since.kept.map(|(number, _)| number).collect::<Vec<_>>()), (1, vec![2, 3]));
    assert_eq!(bus.named("CHAT").unwrap().position().number, 3);
    assert_eq!(found.done.len(), 1, "the same request's answer, three times");
}

#[test]
fn a_channel_that_is_made_again_goes_on_behind_all_numbers_that_it_has_had() {
    let mut place = Place::new();
    place.bus.numbers = RelayNumbers::new(500);
    let chat = place.make("chat", 1).unwrap();
    let position = |place: &Place, id| place.bus.channel(id).unwrap().position();
    let first = position(&place, chat);
    assert_eq!(first.number, 500, "what was given before everything was stopped is not known");
    place.publish(chat, "arena", 9);
    let other = place.make("other", 1).unwrap();
    let between = position(&place, other);
    let again = place.make("CHAT", 1).unwrap();
    let second = position(&place, again);
    assert_eq!((between.number, second.number), (501, 501));
    assert!(first.epoch < between.epoch && between.epoch < second.epoch);
    // Nobody who knows the old one takes a number of the new one for an old one.
    let channel = place.bus.channel(again).unwrap();
    for (number, epoch, known) in [
        (501, Some(first.epoch), None),
        (501, Some(second.epoch), Some(501)),
        (9000, Some(second.epoch), Some(9000)),
        (3, Some(second.epoch), Some(501)),
        (501, None, Some(501)),
        (0, None, Some(501)),
        (500, None, None),
        (502, None, None),
    ] {
        let known = known.map(|number| Position { number, ..second });
        assert_eq!(channel.position_of(number, epoch), known, "{number} of {epoch:?}");
    }
}

#[test]
fn no_number_is_given_that_the_mark_does_not_allow() {
    let mut place = Place::new();
    assert_eq!(place.bus.mark_wanted(), None, "nobody relays anything");
    let chat = place.make("chat", 4).unwrap();
    assert!(!place.bus.may_publish(chat));
    let wanted = place.bus.mark_wanted().unwrap();
    place.bus.numbers.moved(Some(wanted));
    for _ in 0..wanted {
        assert!(place.bus.may_publish(chat));
        place.publish(chat, "arena", 0);
    }
    assert!(!place.bus.may_publish(chat));
    assert!(place.bus.mark_wanted().unwrap() > wanted);
    assert!(place.bus.may_publish(ChannelId(99)), "one that is gone says so itself");
}

#[test]
fn what_an_older_handler_has_left_goes_on_as_it_was() {
    let mut bus = Bus::new(1);
    let kept = [(50, ("arena".to_owned(), "{}".to_owned()))].into();
    let left = KeptChannel { id: 9, name: "chat".into(), number: 51, epoch: 0, begun: 0, kept };
    bus.restore(left, 5).unwrap();
    let channel = bus.channel(ChannelId(9)).unwrap();
    assert_eq!(channel.position(), Position { epoch: 0, number: 51 });
    assert_eq!(channel.position_of(50, None), Some(Position { epoch: 0, number: 50 }));
    // The mark is behind what was given.
    assert!(!bus.may_publish(ChannelId(9)));
    assert!(bus.mark_wanted().is_some_and(|wanted| wanted > 51));
}

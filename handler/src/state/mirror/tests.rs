//! Mirrors of a list beside the list, over thousands of changes, pages, deaths and forgetting.

use super::*;
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap as Map};

impl Weigh for u32 {
    fn weight(&self) -> usize {
        4
    }
}

const ALICE: PlayerId = PlayerId(1);
const BOB: PlayerId = PlayerId(2);

/// The list, the truth that it is to be, and what the journal has.
struct Scene {
    list: Mirror<u32>,
    truth: BTreeMap<String, (Scope, u32)>,
    /// The last word on each key in each scope.
    journal: Map<(Scope, Arc<str>), Note<u32>>,
    forgotten: Note<u32>,
    now: Time,
}

impl Scene {
    fn new(most_gone: usize) -> Scene {
        let list = Mirror { most_gone, ..Mirror::new(7) };
        Scene { list, truth: BTreeMap::new(), journal: Map::new(), forgotten: Note::Forgotten(0), now: Time(0) }
    }

    fn note(&mut self, notes: Vec<Note<u32>>) {
        for note in notes {
            match &note {
                Note::Row(key, scope, ..) | Note::Gone(key, scope, ..) => {
                    self.journal.insert((*scope, key.clone()), note);
                }
                Note::Forgotten(_) => self.forgotten = note,
            }
        }
    }

    fn put(&mut self, key: &str, scope: Scope, row: u32) {
        let mut notes = Vec::new();
        self.list.put(key, scope, row, self.now, &mut notes);
        self.truth.insert(key.to_owned(), (scope, row));
        self.note(notes);
    }

    fn remove(&mut self, key: &str) {
        let mut notes = Vec::new();
        self.list.remove(key, self.now, &mut notes);
        self.truth.remove(key);
        self.note(notes);
    }

    /// The next handler has what the journal has; what it does not need any more may be gone from there.
    fn die(&mut self) {
        let (list, most_gone) = (&self.list, self.list.most_gone);
        self.journal.retain(|_, note| match note {
            Note::Row(key, _, serial, _) | Note::Gone(key, _, serial, _) => list.keeps(key, *serial),
            Note::Forgotten(_) => true,
        });
        let notes = self.journal.values().cloned().chain([self.forgotten.clone()]);
        let next = Mirror::restored(list.epoch(), notes);
        assert_eq!((next.last, next.forgotten, next.gone.len()), (list.last, list.forgotten, list.gone.len()));
        self.list = Mirror { most_gone, ..next };
    }

    fn seen(&self, view: View) -> BTreeMap<String, u32> {
        let seen = self.truth.iter().filter(|(_, (scope, _))| view.sees(*scope));
        seen.map(|(key, (_, row))| (key.clone(), *row)).collect()
    }
}

/// Somebody who mirrors it.
struct Client {
    who: View,
    at: Position,
    /// Where the reading of all of it has begun that is not done.
    began: Option<u64>,
    rows: BTreeMap<String, u32>,
    wholes: u32,
}

impl Client {
    fn new(who: View) -> Client {
        Client { who, at: Position::default(), began: None, rows: BTreeMap::new(), wholes: 0 }
    }

    fn view(&self, list: &Mirror<u32>) -> View {
        match self.who {
            View::Owner(player) => list.view_of(player),
            view => view,
        }
    }

    /// One page, as the capability gives it; whether there is more.
    fn read(&mut self, list: &Mirror<u32>, most: usize) -> bool {
        let view = self.view(list);
        let now = list.position(view);
        let known = self.at.epoch == now.epoch && list.knows(self.began.unwrap_or(self.at.number));
        if !known {
            (self.at, self.began, self.wholes) = (Position { number: 0, ..now }, Some(now.number), self.wholes + 1);
            self.rows.clear();
        }
        let page = list.page(view, self.at.number, self.began.unwrap_or(0), most);
        assert!(page.rows.len() + page.gone.len() <= most && page.upto >= self.at.number);
        for key in page.gone {
            self.rows.remove(key);
        }
        for (key, scope, row) in page.rows {
            assert!(view.sees(scope));
            self.rows.insert(key.to_owned(), *row);
        }
        self.at.number = page.upto;
        self.began = self.began.filter(|_| page.more);
        page.more
    }

    fn read_all(&mut self, list: &Mirror<u32>, most: usize) {
        while self.read(list, most) {}
    }
}

#[derive(Clone, Debug)]
enum Step {
    Put(u8, u8, u32),
    Remove(u8),
    Touch(u8),
    /// A client reads some pages of some length.
    Read(usize, usize, bool),
    Die,
    Pass(i64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0..40u8, 0..4u8, 0..5u32).prop_map(|(key, scope, row)| Step::Put(key, scope, row)),
        4 => (0..40u8).prop_map(Step::Remove),
        1 => (0..40u8).prop_map(Step::Touch),
        6 => (0..8usize, 1..9usize, any::<bool>()).prop_map(|(who, most, all)| Step::Read(who, most, all)),
        1 => Just(Step::Die),
        1 => (0..REMEMBERED / 3).prop_map(Step::Pass),
    ];
    prop::collection::vec(step, 2500)
}

fn play(steps: Vec<Step>, most_gone: usize) -> u32 {
    let scopes = [Scope::All, Scope::All, Scope::Of(ALICE), Scope::Of(BOB)];
    let views = [View::Everybody, View::Operator, View::Owner(ALICE), View::Owner(BOB)];
    let mut clients: Vec<Client> = views.into_iter().chain(views).map(Client::new).collect();
    let mut scene = Scene::new(most_gone);
    for step in steps {
        match step {
            Step::Put(key, scope, row) => scene.put(&format!("w{key}"), scopes[usize::from(scope)], row),
            Step::Remove(key) => scene.remove(&format!("w{key}")),
            Step::Touch(key) => {
                let mut notes = Vec::new();
                scene.list.touch(&format!("w{key}"), &mut notes);
                scene.note(notes);
            }
            Step::Read(who, most, false) => drop(clients[who].read(&scene.list, most)),
            Step::Read(who, most, true) => {
                clients[who].read_all(&scene.list, most);
                let view = clients[who].view(&scene.list);
                assert_eq!(clients[who].rows, scene.seen(view), "{view:?}");
            }
            Step::Die => scene.die(),
            Step::Pass(time) => scene.now.0 += time,
        }
    }
    for client in &mut clients {
        client.read_all(&scene.list, 3);
        assert_eq!(client.rows, scene.seen(client.view(&scene.list)));
    }
    let indexed: BTreeSet<&Arc<str>> = scene.list.by_serial.values().collect();
    assert_eq!((indexed.len(), scene.list.by_serial.len()), (scene.truth.len(), scene.list.rows.len()));
    assert_eq!(scene.list.gone_of.values().map(Vec::len).sum::<usize>(), scene.list.gone.len());
    clients.iter().map(|client| client.wholes).sum()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_mirror_comes_to_be_what_the_list_is(steps in steps(), most_gone in prop_oneof![Just(16usize), Just(1000)]) {
        play(steps, most_gone);
    }
}

#[test]
fn whoever_comes_back_gets_what_has_changed_and_nothing_else() {
    let mut scene = Scene::new(100);
    for key in ["a", "b", "c"] {
        scene.put(key, Scope::All, 1);
    }
    let mut client = Client::new(View::Everybody);
    client.read_all(&scene.list, 100);
    scene.put("b", Scope::All, 2);
    scene.put("c", Scope::All, 1);
    scene.put("a", Scope::All, 3);
    scene.put("d", Scope::Of(ALICE), 4);
    scene.remove("c");
    scene.die();
    let page = scene.list.page(View::Everybody, client.at.number, 0, 100);
    let rows: Vec<(&str, u32)> = page.rows.iter().map(|(key, _, row)| (*key, **row)).collect();
    assert_eq!((rows, page.gone, page.upto, page.more), (vec![("b", 2), ("a", 3)], vec!["c"], 7, false));
    client.read_all(&scene.list, 1);
    assert_eq!((client.wholes, client.rows), (1, scene.seen(View::Everybody)));
}

#[test]
fn what_is_hidden_is_gone_for_others_and_its_changes_are_not_theirs() {
    let mut scene = Scene::new(100);
    scene.put("zoo", Scope::All, 1);
    scene.put("zoo", Scope::Of(ALICE), 1);
    scene.put("zoo", Scope::Of(ALICE), 2);
    let list = &scene.list;
    let told = |view, after| {
        let page = list.page(view, after, 0, 100);
        (page.rows.len(), page.gone.len())
    };
    assert_eq!((told(View::Everybody, 1), told(View::Owner(BOB), 1)), ((0, 1), (0, 1)));
    assert_eq!((told(View::Owner(ALICE), 1), told(View::Operator, 1)), ((1, 0), (1, 0)));
    assert_eq!(told(View::Everybody, 2), (0, 0), "who knows that it is gone hears nothing more");
    let epochs = [View::Everybody, View::Operator, list.view_of(ALICE), list.view_of(BOB)];
    let epochs: Vec<u64> = epochs.map(|view| list.position(view).epoch - list.epoch()).into();
    assert_eq!(epochs, [0, 1, 3, 0], "who has nothing of his own sees what everybody sees");
    scene.put("zoo", Scope::All, 2);
    assert_eq!(scene.list.page(View::Everybody, 2, 0, 9).rows.len(), 1);
    scene.now = Time(REMEMBERED);
    scene.remove("zoo");
    assert_eq!(scene.list.view_of(ALICE), View::Everybody);
}

#[test]
fn a_serial_that_is_too_old_is_known_to_be() {
    let mut scene = Scene::new(8);
    for n in 0..8 {
        scene.put(&format!("w{n}"), Scope::All, 1);
    }
    for n in 0..8 {
        scene.remove(&format!("w{n}"));
    }
    assert!(scene.list.knows(0) && scene.list.knows(16) && !scene.list.knows(17));
    scene.put("x", Scope::All, 1);
    scene.remove("x");
    assert_eq!(scene.list.gone.len(), 7, "some at once");
    assert!(!scene.list.knows(9) && scene.list.knows(scene.list.forgotten()));
    // By age as well, and the last serial stays what it was.
    scene.now = Time(REMEMBERED);
    scene.put("y", Scope::All, 1);
    assert_eq!((scene.list.gone.len(), scene.list.forgotten()), (0, 18));
    scene.die();
    assert_eq!(scene.list.last(), 19);
}

#[test]
fn a_page_is_no_longer_than_it_may_be() {
    let mut scene = Scene::new(100);
    for n in 0..LOOKED_AT + 10 {
        scene.put(&format!("w{n}"), if n < LOOKED_AT { Scope::Of(ALICE) } else { Scope::All }, 1);
    }
    let page = scene.list.page(View::Everybody, 0, 0, 100);
    assert_eq!((page.rows.len(), page.more, page.upto), (0, true, LOOKED_AT as u64));
    assert_eq!(scene.list.page(View::Everybody, page.upto, 0, 100).rows.len(), 10);
}

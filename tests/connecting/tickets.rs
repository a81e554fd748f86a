//! The line that lets a player in, as the handler gives it.

use super::*;

/// A worker of bob's, and the game server of his world.
struct Scene {
    listener: Listener,
    game: World,
    bob: Link,
    server: Link,
    from: std::net::IpAddr,
    _workers: [Hostile; 2],
}

fn ticket(way: RealAddress) -> impl FnOnce(&mut WorldSettings) {
    move |cave| {
        cave.ticket = Some("{player}:{pass}".into());
        cave.real_address = Some(way);
    }
}

impl Scene {
    fn new() -> Scene {
        let game = World::new();
        let mut listener = Listener::start_with(world(&[game.address()], ticket(RealAddress::None)));
        let key = listener.game_server("cave");
        let workers = [(); 2].map(|()| listener.worker());
        let bob = player(&workers[0], "bob");
        let mut server = workers[1].opened(Mode::Server);
        server.done(&Request::Auth(Auth { name: "cave".into(), key }));
        let from = workers[0].address.ip();
        Scene { listener, game, bob, server, from, _workers: workers }
    }

    /// The pass in the line that he is let in by.
    #[track_caller]
    fn pass(&mut self) -> Secret {
        let line = self.line().expect("a ticket");
        Secret::new(line.expose().strip_prefix("bob:").expect("his name"))
    }

    fn line(&mut self) -> Option<Secret> {
        let (started, _) = started(&mut self.bob, &start(false));
        let _ = self.game.accept();
        started.ticket
    }

    fn redeem(&mut self, pass: &Secret, address: Option<&str>) -> Result<String, Code> {
        let redeem = PassRedeem { pass: pass.clone(), address: address.map(str::to_owned), world: None };
        match self.server.ask(&Request::PassRedeem(redeem)) {
            Some(Reply::PassRedeemed(redeemed)) => Ok(redeemed.player),
            Some(Reply::Failed(failure)) => Err(failure.code),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn its_pass_is_good_once_and_logging_out_ends_one_that_was_not_shown() {
    let mut scene = Scene::new();
    let (first, second) = (scene.pass(), scene.pass());
    for pass in [&first, &second] {
        assert_eq!(scene.redeem(pass, None), Ok("bob".into()));
        assert_eq!(scene.redeem(pass, None), Err(Code::Used));
    }
    let pass = scene.pass();
    scene.bob.done(&Request::Logout);
    assert_eq!(scene.redeem(&pass, None), Err(Code::Expired));
}

#[test]
fn where_its_player_comes_from_counts_if_the_world_is_told() {
    let mut scene = Scene::new();
    // It sees where we are.
    let pass = scene.pass();
    assert_eq!(scene.redeem(&pass, Some("192.0.2.7")), Ok("bob".into()));
    let at = scene.game.address();
    scene.listener.set(world(&[at], ticket(RealAddress::ProxyV1)));
    let (pass, from) = (scene.pass(), scene.from.to_string());
    assert_eq!(scene.redeem(&pass, Some("192.0.2.7")), Err(Code::OtherAddress));
    assert_eq!(scene.redeem(&pass, Some(&from)), Ok("bob".into()));
}

#[test]
fn there_is_none_for_a_game_server_that_is_not_there() {
    let mut scene = Scene::new();
    scene.pass();
    scene.listener.ctl(&["server", "disable", "cave"]);
    assert_eq!(scene.line(), None);
}

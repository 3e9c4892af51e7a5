#[cfg(target_family = "wasm")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;

const NOW: u64 = 1_790_000_000_000;
const LIFETIME: Lifetime = Lifetime { ttl: 60_000 };

fn terms(places: usize) -> (Layout, Lifetime) {
    (Layout { shards: 1, places }, LIFETIME)
}

/// A request comes in. Returns the shard, and what became of the id.
fn note(bytes: &[u8], id: u64, lane: Option<&str>, now: u64) -> (Vec<u8>, Noted) {
    remember(bytes, id, lane.map(str::as_bytes), now, terms(4))
}

/// Requests come in and have been served.
fn noted(requests: &[(u64, Option<&str>)]) -> Vec<u8> {
    requests.iter().fold(Vec::new(), |bytes, (id, lane)| {
        served(&note(&bytes, *id, *lane, NOW).0, *id, NOW, LIFETIME).unwrap()
    })
}

#[test]
fn a_layout_never_has_more_places_than_are_allowed() {
    for most in [1, 2, 31, 32, 33, 1_000, 5_000, 99_999, 100_000, 1_000_000] {
        let layout = Layout::of(most);
        assert!(layout.places() <= most as u64, "{most}: {layout:?}");
        assert!(layout.places() * 2 > most as u64, "{most}: {layout:?}");
        assert!(layout.places.max(1) <= PLACES && layout.shards.is_power_of_two(), "{most}: {layout:?}");
        let (shard, id) = layout.place(7, 11);
        assert!(shard < layout.shards);
        assert_ne!(id, layout.place(7, 12).1);
    }
}

#[test]
fn an_id_lives_while_its_request_is_served_and_a_while_after() {
    let open = note(b"", 1, Some("gray"), NOW).0;
    let found = |bytes: &[u8], now| recall(bytes, 1, now, LIFETIME) == Found::Lane(b"gray");
    assert!(found(&open, NOW + 300_000), "it is still being served");
    let ended = served(&open, 1, NOW + 300_000, LIFETIME).unwrap();
    assert!(found(&ended, NOW + 359_999));
    assert!(!found(&ended, NOW + 360_000));
    // However long it is served, and however often its id is used.
    assert!(found(&open, NOW + 599_999));
    assert!(!found(&open, NOW + 600_000));
    let used = note(&open, 1, Some("gray"), NOW + 599_000).0;
    assert!(!found(&used, NOW + 600_000));
    // A clock that was set back.
    assert!(found(&open, NOW - 1_000));
    assert!(!found(&open, NOW - 3_000));
    assert_eq!(served(&ended, 1, NOW + 700_000, LIFETIME), None);
}

#[test]
fn an_id_that_does_not_say_one_thing_says_nothing() {
    let says = |requests: &[(u64, Option<&str>)]| {
        let bytes = noted(requests);
        match recall(&bytes, 1, NOW, LIFETIME) {
            Found::Lane(lane) => String::from_utf8(lane.to_vec()).unwrap(),
            other => format!("{other:?}"),
        }
    };
    assert_eq!(says(&[]), "Unknown");
    assert_eq!(says(&[(1, None)]), "Bare");
    assert_eq!(says(&[(1, Some("gray")), (1, Some("gray"))]), "gray");
    assert_eq!(says(&[(1, Some("gray")), (1, Some("dev"))]), "Mixed");
    assert_eq!(says(&[(1, Some("gray")), (1, None)]), "Mixed");
    assert_eq!(says(&[(1, None), (1, Some("gray"))]), "Mixed");
    assert_eq!(says(&[(1, None), (1, Some("gray")), (1, Some("gray"))]), "Mixed", "until it expires");
    let mixed = noted(&[(1, Some("gray")), (1, None)]);
    let later = note(&mixed, 1, Some("gray"), NOW + 59_000).0;
    assert_eq!(recall(&later, 1, NOW + 600_000, LIFETIME), Found::Mixed, "it is in use");
    let later = served(&later, 1, NOW + 600_000, LIFETIME).unwrap();
    assert_eq!(note(&later, 1, Some("gray"), NOW + 660_000).1, Noted::default());
    let fresh = note(&later, 1, Some("gray"), NOW + 660_000).0;
    assert_eq!(recall(&fresh, 1, NOW + 660_000, LIFETIME), Found::Lane(b"gray"));
}

#[test]
fn why_an_id_says_nothing_is_told_once() {
    let mixed = |bytes: &[u8], lane| note(bytes, 1, lane, NOW).1.mixed;
    let gray = noted(&[(1, Some("gray"))]);
    assert_eq!(mixed(&gray, Some("gray")), None);
    assert_eq!(mixed(&gray, Some("dev")), Some(Cause::Conflict(b"gray".to_vec(), b"dev".to_vec())));
    assert_eq!(mixed(&gray, None), Some(Cause::Shared(b"gray".to_vec())));
    assert_eq!(mixed(&noted(&[(1, None)]), Some("gray")), Some(Cause::Shared(b"gray".to_vec())));
    assert_eq!(mixed(&noted(&[(1, Some("gray")), (1, None)]), None), None);
}

#[test]
fn a_lane_is_used_a_thousand_times() {
    let mut bytes = noted(&[(1, Some("gray"))]);
    for n in 1..=USES {
        let (new, noted) = used(&bytes, 1, NOW, LIFETIME).unwrap();
        bytes = new;
        let is_last = n == USES;
        assert_eq!(noted.mixed, is_last.then(|| Cause::Spent(b"gray".to_vec())), "{n}");
    }
    assert_eq!(recall(&bytes, 1, NOW, LIFETIME), Found::Mixed);
    assert_eq!(used(&bytes, 1, NOW, LIFETIME), None);
    // Requests that come in count too: ten thousand on one id.
    let mut bytes = Vec::new();
    let mut spent = 0;
    for _ in 0..10_000 {
        let (new, noted) = note(&bytes, 1, Some("gray"), NOW);
        spent += usize::from(noted.mixed.is_some());
        bytes = served(&new, 1, NOW, LIFETIME).unwrap();
    }
    assert_eq!((spent, recall(&bytes, 1, NOW, LIFETIME)), (1, Found::Mixed));
}

#[test]
fn what_is_worth_least_is_forgotten_first() {
    let full = noted(&[(1, Some("gray")), (2, None), (3, Some("gray")), (4, Some("gray"))]);
    let (bytes, what) = note(&full, 5, Some("dev"), NOW + 1);
    assert!(what.evicted);
    let known = |bytes: &[u8]| {
        (1..=6).filter(|id| recall(bytes, *id, NOW, LIFETIME) != Found::Unknown).collect::<Vec<_>>()
    };
    assert_eq!(known(&bytes), [1, 3, 4, 5], "the one without a lane");
    // What has no lane never takes the place of a lane.
    let (bytes, what) = note(&bytes, 6, None, NOW + 2);
    assert!(what.evicted);
    assert_eq!(known(&bytes), [1, 3, 4, 5]);
    // One that is being served stays.
    let (bytes, _) = note(&bytes, 1, Some("gray"), NOW + 3);
    let (bytes, _) = note(&bytes, 6, Some("dev"), NOW + 4);
    assert_eq!(known(&bytes), [1, 4, 5, 6]);
    // And what has expired makes room without being counted.
    let (_, what) = note(&bytes, 7, Some("dev"), NOW + 70_000);
    assert!(!what.evicted);
}

#[test]
fn a_shard_stays_small_and_broken_bytes_do_no_harm() {
    let lane = "x".repeat(255);
    let mut bytes = Vec::new();
    for id in 0..1_000 {
        bytes = remember(&bytes, id, Some(lane.as_bytes()), NOW, terms(4)).0;
        assert!(bytes.len() <= 4 * (30 + 255), "{}", bytes.len());
    }
    for cut in 0..bytes.len() {
        let cut = &bytes[..cut];
        let _ = recall(cut, 7, NOW, LIFETIME);
        let (new, _) = note(cut, 7, Some("gray"), NOW);
        assert_eq!(recall(&new, 7, NOW, LIFETIME), Found::Lane(b"gray"));
    }
    for byte in 0..=255 {
        let broken = vec![byte; 500];
        let (new, _) = note(&broken, 7, Some("gray"), NOW);
        assert!(new.len() <= 4 * (30 + 255));
    }
}

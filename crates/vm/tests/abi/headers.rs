//! Headers and bodies: what a filter reads and writes, and when it may.

use narrows_vm::{Exchange, Headers};

use crate::{logs, play};

#[test]
fn one_header_is_the_first_value_and_a_map_is_all() {
    let exchange =
        Exchange::get("shop", "/").header("X-User", "a").header("x-user", "b").header("x-empty", "");
    let script = "request: get request X-USER\nrequest: get request x-empty\nrequest: get request x-none\n\
                  request: get request host";
    let says = logs(script, exchange.clone());
    assert_eq!(
        says,
        [
            "get request X-USER -> 0 a",
            "get request x-empty -> 0",
            "get request x-none -> 1",
            "get request host -> 0 shop"
        ]
    );
    let pairs = logs("request: pairs request", exchange);
    assert!(pairs[0].contains("x-user\\x00a\\x00x-user\\x00b\\x00x-empty\\x00\\x00"), "{pairs:?}");
}

#[test]
fn replace_takes_all_and_moves_to_the_end_and_add_repeats() {
    let exchange = Exchange::get("shop", "/").header("x-a", "1").header("x-a", "2").header("x-b", "3");
    let outcome = play(
        "request: set request X-A 9\nrequest: add request x-b 4\nrequest: remove request x-none\n\
         request: set request :path /new\nrequest: add request x-forwarded-host h\n\
         request: add request x-forwarded-host i",
        exchange,
    );
    let expected: Headers = [
        (":authority", "shop"),
        (":method", "GET"),
        (":scheme", "http"),
        (":path", "/new"),
        ("x-b", "3"),
        ("x-a", "9"),
        ("x-b", "4"),
        ("x-forwarded-host", "h,i"),
    ]
    .into_iter()
    .collect();
    assert_eq!(outcome.request, expected);
    assert_eq!(outcome.route_clears, 6, "every write clears the route cache, a removal of nothing too");
    assert!(outcome.reached_upstream);
}

#[test]
fn headers_are_out_of_reach_outside_their_phase() {
    let says = logs(
        "request: get response x-a\nresponse: get request x-a\nresponse: set request x-a 1\n\
         response: pairs request\nresponse: set response x-a 1\nlog: get request x-a\nlog: get response x-a\n\
         log: set response x-a 2\nlog: get request-trailers x\ndone: get request x-a\nrequest: get nonsense x",
        Exchange::get("shop", "/").header("x-a", "in"),
    );
    assert_eq!(
        says,
        [
            "get response x-a -> 2",
            "get nonsense x -> 2",
            "get request x-a -> 2",
            "set request x-a 1 -> 2",
            "pairs request -> 0",
            "set response x-a 1 -> 0",
            "get request x-a -> 0 in",
            "get response x-a -> 0 1",
            "set response x-a 2 -> 2",
            "get request-trailers x -> 1",
            "get request x-a -> 2"
        ]
    );
}

#[test]
fn bytes_that_are_no_text_pass() {
    let exchange = Exchange::get("shop", "/").header("x-user", b"\xff\xfe");
    assert_eq!(logs("request: get request x-user", exchange), ["get request x-user -> 0 \\xff\\xfe"]);
}

#[test]
fn bodies_can_be_read_in_their_callback_only() {
    let says = logs(
        "request: buffer 0\nrequest-body: buffer 0\nrequest-body: get request :path\nresponse: buffer 1\n\
         response-body: buffer 1\nlog: buffer 0\nrequest: buffer 7\nrequest: buffer 99",
        Exchange::get("shop", "/").body("hello"),
    );
    assert_eq!(
        says,
        [
            "buffer 0 -> 0",
            "buffer 7 -> 1",
            "buffer 99 -> 2",
            "buffer 0 -> 0 hello",
            "get request :path -> 2",
            "buffer 0 -> 0",
            "get request :path -> 2",
            "buffer 1 -> 0",
            "buffer 1 -> 0 world",
            "buffer 1 -> 0",
            "buffer 0 -> 0"
        ],
        "over HTTP/1.1 the end of a body is an empty piece"
    );
}

#[test]
fn what_envoy_would_refuse_or_leak_is_a_hazard() {
    let refused = play("request: inject request x-a", Exchange::get("shop", "/"));
    assert!(!refused.reached_upstream);
    assert_eq!((refused.status(), refused.hazards.len()), (Some(503), 1));
    let lost = play("request: remove request :path", Exchange::get("shop", "/"));
    assert_eq!((lost.status(), lost.hazards.len()), (Some(404), 1));
    let leaked = play("response: inject response x-a", Exchange::get("shop", "/"));
    assert_eq!((leaked.status(), leaked.hazards.len()), (Some(200), 1));
}

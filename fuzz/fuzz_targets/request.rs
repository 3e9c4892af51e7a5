//! A policy, an empty line, header lines: whatever they are, a decision is made, twice the
//! same, and nothing that it writes can end a header; and the router's index finds the rule that
//! trying them all finds.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_core::egress::Egress;
use narrows_core::router::Router;
use narrows_core::split::Splitter;
use narrows_core::{Edit, Policy, PolicyValue, Request};
use narrows_core::{Known, Peer, StreamInfo};

fuzz_target!(|bytes: &[u8]| {
    let split = bytes.windows(2).position(|pair| pair == b"\n\n");
    let (policy, request) = bytes.split_at(split.unwrap_or(bytes.len()));
    let Ok(tree) = PolicyValue::parse(policy) else { return };
    decide::<Router>(&tree, request, |router, request| {
        let tried = router.by_trying(request.clone());
        assert_eq!(router.decide(request).1, tried);
    });
    decide::<Splitter>(&tree, request, |_, _| {});
    decide::<Egress>(&tree, request, |_, _| {});
});

fn decide<P: Policy>(tree: &PolicyValue, request: &[u8], check: impl Fn(&P, Request<'_>)) {
    let Ok(policy) = P::compile(tree) else { return };
    let mut headers: Vec<(Vec<u8>, &[u8])> = Vec::new();
    let mut source = Peer::default();
    let mut stream_info = StreamInfo::default();
    let mut stripped = None;
    for line in request.split(|b| *b == b'\n').filter(|line| !line.is_empty()) {
        // A pseudo header has its colon at the front.
        let at = line.iter().skip(1).position(|b| *b == b':').map_or(line.len(), |at| at + 1);
        let (name, value) = line.split_at(at);
        let value = value.strip_prefix(b":").unwrap_or(value);
        match name {
            b"principal" => source.principal = Some(value),
            b"address" => source.address = Some(value),
            b"server-name" => stream_info.server_name = Some(value),
            b"cluster" => stream_info.cluster = Some(value),
            b"namespace" => stream_info.namespace = Some(value),
            b"stripped" => stripped = Some(value),
            _ => headers.push((name.to_ascii_lowercase(), value)),
        }
    }
    let request = || {
        Request::new(headers.iter().map(|(name, value)| (name.as_slice(), *value)))
            .knowing(Known { source, stream_info, stripped, ..Known::default() })
    };
    check(&policy, request());
    let (decision, _) = policy.decide(request());
    assert_eq!(decision, policy.decide(request()).0);
    assert!(decision.count.iter().all(|series| *series < policy.common().series.len()));
    let can_stand = |value: &[u8]| !value.iter().any(|b| matches!(b, b'\r' | b'\n' | 0));
    let sent = headers.iter().all(|(_, value)| can_stand(value));
    for edit in decision.request.iter().chain(&decision.response) {
        if let Edit::Set(_, value) | Edit::Add(_, value) = edit {
            assert!(!sent || can_stand(value), "{edit:?}");
        }
    }
    if let Some(reply) = &decision.reply {
        assert!((200..=599).contains(&reply.status));
        assert!(!sent || reply.headers.iter().all(|(_, value)| can_stand(value)));
    }
}

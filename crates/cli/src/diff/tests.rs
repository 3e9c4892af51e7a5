use narrows_core::{Policy, PolicyValue, split::Splitter};

use super::named::Named;
use super::{MoveKind, Redrawn, notes, splits};
use crate::source::SourceFile;

fn policy(salt: &str, one: u32, two: u32) -> Splitter {
    compile("", "", salt, one, two)
}

fn with_mode(one: u32, two: u32, mode: &str, place: &str) -> Splitter {
    let mode = format!(r#""mode": "{mode}","#);
    if place == "policy" { compile(&mode, "", "s", one, two) } else { compile("", &mode, "s", one, two) }
}

fn compile(above: &str, within: &str, salt: &str, one: u32, two: u32) -> Splitter {
    let text = format!(
        r#"{{{above} "splits": [{{{within} "name": "s", "salt": "{salt}", "key": [{{"header": "x-user-id"}}], "backends": [
            {{"name": "stable", "baseline": true}},
            {{"name": "one", "to": "one", "weight": {one}, "maxWeight": 50}},
            {{"name": "two", "to": "two", "weight": {two}, "maxWeight": 50}}]}}]}}"#
    );
    Splitter::compile(&PolicyValue::parse(text.as_bytes()).unwrap()).unwrap()
}

fn moves(old: &Splitter, new: &Splitter) -> Vec<(String, String, u32, MoveKind)> {
    let diff = splits(old, new, &[], 0).remove(0);
    diff.moves.into_iter().map(|one| (one.from, one.to, one.buckets, one.kind)).collect()
}

#[test]
fn raising_a_weight_moves_users_forward_alone() {
    let expected = vec![("stable".into(), "one".into(), 150_000, MoveKind::Forward)];
    assert_eq!(moves(&policy("s", 5, 10), &policy("s", 20, 10)), expected);
}

#[test]
fn lowering_one_sends_users_back() {
    let expected = vec![("two".into(), "stable".into(), 100_000, MoveKind::Back)];
    assert_eq!(moves(&policy("s", 5, 10), &policy("s", 5, 0)), expected);
}

#[test]
fn a_split_that_does_not_act_sends_everyone_home() {
    let acting = policy("s", 5, 10);
    for mode in ["off", "report"] {
        for place in ["policy", "split"] {
            let idle = with_mode(5, 10, mode, place);
            let back = vec![
                ("one".into(), "stable".into(), 50_000, MoveKind::Back),
                ("two".into(), "stable".into(), 100_000, MoveKind::Back),
            ];
            assert_eq!(moves(&acting, &idle), back, "{mode} of the {place}");
            assert!(moves(&idle, &acting).iter().all(|(.., kind)| *kind == MoveKind::Forward));
            assert_eq!(moves(&idle, &with_mode(50, 0, mode, place)), []);
        }
    }
}

#[test]
fn another_salt_draws_everyone_anew() {
    let (old, new) = (policy("a", 10, 0), policy("b", 10, 0));
    let diff = splits(&old, &new, &[], 0).remove(0);
    assert_eq!(diff.redrawn, Some(Redrawn::Salt));
    assert_eq!(diff.moves.iter().map(|one| one.buckets).collect::<Vec<_>>(), [90_000, 90_000]);
}

/// A split by a key that is read like this, with a canary of that destination.
fn reading(options: &str, canary: &str, weight: u32) -> Splitter {
    let text = format!(
        r#"{{"splits": [{{"name": "s", "key": [{{"header": "x-user-id"{options}}}], "backends": [
            {{"name": "stable", "baseline": true, "to": "v1"}},
            {{"name": "canary", {canary}, "weight": {weight}, "maxWeight": 50}}]}}]}}"#
    );
    Splitter::compile(&PolicyValue::parse(text.as_bytes()).unwrap()).unwrap()
}

#[test]
fn a_key_is_hashed_as_the_filter_reads_it() {
    let keys: Vec<String> = (1..=2000).map(|n| format!(" U{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let form = r#", "lowercase": true, "trim": true"#;
    let (old, new) = (reading(form, r#""to": "v2""#, 10), reading(form, r#""to": "v2""#, 20));
    let diff = splits(&old, &new, &keys, 0).remove(0);
    // What the filter does with the same values.
    let moved = |key: &str| {
        let of = |policy: &Splitter| {
            let headers = [("x-user-id", key)].map(|(n, v)| (n.as_bytes(), v.as_bytes()));
            let request = narrows_core::Request::new(headers);
            let (decision, verdict) = policy.decide(request);
            policy.outcome(&verdict, &decision).outcome
        };
        of(&old) != of(&new)
    };
    let expected: Vec<&str> = keys.iter().copied().filter(|key| moved(key)).collect();
    assert!((100..300).contains(&expected.len()), "{}", expected.len());
    assert_eq!(diff.keys.iter().map(|key| &*key.key).collect::<Vec<_>>(), expected);
}

#[test]
fn another_form_of_the_key_may_send_users_back() {
    let keys: Vec<String> = (1..=2000).map(|n| format!("U{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let (plain, lower) =
        (reading("", r#""to": "v2""#, 10), reading(r#", "lowercase": true"#, r#""to": "v2""#, 10));
    let diff = splits(&lower, &plain, &keys, 0).remove(0);
    assert_eq!(diff.redrawn, Some(Redrawn::Form));
    assert!(diff.takes_back());
    // Two independent draws: 2000 * 2 * 10 % * 90 %.
    assert!((280..450).contains(&diff.keys.len()), "{}", diff.keys.len());
    let nobody =
        splits(&reading("", r#""to": "v2""#, 0), &reading(r#", "trim": true"#, r#""to": "v2""#, 0), &[], 0);
    assert!(!nobody[0].takes_back(), "nobody is on the canary");
}

#[test]
fn a_backend_is_where_it_leads() {
    for (old, new, share) in [
        (r#""authority": "a-canary""#, r#""authority": "b-canary""#, 100_000),
        (r#""to": "v2""#, r#""to": "v3""#, 100_000),
        (r#""to": "v2""#, r#""authority": "a-canary""#, 100_000),
        (r#""to": "v2""#, r#""to": "v2""#, 0),
    ] {
        let diff = splits(&reading("", old, 10), &reading("", new, 10), &[], 0).remove(0);
        let moved: u32 =
            diff.moves.iter().filter(|one| one.kind == MoveKind::Elsewhere).map(|one| one.buckets).sum();
        assert_eq!((moved, diff.takes_back()), (share, share > 0), "{old} {new}");
    }
}

#[test]
fn keys_are_listed_by_name() {
    let keys: Vec<String> = (0..1000).map(|n| format!("user-{n}")).collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let diff = splits(&policy("s", 0, 0), &policy("s", 50, 0), &keys, 0).remove(0);
    assert!((400..600).contains(&diff.keys.len()), "{}", diff.keys.len());
    assert!(diff.keys.iter().all(|moved| moved.from == "stable" && moved.to == "one"));
}

const POLICY: &str = r#"{"splits": [
  {"name": "one", "hosts": ["a"], "key": [{"header": "x-user-id", "trim": true}], "backends": [
    {"name": "stable", "baseline": true, "to": "v1"},
    {"name": "canary", "authority": "a-canary", "weight": 5, "maxWeight": 50}]},
  {"name": "two", "hosts": ["b"], "key": [{"header": "x-user-id"}], "backends": [
    {"name": "stable", "baseline": true}, {"name": "canary", "to": "v2", "weight": 5, "maxWeight": 50}]}]}"#;

/// The notes after some text of the policy was replaced.
fn notes_after(replace: &str, with: &str) -> Vec<String> {
    assert!(POLICY.contains(replace), "{replace}");
    let node = |text: String| SourceFile { path: String::new(), text }.documents().unwrap().remove(0);
    let (old, new) = (node(POLICY.to_owned()), node(POLICY.replacen(replace, with, 1)));
    let compile = |node: &crate::source::Node| Splitter::compile(&node.tree()).unwrap();
    notes(&old, &new, &splits(&compile(&old), &compile(&new), &[], 0))
}

#[test]
fn what_the_buckets_do_not_show_is_noted() {
    for (replace, with, expected) in [
        (
            "\"weight\": 5",
            "\"weight\": 5, \"requestHeaders\": {\"set\": {\"x-a\": \"b\"}}",
            "backend canary of split one also differs in requestHeaders",
        ),
        (
            "\"weight\": 5",
            "\"weight\": 5, \"guard\": {\"passive\": false}",
            "backend canary of split one also differs in guard",
        ),
        ("{\"splits\"", "{\"mode\": \"enforce\", \"splits\"", "the policy also differs in mode"),
        ("\"hosts\": [\"a\"]", "\"hosts\": [\"c\"]", "split one also differs in hosts"),
        (
            "\"maxWeight\": 50}]}",
            "\"maxWeight\": 40}, {\"name\": \"next\", \"to\": \"v3\"}]}",
            "split one: backend next is only in the new policy",
        ),
    ] {
        assert_eq!(notes_after(replace, with), [expected], "{with}");
    }
    let renamed = notes_after("\"name\": \"two\"", "\"name\": \"three\", \"salt\": \"two\"");
    assert_eq!(renamed, ["split two is only in the old policy", "split three is only in the new policy"]);
    let (one, two) = POLICY.split_once("  {\"name\": \"two\"").unwrap();
    let (head, one) = one.split_once('\n').unwrap();
    let (two, tail) = two.rsplit_once("]}").unwrap();
    let swapped =
        format!("{head}\n  {{\"name\": \"two\"{two},\n{}]}}{tail}", one.trim_end().trim_end_matches(','));
    assert_eq!(notes_after(POLICY, &swapped), ["the splits are tried in another order"]);
    for (replace, with) in
        [("\"weight\": 5", "\"weight\": 20"), ("a-canary", "b-canary"), ("\"to\": \"v1\"", "\"to\": \"v3\"")]
    {
        assert!(notes_after(replace, with).is_empty(), "{with} is in the numbers");
    }
}

/// How many callers are asked about, and whether some are left out.
fn callers(rules: &[String]) -> (usize, bool) {
    let text = format!(r#"{{"rules": [{}]}}"#, rules.join(", "));
    let policy = SourceFile { path: String::new(), text }.documents().unwrap().remove(0);
    let mut named = Named::default();
    named.read(&policy);
    let questions = named.questions(2_000_000);
    (questions.callers.len(), questions.is_cut)
}

#[test]
fn callers_take_a_bounded_part_of_memory() {
    let rule = |namespaces: &[String], workloads: &[String]| {
        format!(r#"{{"from": {{"namespaces": {namespaces:?}, "workloads": {workloads:?}}}}}"#)
    };
    let names = |of: &str, from: usize, to: usize| (from..to).map(|n| format!("{of}{n}")).collect::<Vec<_>>();
    let each = |count: usize| {
        let one = |n: usize| rule(&names("n", n, n + 1), &names("w", n, n + 1));
        (0..count).map(one).collect::<Vec<_>>()
    };
    // Everybody who is named, or is not, by both names, and by a certificate or not; and nobody.
    assert_eq!(callers(&each(100)), (101 * 101 * 2 + 1, false));
    // Of too many, only those that one rule names.
    assert_eq!(callers(&each(300)), ((3 * 300 + 1) * 2 + 1, true));
    let wide = rule(&names("n", 0, 256), &names("w", 0, 256));
    assert_eq!(callers(std::slice::from_ref(&wide)), (1, true));
    assert_eq!(callers(&[wide, rule(&names("n", 0, 1), &[])]), (4 + 1, true));
}

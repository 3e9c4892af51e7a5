//! What `egress-policy` told in a proxy's log, as one policy.

use std::collections::{BTreeMap, BTreeSet};

use narrows_core::Tree;
use serde_json::Value;

use crate::render::yaml;

/// What was asked for and no rule names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Learnt {
    /// How many lines told of it.
    pub lines: usize,
    /// Requests to hosts that no line names.
    pub unnamed: u64,
    /// The methods by host; none is any.
    hosts: BTreeMap<String, Option<BTreeSet<String>>>,
}

impl Learnt {
    /// Reads a log: Envoy's own or Istio's, in text or JSON, as containers write it or not.
    pub fn of(log: &str) -> Self {
        let mut learnt = Self::default();
        for message in log.lines().filter_map(message) {
            learnt.add(&message);
        }
        learnt
    }

    /// How many hosts were named.
    pub fn hosts(&self) -> usize {
        self.hosts.len()
    }

    fn add(&mut self, message: &str) {
        let told = message.split_once("egress-policy: ").map(|(_, told)| told);
        let Some(told) = told.filter(|told| told.contains(" unlisted destinations, ")) else { return };
        self.lines += 1;
        let unnamed = told.split_once(" requests to more hosts than").map(|(before, _)| before);
        let unnamed = unnamed.and_then(|before| before.rsplit(' ').next()?.parse::<u64>().ok());
        self.unnamed = self.unnamed.saturating_add(unnamed.unwrap_or_default());
        let Some(start) = told.find(r#"{"filter":"egress-policy""#) else { return };
        // Behind the policy Istio's log says which thread wrote it.
        let policy = serde_json::Deserializer::from_str(&told[start..]).into_iter::<Value>().next();
        let Some(Ok(policy)) = policy else { return };
        for to in policy["rules"].as_array().into_iter().flatten().map(|rule| &rule["to"]) {
            let texts = |list: &Value| -> Option<BTreeSet<String>> {
                Some(list.as_array()?.iter().filter_map(|text| text.as_str().map(str::to_owned)).collect())
            };
            let methods = texts(&to["methods"]);
            for host in texts(&to["hosts"]).into_iter().flatten() {
                let known = self.hosts.entry(host).or_insert_with(|| Some(BTreeSet::new()));
                match (known.as_mut(), &methods) {
                    (Some(known), Some(methods)) => known.extend(methods.iter().cloned()),
                    _ => *known = None,
                }
            }
        }
    }

    /// A policy that allows all of it, for a person to read and to shorten.
    pub fn policy(&self) -> String {
        let table = |fields: Vec<(&str, Tree)>| {
            Tree::Table(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
        };
        let text = |text: &str| Tree::Text(text.to_owned());
        let rules = self.hosts.iter().enumerate().map(|(place, (host, methods))| {
            let mut to = vec![("hosts", Tree::List(vec![text(host)]))];
            if let Some(methods) = methods {
                to.push(("methods", Tree::List(methods.iter().map(|method| text(method)).collect())));
            }
            let name = text(&format!("learned-{}", place + 1));
            table(vec![("name", name), ("action", text("allow")), ("to", table(to))])
        });
        let rules = Tree::List(rules.collect());
        let policy =
            table(vec![("filter", text("egress-policy")), ("default", text("deny")), ("rules", rules)]);
        let mut out = format!(
            "# {} hosts out of {} lines: everything that was tried. Take out what must not be.\n",
            self.hosts(),
            self.lines
        );
        if self.unnamed > 0 {
            out.push_str(&format!(
                "# {} requests went to hosts that no line names: raise \"maxHosts\".\n",
                self.unnamed
            ));
        }
        out + &yaml::document(&policy)
    }
}

/// What a Wasm module logged, if that is what a line is. A caller chooses what an access
/// log says of it: only the start of a line tells them apart.
fn message(line: &str) -> Option<String> {
    let line = without_container(line.trim_start());
    if let Ok(Value::Object(fields)) = serde_json::from_str(line) {
        let field = |name: &str| fields.get(name).and_then(Value::as_str);
        return match field("log") {
            // Docker's file.
            Some(inner) => message(inner),
            None => field("scope")
                .filter(|scope| scope.starts_with("envoy wasm"))
                .and_then(|_| field("msg")?.strip_prefix("wasm log ").map(str::to_owned)),
        };
    }
    let (head, told) = line.split_once("wasm log ")?;
    // `[2026-01-02 03:04:05.678][15][warning][wasm] [source/….cc:1] wasm log`
    let of_envoy = || {
        let mut fields = head.strip_prefix('[')?.splitn(4, "][");
        let (time, thread, _level, rest) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let is_plain = [time, thread].concat().bytes().all(|b| b.is_ascii_digit() || b"-: .".contains(&b));
        (is_plain && rest.starts_with("wasm] [")).then_some(())
    };
    // `2026-01-02T03:04:05.678901Z⇥warning⇥envoy wasm source/….cc:1⇥wasm log`
    let of_istio = || {
        let mut fields = head.splitn(3, '\t');
        let (time, _level, scope) = (fields.next()?, fields.next()?, fields.next()?);
        (!time.contains(' ') && scope.starts_with("envoy wasm ")).then_some(())
    };
    of_envoy().or_else(of_istio).map(|()| told.to_owned())
}

/// A line without what a container runtime or `kubectl logs --timestamps` puts before it.
fn without_container(line: &str) -> &str {
    let stamped = line.split_once(' ').filter(|(stamp, _)| {
        stamp.starts_with(|c: char| c.is_ascii_digit()) && stamp.contains('T') && !stamp.contains('\t')
    });
    let Some((_, rest)) = stamped else { return line };
    let streams = ["stdout F ", "stderr F "];
    streams.iter().find_map(|stream| rest.strip_prefix(stream)).unwrap_or(rest)
}

#[cfg(test)]
mod tests {
    use super::Learnt;
    use crate::filter::Filter;

    const TOLD: &str = r#"egress-policy: 2 unlisted destinations, 1 asked for since the last line: a.example (GET 3, first 1, last 2); 7 requests to more hosts than "maxHosts"; a policy that allows them: {"filter":"egress-policy","default":"deny","rules":[{"name":"learned-1","action":"allow","to":{"hosts":["a.example"],"methods":["GET"]}}]}"#;
    const ENVOY: &str = "[2026-01-02 03:04:05.678][15][warning][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log ";

    #[test]
    fn lines_are_found_however_they_are_written() {
        let quoted = serde_json::Value::from(format!("wasm log narrows: {TOLD}"));
        let json = format!(r#"{{"level":"warning","scope":"envoy wasm x.cc:1","msg":{quoted}}}"#);
        for line in [
            format!("{ENVOY}narrows.egress-policy: {TOLD}"),
            format!("{ENVOY}{TOLD}"),
            format!(
                "2026-01-02T03:04:05.678901Z\twarning\tenvoy wasm x.cc:1\twasm log narrows: {TOLD}\tthread=23"
            ),
            format!("2026-01-02T03:04:05.678901234Z stderr F {ENVOY}narrows: {TOLD}"),
            format!("2026-01-02T03:04:05.678901234Z {ENVOY}narrows: {TOLD}"),
            format!("2026-01-02T03:04:05Z stdout F {json}"),
            json.clone(),
            format!(r#"{{"log":{},"stream":"stderr"}}"#, serde_json::Value::from(format!("{ENVOY}{TOLD}\n"))),
            format!(r#"{{"log":{},"stream":"stdout"}}"#, serde_json::Value::from(json.clone())),
        ] {
            let learnt = Learnt::of(&line);
            assert_eq!((learnt.lines, learnt.hosts(), learnt.unnamed), (1, 1, 7), "{line}");
        }
    }

    #[test]
    fn what_a_caller_had_logged_is_no_line() {
        let agent = format!("wasm log narrows: {TOLD}");
        let quoted = serde_json::Value::from(agent.clone());
        for line in [
            format!(r#"[2026-01-02T03:04:05.678Z] "GET / HTTP/1.1" 403 - "-" "{agent}""#),
            format!(
                r#"[2026-01-02T03:04:05.678Z] "GET / HTTP/1.1" 403 - "-" "][15][warning][wasm] [x] {agent}""#
            ),
            format!("GET example.com / {ENVOY}{TOLD}"),
            format!(r#"{{"user_agent":{quoted},"scope":"envoy wasm"}}"#),
            format!("{ENVOY}narrows.header-router: x"),
        ] {
            assert_eq!(Learnt::of(&line), Learnt::default(), "{line}");
        }
    }

    #[test]
    fn lines_are_merged_into_a_policy_that_loads() {
        let line = |rules: &str| {
            format!(
                "{ENVOY}egress-policy: 9 unlisted destinations, 1 asked for since the last line: …; a policy that allows 1 of them: {{\"filter\":\"egress-policy\",\"rules\":[{rules}]}}\n"
            )
        };
        let log = line(
            r#"{"to":{"hosts":["b.example"],"methods":["GET"]}},{"to":{"hosts":["[2001:db8::1]"]}}"#,
        ) + "[2026-01-02T03:04:05.678Z] \"GET /\"\n"
            + &line(
                r#"{"to":{"hosts":["b.example"],"methods":["POST","GET"]}},{"to":{"hosts":["a.example"],"methods":["PUT"]}}"#,
            )
            + &line(r#"{"to":{"hosts":["[2001:db8::1]"],"methods":["GET"]}}"#);
        let learnt = Learnt::of(&log);
        assert_eq!((learnt.lines, learnt.hosts()), (3, 3));
        let policy = learnt.policy();
        let source = crate::source::Source { path: String::new(), text: policy.clone() };
        let tree = source.documents().unwrap()[0].tree();
        Filter::EgressPolicy.compile(&tree).unwrap();
        assert!(policy.contains("hosts: [b.example]\n      methods: [GET, POST]\n"), "{policy}");
        assert!(policy.contains("hosts: [\"[2001:db8::1]\"]\n  - "), "{policy}");
    }
}

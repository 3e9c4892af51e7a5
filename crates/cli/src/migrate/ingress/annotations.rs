//! The annotations of a canary, in their order: the header, then the cookie, then the weight.

use crate::meant::suggestion;
use crate::migrate::difference::Log;
use crate::migrate::old::{Condition, Match, On, Sense, Test};
use crate::source::Node;

/// Before the name of each annotation.
const PREFIX: &str = "nginx.ingress.kubernetes.io/";
/// Of how many parts a weight is, unless more are written. A smaller number is not looked at.
const TOTAL: u64 = 100;

/// What chooses a canary.
const KNOWN: [&str; 7] = [
    "canary",
    "canary-by-header",
    "canary-by-header-value",
    "canary-by-header-pattern",
    "canary-by-cookie",
    "canary-weight",
    "canary-weight-total",
];

/// How a canary is chosen.
#[derive(Clone)]
pub(super) struct Canary {
    /// The header, what sends to the canary, and what keeps off it.
    header: Option<(String, Test, Option<Test>)>,
    cookie: Option<String>,
    pub(super) weight: u64,
    pub(super) total: u64,
}

/// Reads the annotations; nothing if the Ingress is no canary.
pub(super) fn read(resource: &Node, has_key: bool, log: &mut Log) -> Option<Canary> {
    let fields = resource.get("metadata.annotations").map(Node::fields).unwrap_or_default();
    let own: Vec<(&str, &Node)> =
        fields.iter().filter_map(|(key, value)| Some((key.name.strip_prefix(PREFIX)?, value))).collect();
    let text = |name: &str| own.iter().find(|(known, _)| *known == name).and_then(|(_, node)| node.text());
    let is_canary = text("canary") == Some("true");
    for (name, node) in &own {
        if KNOWN.contains(name) && node.text().is_none() {
            log.refuse(
                &node.at,
                format!("\"{name}\" is not a text"),
                "write it in quotes, as Kubernetes asks",
            );
        } else if *name == "canary" && !["true", "false"].contains(&node.text().unwrap_or_default()) {
            log.refuse(&node.at, "\"canary\" is neither \"true\" nor \"false\"", "write \"true\"");
        }
        other(name, node, is_canary, has_key, log);
    }
    if !is_canary {
        return None;
    }
    let header = text("canary-by-header").filter(|name| !name.is_empty()).map(|name| {
        let value = text("canary-by-header-value").filter(|value| !value.is_empty());
        let pattern = text("canary-by-header-pattern").filter(|pattern| !pattern.is_empty());
        let (yes, no) = match (value, pattern) {
            (Some(value), _) => (Test::Exact(value.to_owned()), None),
            // nginx looks for it anywhere in the value.
            (None, Some(pattern)) => (Test::Regex(format!(".*(?:{pattern}).*")), None),
            (None, None) => (Test::Exact("always".to_owned()), Some(Test::Exact("never".to_owned()))),
        };
        (name.to_ascii_lowercase(), yes, no)
    });
    let cookie = text("canary-by-cookie").filter(|name| !name.is_empty()).map(str::to_owned);
    let number = |name: &str| text(name).and_then(|text| text.parse::<u64>().ok());
    let at = resource.head();
    if header.is_some() {
        log.differs(
            &at,
            "if the header comes several times, one line that fits is enough; nginx joins the lines",
            "nothing, unless a proxy in front adds such lines",
        );
    }
    if cookie.is_some() {
        log.differs(
            &at,
            "the cookie's name has a letter case here; nginx takes any",
            "nothing, unless applications write the name in several ways",
        );
    }
    Some(Canary {
        header,
        cookie,
        weight: number("canary-weight").unwrap_or_default(),
        total: number("canary-weight-total").filter(|total| *total > TOTAL).unwrap_or(TOTAL),
    })
}

/// What is said about an annotation that does not choose a canary.
fn other(name: &str, node: &Node, is_canary: bool, has_key: bool, log: &mut Log) {
    let number = |node: &Node| node.text().is_some_and(|text| text.parse::<u64>().is_ok());
    if KNOWN.contains(&name) {
        if name.starts_with("canary-weight") && node.text().is_some() && !number(node) {
            log.refuse(&node.at, format!("\"{name}\" is not a whole number in quotes"), "write \"10\"");
        }
        return;
    }
    if name.starts_with("canary") {
        let help = suggestion(name, &KNOWN).unwrap_or_else(|| "take it out".to_owned());
        log.refuse(&node.at, format!("ingress-nginx has no annotation \"{name}\""), help);
        return;
    }
    match name {
        "affinity" if has_key => log.differs(
            &node.at,
            "a user keeps a backend by the key, and not by the cookie of ingress-nginx",
            "change over at a small weight: users are drawn once more",
        ),
        _ if has_key && (name.starts_with("session-cookie") || name.starts_with("affinity")) => {
            log.stays(&node.at, format!("\"{name}\" is not needed beside a key"), "nothing");
        }
        "affinity" => log.refuse(
            &node.at,
            "cookie affinity, which keeps a user on a canary, is not converted",
            "take it out, and name what tells users apart: --key header:NAME or --key cookie:NAME",
        ),
        "use-regex" | "rewrite-target" => log.refuse(
            &node.at,
            format!("\"{name}\" makes the paths expressions, which are not converted"),
            "write them as rules of header-router: COMING-FROM.md shows how",
        ),
        _ if is_canary => log.stays(
            &node.at,
            format!("ingress-nginx does not read \"{name}\" of a canary, and nothing is made of it"),
            "nothing",
        ),
        _ => log.stays(
            &node.at,
            format!("\"{name}\" is about no canary, and is not converted"),
            "see COMING-FROM.md, or what your gateway has for it",
        ),
    }
}

impl Canary {
    /// Requests that never get the canary.
    pub(super) fn exclude(&self) -> Vec<Match> {
        let mut all = Vec::new();
        if let Some((name, _, Some(no))) = &self.header {
            all.push(only(vec![header(name, no, Sense::Holds)]));
        }
        let Some(cookie) = &self.cookie else { return all };
        let never = condition(On::Cookie(cookie.clone()), Test::Exact("never".to_owned()), Sense::Holds);
        match &self.header {
            None => all.push(only(vec![never])),
            Some((name, yes, _)) => {
                // The header decides before the cookie does. A missing header is an empty one to the test.
                all.push(only(vec![never.clone(), header(name, yes, Sense::Fails)]));
                if matches!(yes, Test::Regex(_)) {
                    all.push(only(vec![never, header(name, &Test::Present, Sense::Fails)]));
                }
            }
        }
        all
    }

    /// Requests that always get the canary, unless they are among those that never do.
    pub(super) fn include(&self) -> Vec<Match> {
        let mut all = Vec::new();
        if let Some((name, yes, _)) = &self.header {
            all.push(only(vec![header(name, yes, Sense::Holds)]));
        }
        if let Some(cookie) = &self.cookie {
            let always = Test::Exact("always".to_owned());
            all.push(only(vec![condition(On::Cookie(cookie.clone()), always, Sense::Holds)]));
        }
        all
    }
}

fn only(conditions: Vec<Condition>) -> Match {
    Match { conditions, ..Match::default() }
}

fn header(name: &str, test: &Test, sense: Sense) -> Condition {
    condition(On::Header(name.to_owned()), test.clone(), sense)
}

fn condition(on: On, test: Test, sense: Sense) -> Condition {
    Condition { on, test, ignore_case: false, sense }
}

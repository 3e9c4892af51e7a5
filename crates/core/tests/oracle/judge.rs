//! The policy language, as its documentation has it: slow and obvious.

use std::net::IpAddr;

use serde_json::Value;

use crate::found::{cookie, decoded, header};
use crate::generate::{EXPRESSIONS, Sent};

/// What should become of a request.
pub(crate) struct Judged<'s> {
    pub(crate) rule: Option<usize>,
    pub(crate) reported: Option<usize>,
    pub(crate) stripped: Vec<&'s [u8]>,
}

type Header = (Vec<u8>, Vec<u8>);

/// Tries every rule in order.
pub(crate) fn judge<'s>(policy: &Value, sent: &'s Sent) -> Judged<'s> {
    let mut judged = Judged { rule: None, reported: None, stripped: Vec::new() };
    if policy["mode"] == "off" {
        return judged;
    }
    let unwanted = |name: &[u8]| stripped(policy, sent.state.as_deref(), name);
    let headers: Vec<&Header> = sent.headers.iter().filter(|(name, _)| !unwanted(name)).collect();
    judged.stripped =
        sent.headers.iter().map(|(name, _)| name.as_slice()).filter(|name| unwanted(name)).collect();
    // A policy that reports judges the request as if stripped, and leaves it as it is.
    if policy["mode"] == "report" {
        judged.stripped.clear();
    }
    judged.stripped.sort_unstable();
    judged.stripped.dedup();
    let rules = policy["rules"].as_array().unwrap();
    let authority = sent.headers.iter().find(|(name, _)| name == b":authority");
    if host(&authority.unwrap().1).is_empty() {
        if asks_for_a_host(policy, false) {
            judged.rule = Some(rules.len());
            return judged;
        }
        if asks_for_a_host(policy, true) {
            judged.reported = Some(rules.len());
        }
    }
    for (index, rule) in rules.iter().enumerate() {
        let matches = match &rule["matches"] {
            Value::Array(matches) if !matches.is_empty() => {
                matches.iter().any(|one| holds(one, &headers, sent))
            }
            _ => true,
        };
        let reports = rule["mode"] == "report" || policy["mode"] == "report";
        if !matches || rule["mode"] == "off" {
            continue;
        }
        if !reports {
            judged.rule = Some(index);
            break;
        }
        judged.reported = judged.reported.or(Some(index));
    }
    judged
}

/// Whether the client may not send a header: listed, or ours under `trust: edge`. Letter case and
/// `_` for `-` make no difference. What an earlier filter says that it wrote is not the client's, in
/// that spelling; and what it has stripped, the client no longer says.
fn stripped(policy: &Value, state: Option<&str>, name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name);
    let mut patterns: Vec<String> = Vec::new();
    if let Some(listed) = policy["strip"].as_array() {
        patterns.extend(listed.iter().map(|pattern| pattern.as_str().unwrap().to_owned()));
    }
    if policy["trust"] != "mesh" {
        // The prefix covers the default route header.
        patterns.push("x-narrows-*".to_owned());
        patterns.extend(policy["routeHeader"].as_str().map(ToOwned::to_owned));
    }
    let one_spelling = |name: &str| name.to_lowercase().replace('_', "-");
    let covers = |pattern: &str, name: &str| match pattern.strip_suffix('*') {
        Some(start) => one_spelling(name).starts_with(start),
        None => one_spelling(name) == pattern,
    };
    let said: Vec<&str> = state.map(|state| state.split(',').collect()).unwrap_or_default();
    let patterns = patterns.iter().map(|pattern| one_spelling(pattern));
    let is_covered = patterns
        .filter(|pattern| !said.iter().any(|word| covers(word, pattern)))
        .any(|pattern| covers(&pattern, &name));
    is_covered && !name.starts_with(':') && !said.contains(&&*format!("={name}"))
}

/// Whether every field of a match holds.
fn holds(one: &Value, headers: &[&Header], sent: &Sent) -> bool {
    let first = |wanted: &str| {
        let found = headers.iter().find(|(name, _)| name == wanted.as_bytes());
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let target = first(":path");
    let mut halves = target.splitn(2, |byte| *byte == b'?');
    let (path, query) = (halves.next().unwrap(), halves.next().unwrap_or_default());
    one.as_object().unwrap().iter().all(|(field, condition)| match field.as_str() {
        "hosts" => condition
            .as_array()
            .unwrap()
            .iter()
            .any(|host| is_host(host.as_str().unwrap(), &first(":authority"))),
        "service" => {
            let (name, namespace) = condition.as_str().unwrap().split_once('.').unwrap();
            let full = format!("{name}.{namespace}");
            let forms =
                [name.to_owned(), full.clone(), format!("{full}.svc"), format!("{full}.svc.cluster.local")];
            forms.iter().any(|form| is_host(form, &first(":authority")))
        }
        "path" => is_path(condition, path),
        "method" => is_value(condition, &[first(":method")]),
        "headers" => named(condition).all(|(name, value)| is_value(value, &header(headers, name))),
        "withoutHeaders" => !named(condition).any(|(name, value)| is_unwanted(value, &header(headers, name))),
        "cookies" => named(condition).all(|(name, value)| is_first(value, &cookie(headers, name))),
        "queryParams" => named(condition).all(|(name, value)| is_parameter(name, value, query)),
        "source" => is_source(condition, sent),
        other => panic!("what is {other}?"),
    })
}

fn named(conditions: &Value) -> impl Iterator<Item = (&str, &Value)> {
    conditions.as_object().unwrap().iter().map(|(name, value)| (name.as_str(), value))
}

/// One leading `*.`, or equality; no letter case.
fn is_host(pattern: &str, authority: &[u8]) -> bool {
    let host = host(authority);
    let pattern = pattern.to_lowercase();
    let pattern = pattern.strip_suffix('.').unwrap_or(&pattern);
    match pattern.strip_prefix('*') {
        Some("") => true,
        Some(domain) => host.len() > domain.len() && host.ends_with(domain),
        None => host == pattern,
    }
}

/// What stands before the last colon, whatever follows it, unless a bracket is closed behind it;
/// without a trailing dot. A character for each byte.
fn host(authority: &[u8]) -> String {
    let mut host = String::new();
    let mut rest: Vec<char> = authority.iter().map(|byte| char::from(*byte).to_ascii_lowercase()).collect();
    if let Some(last) = rest.iter().rposition(|c| *c == ':')
        && !rest[last..].contains(&']')
    {
        rest.truncate(last);
    }
    if rest.last() == Some(&'.') {
        rest.pop();
    }
    host.extend(rest);
    host
}

/// Whether some rule in force, of this mode, can be told only with a host.
fn asks_for_a_host(policy: &Value, reports: bool) -> bool {
    policy["rules"].as_array().unwrap().iter().any(|rule| {
        let is_of_mode = (rule["mode"] == "report" || policy["mode"] == "report") == reports;
        let matches = rule["matches"].as_array().cloned().unwrap_or_default();
        is_of_mode
            && rule["mode"] != "off"
            && matches.iter().any(|one| match one["hosts"].as_array() {
                Some(hosts) => hosts.iter().all(|host| host != "*"),
                None => one["service"].is_string(),
            })
    })
}

/// The forms that only a path has; every other is a value's.
fn is_path(condition: &Value, path: &[u8]) -> bool {
    let fold = |text: &str| {
        if condition["ignoreCase"] == true { text.to_ascii_lowercase() } else { text.to_owned() }
    };
    // A character for each byte.
    let shown = fold(&path.iter().copied().map(char::from).collect::<String>());
    let invert = condition["invert"] == true;
    if let Some(prefix) = condition["pathPrefix"].as_str() {
        let prefix = fold(prefix);
        let prefix = prefix.trim_end_matches('/');
        return (shown == prefix || shown.starts_with(&format!("{prefix}/"))) != invert;
    }
    if let Some(template) = condition["template"].as_str() {
        let template = fold(template);
        let (template, rest) = template.strip_suffix("/*").map_or((template.as_str(), false), |t| (t, true));
        let wanted: Vec<&str> = template.split('/').collect();
        let found: Vec<&str> = shown.split('/').collect();
        let enough = if rest {
            found.len() > wanted.len() && found[wanted.len()..] != [""]
        } else {
            found.len() == wanted.len()
        };
        let fits = |(wanted, found): (&&str, &&str)| {
            if wanted.starts_with('{') { !found.is_empty() } else { wanted == found }
        };
        return (enough && wanted.iter().zip(&found).all(fits)) != invert;
    }
    is_value(condition, &[path.to_vec()])
}

fn is_parameter(name: &str, condition: &Value, query: &[u8]) -> bool {
    let pairs = query.split(|byte| *byte == b'&').filter(|piece| !piece.is_empty()).map(|piece| {
        let mut halves = piece.splitn(2, |byte| *byte == b'=');
        (decoded(halves.next().unwrap()), decoded(halves.next().unwrap_or_default()))
    });
    let values: Vec<Vec<u8>> =
        pairs.filter(|(found, _)| found == name.as_bytes()).map(|(_, value)| value).collect();
    if condition["repeated"] == "any" { is_value(condition, &values) } else { is_first(condition, &values) }
}

/// Plain: one value meets it. Inverted: one value fails it, or there is none.
fn is_value(condition: &Value, values: &[Vec<u8>]) -> bool {
    let invert = condition["invert"] == true;
    if let Some(present) = condition["present"].as_bool() {
        return (values.is_empty() != present) != invert;
    }
    if invert {
        return values.is_empty() || !values.iter().all(|value| meets(condition, value));
    }
    values.iter().any(|value| meets(condition, value))
}

/// The first of several counts; but inverted, all do.
fn is_first(condition: &Value, values: &[Vec<u8>]) -> bool {
    let counted = if condition["invert"] == true { values.len() } else { values.len().min(1) };
    is_value(condition, &values[..counted])
}

/// What stands in `withoutHeaders`: one value meets it, and where there is none, an empty one does.
fn is_unwanted(condition: &Value, values: &[Vec<u8>]) -> bool {
    if let Some(present) = condition["present"].as_bool() {
        return values.is_empty() != present;
    }
    values.iter().any(|value| meets(condition, value)) || (values.is_empty() && meets(condition, b""))
}

/// Whether a value is as the condition says, `invert` aside.
fn meets(condition: &Value, value: &[u8]) -> bool {
    let fold =
        |text: &[u8]| if condition["ignoreCase"] == true { text.to_ascii_lowercase() } else { text.to_vec() };
    let value = fold(value);
    let wanted = |field: &str| condition[field].as_str().map(|text| fold(text.as_bytes()));
    let contains = |wanted: Vec<u8>| (0..value.len()).any(|at| value[at..].starts_with(&wanted));
    let number = || std::str::from_utf8(&value).ok()?.trim().parse::<i64>().ok();
    wanted("exact").is_some_and(|wanted| value == wanted)
        || wanted("prefix").is_some_and(|wanted| value.starts_with(&wanted))
        || wanted("suffix").is_some_and(|wanted| value.ends_with(&wanted))
        || wanted("contains").is_some_and(contains)
        || condition["regex"]
            .as_str()
            .is_some_and(|regex| EXPRESSIONS.iter().any(|(text, is)| *text == regex && is(&value)))
        || condition["in"]
            .as_array()
            .is_some_and(|list| list.iter().any(|one| value == fold(one.as_str().unwrap().as_bytes())))
        || condition["range"].is_object()
            && number().is_some_and(|n| {
                n >= condition["range"]["from"].as_i64().unwrap()
                    && n < condition["range"]["to"].as_i64().unwrap()
            })
}

fn is_source(condition: &Value, sent: &Sent) -> bool {
    let listed = |field: &str| condition[field].as_array().cloned().unwrap_or_default();
    let (cidrs, principals) = (listed("cidrs"), listed("principals"));
    let address: Option<IpAddr> = sent.address.as_ref().and_then(|address| {
        let address: std::net::SocketAddr = std::str::from_utf8(address).ok()?.parse().ok()?;
        Some(address.ip().to_canonical())
    });
    let in_block = |block: &Value| {
        let (network, length) = block.as_str().unwrap().split_once('/').unwrap();
        let length: u32 = length.parse().unwrap();
        match (network.parse().unwrap(), address) {
            (IpAddr::V4(network), Some(IpAddr::V4(address))) => {
                length == 0 || network.to_bits() >> (32 - length) == address.to_bits() >> (32 - length)
            }
            (IpAddr::V6(_), Some(IpAddr::V6(_))) => length == 0,
            _ => false,
        }
    };
    let is_named = |pattern: &Value| {
        let pattern = pattern.as_str().unwrap();
        let pattern =
            if pattern.contains("://") { pattern.to_owned() } else { format!("spiffe://{pattern}") };
        let name =
            sent.principal.as_ref().map(|name| String::from_utf8_lossy(name)).filter(|name| !name.is_empty());
        name.is_some_and(|name| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        })
    };
    (cidrs.is_empty() || cidrs.iter().any(in_block))
        && (principals.is_empty() || principals.iter().any(is_named))
}

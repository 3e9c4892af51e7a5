//! Random policies and requests over alphabets so small that they often meet.

use serde_json::{Map, Value, json};

use narrows_oracle::Random;

/// A request as Envoy hands it to a filter.
pub(crate) struct Sent {
    pub(crate) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(crate) address: Option<Vec<u8>>,
    pub(crate) principal: Option<Vec<u8>>,
    /// What an earlier filter said that it stripped and wrote.
    pub(crate) state: Option<String>,
}

impl std::fmt::Debug for Sent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (name, value) in &self.headers {
            writeln!(f, "{}: {}", name.escape_ascii(), value.escape_ascii())?;
        }
        let text = |bytes: &Option<Vec<u8>>| bytes.as_ref().map(|bytes| bytes.escape_ascii().to_string());
        write!(f, "from {:?}, {:?}, state {:?}", text(&self.address), text(&self.principal), self.state)
    }
}

/// A policy with a few rules, sometimes with enough of them to fill an index.
pub(crate) fn policy(random: &mut Random) -> Value {
    let rules = if random.once_in(4) { 8 + random.below(40) } else { 1 + random.below(7) };
    let mut policy = json!({ "rules": (0..rules).map(|number| rule(random, number)).collect::<Vec<_>>() });
    if random.once_in(4) {
        policy["trust"] = json!("mesh");
    }
    if random.once_in(3) {
        policy["strip"] = json!([random.pick(&["x-a", "x-*", "X_B", "x-narrows-*", "y"])]);
    }
    if random.once_in(8) {
        policy["routeHeader"] = json!("x-b");
    }
    if random.once_in(10) {
        policy["mode"] = json!(random.pick(&["report", "off"]));
    }
    policy
}

fn rule(random: &mut Random, number: usize) -> Value {
    let mut rule = json!({ "name": format!("r{number}") });
    // Few rules without a match, for every rule behind one is never tried.
    let matches = if random.once_in(60) { 0 } else { 1 + random.below(2) };
    if matches > 0 || random.once_in(2) {
        rule["matches"] = (0..matches).map(|_| one(random)).collect();
    }
    if random.once_in(6) {
        rule["mode"] = json!(random.pick(&["report", "off", "enforce"]));
    }
    rule
}

fn one(random: &mut Random) -> Value {
    let mut fields = Map::new();
    let conditions = 1 + random.below(3);
    for _ in 0..conditions {
        let (field, value) = match random.below(12) {
            0 | 1 => ("hosts", hosts(random)),
            2 | 3 => ("path", path(random)),
            4 => ("method", value(random, &METHODS)),
            5 | 6 => ("headers", named(random, &["x-a", "X-B", "y"], &VALUES)),
            7 => {
                let mut unwanted = named(random, &["x-a", "x-b", "y"], &VALUES);
                // Not said twice.
                for (_, value) in unwanted.as_object_mut().expect("it is a table") {
                    value.as_object_mut().expect("it is a table").remove("invert");
                }
                ("withoutHeaders", unwanted)
            }
            8 => ("cookies", named(random, &["c", "D"], &VALUES)),
            9 | 10 => ("queryParams", query(random)),
            _ => ("source", source(random)),
        };
        fields.insert(field.to_owned(), value);
    }
    if !fields.contains_key("hosts") && random.once_in(15) {
        fields.insert("service".to_owned(), json!("b.a"));
    }
    Value::Object(fields)
}

fn hosts(random: &mut Random) -> Value {
    let patterns = ["a.b", "A.b.", "b", "*.b", "*.a.b", "*", "c.a.b", "[::1]", "10.0.0.1"];
    (0..=random.below(2)).map(|_| json!(random.pick(&patterns))).collect()
}

fn path(random: &mut Random) -> Value {
    let absolute = ["/", "/a", "/A", "/a/", "/a/b", "/ab", "/a/b/a", "/%2F"];
    let mut path = match random.below(8) {
        0 => json!({ "exact": random.pick(&absolute) }),
        1 => json!({ "prefix": random.pick(&absolute) }),
        2 => json!({ "pathPrefix": random.pick(&absolute) }),
        3 => {
            json!({ "template": random.pick(&["/{x}", "/a/{x}", "/{x}/b", "/*", "/a/*", "/{x}/*", "/", "/a/"]) })
        }
        4 => json!({ "in": [random.pick(&absolute), random.pick(&absolute)] }),
        5 => json!({ "suffix": random.pick(&["b", "/", "/b", "a/b"]) }),
        6 => json!({ "contains": random.pick(&["a", "/a/", "B", "/%2F", "aab"]) }),
        _ => json!({ "regex": random.pick(&EXPRESSIONS).0 }),
    };
    options(random, &mut path, true);
    path
}

fn named(random: &mut Random, names: &[&str], values: &[&str]) -> Value {
    let mut fields = Map::new();
    fields.insert((random.pick(names)).to_owned(), value(random, values));
    if random.once_in(4) {
        // No second name in another letter case: that would be the same header twice.
        fields.entry(names[0].to_owned()).or_insert_with(|| value(random, values));
    }
    Value::Object(fields)
}

fn query(random: &mut Random) -> Value {
    let mut params = named(random, &["q", "q q"], &VALUES);
    if random.once_in(2) {
        for (_, value) in params.as_object_mut().expect("it is a table") {
            value["repeated"] = json!(random.pick(&["any", "first"]));
        }
    }
    params
}

fn source(random: &mut Random) -> Value {
    let mut source = Map::new();
    if random.once_in(2) {
        source
            .insert("principals".to_owned(), json!([random.pick(&["spiffe://a/b", "spiffe://a/*", "a/b"])]));
    }
    if source.is_empty() || random.once_in(3) {
        source.insert(
            "cidrs".to_owned(),
            json!([random.pick(&["10.0.0.0/8", "10.1.0.0/16", "::/0", "0.0.0.0/0"])]),
        );
    }
    Value::Object(source)
}

fn value(random: &mut Random, values: &[&str]) -> Value {
    let long = if random.once_in(6) { LONG.as_slice() } else { &[] };
    let values = if long.is_empty() { values } else { long };
    let filled: Vec<&str> = values.iter().copied().filter(|value| !value.is_empty()).collect();
    let (mut value, cased) = match random.below(10) {
        0 | 1 => (json!({ "exact": random.pick(values) }), true),
        2 | 3 => (json!({ "in": [random.pick(values), random.pick(values)] }), true),
        4 => (json!({ "prefix": random.pick(&filled) }), true),
        5 => (json!({ "suffix": random.pick(&filled) }), true),
        6 => (json!({ "contains": random.pick(&filled) }), true),
        7 => (json!({ "regex": random.pick(&EXPRESSIONS).0 }), true),
        8 => {
            let from = i64::try_from(random.below(12)).expect("it is small") - 4;
            (json!({ "range": { "from": from, "to": from + 6 } }), false)
        }
        _ => (json!({ "present": random.once_in(2) }), false),
    };
    options(random, &mut value, cased);
    value
}

fn options(random: &mut Random, value: &mut Value, cased: bool) {
    if random.once_in(5) {
        value["invert"] = json!(true);
    }
    if cased && random.once_in(4) {
        value["ignoreCase"] = json!(true);
    }
}

/// A request over the same alphabets, with repeats, strange bytes and things that are missing.
pub(crate) fn request(random: &mut Random) -> Sent {
    let mut headers = Vec::new();
    let mut push = |name: &str, value: Vec<u8>| headers.push((name.as_bytes().to_vec(), value));
    let hosts = [
        "a.b",
        "A.B:80",
        "a.b.",
        "b",
        "b:",
        "c.a.b",
        "x.c.a.b.:1",
        "[::1]:80",
        "10.0.0.1",
        "",
        ".b",
        "b.a.svc",
        "a.b:x",
        "c.a.b:",
        "b:80:90",
        "a.b:80]",
        "[::1]:+80",
        "10.0.0.1:.",
        "a.b..",
        "::1",
        ":80",
        ".",
        "[a.b:1",
        "a.b,c.a.b",
    ];
    // As long as a name can be, and longer.
    let long = ["a.".repeat(random.pick(&[125, 126, 127, 128, 3000])), "b:x".to_owned()].concat();
    let host = if random.once_in(20) { &long } else { random.pick(&hosts) };
    push(":authority", host.as_bytes().to_vec());
    push(":path", target(random));
    push(":method", random.pick(&METHODS).as_bytes().to_vec());
    for _ in 0..random.below(5) {
        let names = ["x-a", "x-b", "x_b", "y", "z", "x-narrows-route"];
        push(random.pick(&names), text(random));
    }
    for _ in 0..random.below(3) {
        let crumbs: Vec<Vec<u8>> = (0..random.below(4)).map(|_| crumb(random)).collect();
        push("cookie", crumbs.join(random.pick(&[b"; ".as_slice(), b";"])));
    }
    let addresses = ["10.1.0.1:5", "10.2.0.1:5", "[::1]:5", "[::ffff:10.1.2.3]:5", "unix"];
    Sent {
        headers,
        address: (!random.once_in(4)).then(|| random.pick(&addresses).as_bytes().to_vec()),
        principal: random
            .once_in(2)
            .then(|| random.pick(&["spiffe://a/b", "spiffe://a/c", ""]).as_bytes().to_vec()),
        state: random.once_in(3).then(|| {
            let words =
                ["x-a", "=x-a", "x-*", "=x-b", "=x_b", "x-b", "y", "=y", "x-narrows-*", "=x-narrows-route"];
            let said: Vec<&str> = (0..=random.below(3)).map(|_| random.pick(&words)).collect();
            said.join(",")
        }),
    }
}

fn target(random: &mut Random) -> Vec<u8> {
    let mut target = Vec::new();
    for _ in 0..=random.below(3) {
        target.push(b'/');
        let odd: [&[u8]; 3] = [b"\xff", b"a\xffb", b"\xc3\xa4"];
        let plain = random.pick(&["a", "b", "A", "ab", "", "%2F", "aab"]).as_bytes();
        target.extend_from_slice(if random.once_in(10) { random.pick(&odd) } else { plain });
    }
    if random.once_in(2) {
        target.push(b'?');
        let params =
            ["q=a", "q=A", "q=b", "q", "q=", "q%20q=a", "q=%61", "q=5", "", "q=a=b", "Q=a", "q=%ff", "r=a"];
        let chosen: Vec<&str> = (0..random.below(4)).map(|_| random.pick(&params)).collect();
        target.extend_from_slice(chosen.join("&").as_bytes());
    }
    target
}

fn crumb(random: &mut Random) -> Vec<u8> {
    let mut crumb = random.pick(&["c", "D", "d", " c", ""]).as_bytes().to_vec();
    if !random.once_in(8) {
        crumb.push(b'=');
        crumb.extend(text(random));
    }
    crumb
}

fn text(random: &mut Random) -> Vec<u8> {
    let odd: [&[u8]; 7] = [b"\xff", b"a\xff", b"\"a\"", b" 5 ", b" a", b"a\t", b"\t "];
    match random.below(20) {
        0..=2 => random.pick(&odd).to_vec(),
        3 => random.pick(&LONG).as_bytes().to_vec(),
        _ => random.pick(&VALUES).as_bytes().to_vec(),
    }
}

/// Texts about as long as the index looks into a value, and longer: they differ at both ends.
const LONG: [&str; 6] = [
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
    "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaA",
    "baaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab",
];

const METHODS: [&str; 4] = ["GET", "POST", "get", "PO"];
const VALUES: [&str; 12] =
    ["", "a", "A", "b", "ab", "aab", "a,b", "a,a", "1", "5", "-3", "99999999999999999999"];

/// Expressions, and what they mean in so many words.
pub(crate) const EXPRESSIONS: [(&str, fn(&[u8]) -> bool); 6] = [
    ("a+", |text| !text.is_empty() && text.iter().all(|byte| *byte == b'a')),
    ("a|ab", |text| text == b"a" || text == b"ab"),
    ("[0-9]", |text| text.len() == 1 && text[0].is_ascii_digit()),
    ("(?s).*b", |text| text.last() == Some(&b'b')),
    ("/a(/.*)?", |text| text == b"/a" || text.starts_with(b"/a/")),
    ("", <[u8]>::is_empty),
];

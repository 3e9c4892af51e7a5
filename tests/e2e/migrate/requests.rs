//! Requests that are generated from the routes of a configuration: what they ask for, and what is beside it.

use narrows_harness::message::Request;
use narrows_oracle::Random;
use narrows_tests::lacks;
use serde_json::Value;

/// What routes ask for.
#[derive(Debug, Default)]
pub(crate) struct Vocabulary {
    hosts: Vec<String>,
    paths: Vec<String>,
    headers: Vec<(String, String)>,
    parameters: Vec<(String, String)>,
    /// Lines that expressions ask for: cookies, versions.
    extra: Vec<(String, String)>,
    /// Whether Envoy joins the lines of a header, so that a request has only one.
    joins: bool,
}

impl Vocabulary {
    /// Of virtual hosts.
    pub(crate) fn of(hosts: &[Value]) -> Self {
        let joins = lacks(39, "looking at each line of a header alone");
        let mut all = Self { joins, ..Self::default() };
        for host in hosts {
            for domain in host["domains"].as_array().into_iter().flatten() {
                let domain = domain.as_str().unwrap_or("*");
                all.hosts.push(if domain == "*" {
                    "any.example".to_owned()
                } else {
                    domain.replace('*', "sub")
                });
            }
            for route in host["routes"].as_array().into_iter().flatten() {
                all.route(&route["match"]);
            }
        }
        all.paths.extend(["/".to_owned(), "/other".to_owned()]);
        all.hosts.dedup();
        all
    }

    /// The same with lines that expressions of the routes ask for, those of other headers left out.
    pub(crate) fn with(mut self, lines: &[(&str, &str)]) -> Self {
        let asked = |name: &str| self.headers.iter().any(|(known, _)| known.eq_ignore_ascii_case(name));
        let lines = lines.iter().filter(|(name, _)| asked(name));
        self.extra = lines.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self
    }

    fn route(&mut self, one: &Value) {
        for name in ["prefix", "path", "path_separated_prefix"] {
            self.paths.extend(one[name].as_str().map(str::to_owned));
        }
        for (list, to) in [("headers", &mut self.headers), ("query_parameters", &mut self.parameters)] {
            for condition in one[list].as_array().into_iter().flatten() {
                let name = condition["name"].as_str().unwrap_or_default().to_owned();
                let test = &condition["string_match"];
                let texts = ["exact", "prefix", "suffix", "contains"].map(|kind| test[kind].as_str());
                // An expression for a method takes PUT in the files here.
                let other = if name == ":method" { "PUT" } else { "1" };
                let text = texts.into_iter().flatten().next().unwrap_or(other).to_owned();
                to.push((name, text));
            }
        }
    }

    /// A request.
    pub(crate) fn request(&self, random: &mut Random) -> Request {
        let one = |random: &mut Random, all: &[String]| all[random.below(all.len())].clone();
        let mut host = one(random, &self.hosts);
        if random.once_in(12) {
            random.pick(&["elsewhere.example", "x.y.example", "SHOP.example.com"]).clone_into(&mut host);
        }
        if random.once_in(6) {
            host.push_str(":8080");
        }
        let mut path = one(random, &self.paths);
        let ends = ["", "", "", "/", "x", "/x", "/x/y", "//z", "%2Fa"];
        path.push_str(ends[random.below(ends.len())]);
        if random.once_in(10) {
            path = path.to_uppercase();
        }
        let mut query = Vec::new();
        for (name, value) in &self.parameters {
            if random.once_in(2) {
                query.push(format!("{name}={}", varied(random, value)));
            }
        }
        if random.once_in(6) {
            query.push("a=1".to_owned());
        }
        let target = if query.is_empty() { path } else { format!("{path}?{}", query.join("&")) };
        let mut method = random.pick(&["GET", "GET", "GET", "POST", "PUT"]).to_owned();
        let mut headers: Vec<(String, String)> = Vec::new();
        for (name, value) in &self.headers {
            if random.once_in(2) {
                continue;
            }
            if name == ":method" {
                method.clone_from(value);
            } else if !name.starts_with(':') && !headers.iter().any(|(known, _)| self.is_same(known, name)) {
                headers.push((name.clone(), varied(random, value)));
            }
        }
        if !self.extra.is_empty() && !random.once_in(3) {
            let (name, value) = &self.extra[random.below(self.extra.len())];
            headers.retain(|(known, _)| !self.is_same(known, name));
            headers.push((name.clone(), value.clone()));
        }
        let request = Request::new(&method, &host, &target);
        headers.iter().fold(request, |request, (name, value)| request.header(name, value))
    }

    /// Whether a request has a header of only one of these names. Names in other letters are other lines of
    /// one header.
    fn is_same(&self, one: &str, other: &str) -> bool {
        if self.joins { one.eq_ignore_ascii_case(other) } else { one == other }
    }
}

/// Mostly the value itself.
fn varied(random: &mut Random, value: &str) -> String {
    match random.below(8) {
        0 => format!("{value}x"),
        1 => format!("x{value}"),
        2 => value.to_uppercase(),
        3 => "other".to_owned(),
        _ => value.to_owned(),
    }
}

//! Does a path template take the paths that Envoy's own `uri_template` takes?

use narrows_harness::client::Protocol;
use narrows_harness::message::Request;
use narrows_oracle::Random;
use narrows_tests::Bench;
use serde_json::{Value, json};

const TEMPLATES: usize = 60;
const REQUESTS: usize = 40;

/// A template as a policy has it, and the same in Envoy's language.
#[derive(Debug)]
struct Template {
    number: usize,
    ours: String,
    theirs: String,
    segments: Vec<&'static str>,
    ends_open: bool,
}

/// Segments of templates.
const SEGMENTS: [&str; 9] = ["a", "users", "v1", "{}", "{}", "x-y", "%41", "a.b", "A"];
/// Segments of paths, among them none, and what Envoy takes in no template.
const SENT: [&str; 14] =
    ["a", "users", "v1", "x-y", "%41", "a.b", "A", "", "a%2Fb", ".", "42", "~_!$&'()*+,;:@=", "a;v=1", "%zz"];

impl Template {
    fn generate(random: &mut Random, number: usize) -> Self {
        let segments: Vec<_> = (0..=random.below(4)).map(|_| random.pick(&SEGMENTS)).collect();
        let ends_open = random.once_in(3);
        let written = |rest: &str| {
            let names = segments.iter().enumerate().map(|(at, segment)| match *segment {
                "{}" => format!("/{{name{at}}}"),
                segment => format!("/{segment}"),
            });
            names.chain(ends_open.then(|| rest.to_owned())).collect::<String>()
        };
        // A star at the end is any rest, which Envoy writes with two.
        Self { number, ours: written("/*"), theirs: written("/**"), segments: segments.clone(), ends_open }
    }

    /// Whether a path has nothing where the star stands: ours takes something, Envoy's nothing too.
    fn has_no_rest(&self, target: &str) -> bool {
        let path = target.split('?').next().unwrap_or_default();
        let before = path.strip_suffix('/').unwrap_or_default();
        self.ends_open && before.matches('/').count() == self.segments.len()
    }

    fn rule(&self) -> Value {
        json!({ "name": format!("t{}", self.number),
            "matches": [{ "path": { "template": self.ours }, "headers": { "x-by": { "exact": self.number.to_string() } } }],
            "responseHeaders": { "set": { "x-held": "1" } } })
    }

    fn route(&self) -> Value {
        let matcher = json!({ "name": "envoy.path.match.uri_template.uri_template_matcher", "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig",
            "path_template": self.theirs } });
        json!({ "match": { "path_match_policy": matcher,
                           "headers": [{ "name": "x-by", "string_match": { "exact": self.number.to_string() } }] },
                "direct_response": { "status": 201 } })
    }

    /// A path that fits, or nearly so, or not at all.
    fn target(&self, random: &mut Random) -> String {
        let mut segments = self.segments.clone();
        for segment in &mut segments {
            if *segment == "{}" || random.once_in(8) {
                *segment = random.pick(&SENT);
            }
        }
        match random.below(6) {
            0 => segments.push(random.pick(&SENT)),
            1 => segments.extend([random.pick(&SENT), random.pick(&SENT)]),
            2 => _ = segments.pop(),
            _ => {}
        }
        let path: String = segments.iter().map(|segment| format!("/{segment}")).collect();
        // A connection manager that joins slashes is not the point here.
        let path = if path.is_empty() || path.starts_with("//") { format!("/a{path}") } else { path };
        if random.once_in(5) { format!("{path}?q=/a") } else { path }
    }
}

/// Envoy's variables take no other characters than these; ours take any.
fn is_plain(path: &str) -> bool {
    let path = path.split('?').next().unwrap_or_default();
    let is_character = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%!$&'()*+,;:@=/".contains(&byte);
    path.bytes().all(is_character)
}

#[test]
fn a_template_takes_what_envoys_own_takes() -> anyhow::Result<()> {
    let mut random = Random::new(16);
    let templates: Vec<Template> =
        (0..TEMPLATES).map(|number| Template::generate(&mut random, number)).collect();
    let policy =
        json!({ "trust": "mesh", "rules": templates.iter().map(Template::rule).collect::<Vec<_>>() })
            .to_string();
    let rest = json!({ "match": { "prefix": "" }, "direct_response": { "status": 202 } });
    let routes: Vec<_> = templates.iter().map(Template::route).chain([rest]).collect();
    let bench = Bench::of(&[("header-router", &policy)]).named("templates").routes(&routes).start()?;
    let mut client = bench.client(Protocol::Http1)?;
    let (mut held, mut without_rest, mut differ) = (0, 0, Vec::new());
    for template in &templates {
        for _ in 0..REQUESTS {
            let target = template.target(&mut random);
            let request = Request::get("shop", &target).header("x-by", template.number.to_string());
            let answer = client.exchange(&request)?;
            anyhow::ensure!(matches!(answer.status, 201 | 202), "{template:?} {target}: {}", answer.status);
            let (ours, theirs) = (answer.headers.contains("x-held"), answer.status == 201);
            held += usize::from(ours);
            if theirs && !ours && template.has_no_rest(&target) {
                without_rest += 1;
            } else if ours != theirs && is_plain(&target) {
                differ.push(format!("{} {target}: ours {ours}, Envoy's {theirs}", template.ours));
            }
        }
    }
    let compared = TEMPLATES * REQUESTS;
    println!("{compared} compared, {held} held, {without_rest} without a rest");
    assert!(without_rest > 0);
    assert!(held > compared / 5 && held < compared * 4 / 5, "{held} of {compared}");
    assert!(differ.is_empty(), "{} of {compared}:\n{}", differ.len(), differ.join("\n"));
    Ok(())
}

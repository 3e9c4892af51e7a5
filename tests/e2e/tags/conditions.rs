//! Conditions of attribute-gen are those of Envoy's CEL: where Envoy says that one is true, the
//! attribute has its value, and nowhere else.

use narrows_harness::bootstrap::{bootstrap, listener, route_config, wasm_filter};
use narrows_harness::envoy::{Envoy, EnvoyOptions};
use narrows_harness::http1::Connection;
use narrows_harness::message::Request;
use narrows_tests::{STRICT, module};
use serde_json::{Value, json};

/// As many attributes as a policy may have.
const CONDITIONS: usize = 32;

const WRITTEN: [&str; 20] = [
    "request.host == '*'",
    "request.host == 'shop.example:8080'",
    "request.host != 'shop.example' && request.host.endsWith('.example')",
    "request.path == '/a?b=/c'",
    "request.url_path == '/a'",
    "request.scheme == 'http'",
    "request.useragent.contains('curl')",
    "!request.useragent.contains('curl')",
    "request.referer != 'x'",
    "request.headers['X-Lane'] in ['gray', 'a,b']",
    "!(request.headers['x-lane'] in ['gray'])",
    "'x-lane' in request.headers",
    "!('x-lane' in request.headers)",
    "response.code in [503, 404]",
    "!(response.code == 200 || response.code > 500)",
    "response.grpc_status == 0",
    "response.grpc_status != 2 && response.grpc_status <= 14",
    "request.headers['x-lane'] == 'gray' || true",
    "request.headers['x-none'] == 'gray' && false || request.method == 'GET'",
    "request.headers[':path'].startsWith('/a?')",
];

#[test]
fn a_condition_holds_where_envoys_cel_says_true() -> anyhow::Result<()> {
    let mut seed = 7;
    let mut conditions: Vec<String> = WRITTEN.iter().map(|text| (*text).to_owned()).collect();
    let mut held = [0usize; 2];
    for _ in 0..3 {
        while conditions.len() < CONDITIONS {
            conditions.push(generated(&mut seed, 3));
        }
        compare(&conditions, &mut held)?;
        conditions.clear();
    }
    assert!(held.iter().all(|count| *count > 200), "{held:?} did not hold, and held");
    Ok(())
}

/// Sends every request to a proxy with these conditions.
fn compare(conditions: &[String], held: &mut [usize; 2]) -> anyhow::Result<()> {
    let attribute = |(index, condition): (usize, &String)| json!({ "output_attribute": format!("op{index}x"), "match": [{ "value": "yes", "condition": condition }] });
    let attributes: Vec<Value> = conditions.iter().enumerate().map(attribute).collect();
    let policy = json!({ "trust": "mesh", "attributes": attributes }).to_string();
    let answer = |prefix: &str, status: u16| json!({ "match": { "prefix": prefix }, "direct_response": { "status": status } });
    let routes = route_config(&[answer("/busy", 503), answer("/gone", 404), answer("/", 200)]);
    let filter = wasm_filter("narrows.metric-tags", &module("metric-tags"), &policy, STRICT, "FAIL_RELOAD");
    let mut config = bootstrap(&[listener("main", &[filter], &routes)], &[]);
    let manager =
        &mut config["static_resources"]["listeners"][0]["filter_chains"][0]["filters"][0]["typed_config"];
    let pair = |(index, condition): (usize, &String)| {
        format!(" {index}=%FILTER_STATE(wasm.op{index}x:PLAIN)%/%CEL({condition})%")
    };
    let pairs: String = conditions.iter().enumerate().map(pair).collect();
    manager["access_log"] = json!([{ "name": "stdout", "typed_config": {
        "@type": "type.googleapis.com/envoy.extensions.access_loggers.stream.v3.StdoutAccessLog",
        "log_format": { "text_format_source": { "inline_string": format!("compared %REQ(x-number)%{pairs} end\n") } } } }]);
    let envoy = Envoy::start(config, EnvoyOptions::named("conditions"))?;
    let mut client = Connection::connect(envoy.listener("main")?)?;
    let requests = requests();
    for (number, request) in requests.iter().enumerate() {
        client.exchange(&request.clone().header("x-number", number.to_string()))?;
    }
    envoy.wait_for_log(&format!("compared {} ", requests.len() - 1))?;
    let log = envoy.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("compared ")).collect();
    assert_eq!(lines.len(), requests.len());
    for line in lines {
        for (index, condition) in conditions.iter().enumerate() {
            let rest = line.split_once(&format!(" {index}=")).unwrap().1;
            let (own, cel) = rest.split(' ').next().unwrap().split_once('/').unwrap();
            let holds = cel == "true";
            assert_eq!(own == "yes", holds, "{condition}: {own}, Envoy {cel}: {line}");
            held[usize::from(holds)] += 1;
        }
    }
    Ok(())
}

fn requests() -> Vec<Request> {
    let mut requests = Vec::new();
    for path in ["/a", "/a?b=/c", "/ab/c", "/busy", "/gone", "/"] {
        for host in ["shop.example", "shop.example:8080", "a.shop.example"] {
            for method in ["GET", "PUT"] {
                for headers in [
                    &[][..],
                    &[("x-lane", "gray")],
                    &[("x-lane", "a"), ("x-lane", "b")],
                    &[("user-agent", "curl/8"), ("x-lane", "")],
                ] {
                    let mut request = Request::get(host, path);
                    request.method = method.into();
                    requests.push(
                        headers.iter().fold(request, |r, (name, value)| r.header(name, value.as_bytes())),
                    );
                }
            }
        }
    }
    requests
}

/// A condition of this depth.
fn generated(seed: &mut u64, depth: usize) -> String {
    let mut next = |below: u64| {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % below
    };
    let kind = next(5);
    if depth > 0 && kind < 3 {
        let mut part = || generated(seed, depth - 1);
        return match kind {
            0 => format!("({} && {})", part(), part()),
            1 => format!("({} || {})", part(), part()),
            _ => format!("!({})", part()),
        };
    }
    let texts = [
        "request.url_path",
        "request.path",
        "request.method",
        "request.host",
        "request.headers['x-lane']",
        "request.useragent",
    ];
    let text = texts[usize::try_from(next(6)).unwrap()];
    // A path begins with a slash, and a header's value has no blanks around it.
    let values = match text {
        "request.url_path" => ["/a", "/busy", "/ab/c"],
        "request.path" => ["/a?b=/c", "/a", "/gone"],
        "request.method" => ["GET", "PUT", "P"],
        "request.host" => ["shop.example", "shop.example:8080", "a."],
        _ => ["gray", "a,b", "curl/8"],
    };
    let value = values[usize::try_from(next(3)).unwrap()];
    match next(8) {
        0 => format!("{text} == '{value}'"),
        1 => format!("{text} != '{value}'"),
        2 => format!("{text}.startsWith('{value}')"),
        3 => format!("{text}.contains('{value}')"),
        4 => format!("{text} in ['{value}', '{}']", values[0]),
        // Envoy gives up a whole condition where it asks `matches()` of a value that is missing, although
        // by CEL's rules `&& false` would still be false.
        5 if values[0] != "gray" => format!("{text}.matches('^.{{1,9}}[a-z]+$')"),
        6 => format!(
            "response.code {} {}",
            ["==", "!=", "<", ">", "<=", ">="][usize::try_from(next(6)).unwrap()],
            [200, 404, 503][usize::try_from(next(3)).unwrap()]
        ),
        _ => format!(
            "response.grpc_status {} {}",
            ["==", "!=", "<"][usize::try_from(next(3)).unwrap()],
            [2, 12, 14][usize::try_from(next(3)).unwrap()]
        ),
    }
}

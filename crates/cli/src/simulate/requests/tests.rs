use std::io::Cursor;
use std::path::PathBuf;

use super::{Requests, Stopped, Tally};
use crate::simulate::Sent;

/// The requests of a text, whatever its format.
fn read(text: &str) -> Result<(Vec<Sent>, Tally), Stopped> {
    let requests =
        Requests::new(PathBuf::from("file"), Box::new(Cursor::new(text.to_owned())), None).unwrap();
    let mut sent = Vec::new();
    let tally = requests.each(&mut |one| {
        sent.push(one.clone());
        Ok(())
    })?;
    Ok((sent, tally))
}

fn titles(text: &str) -> Vec<String> {
    read(text).unwrap().0.iter().map(Sent::title).collect()
}

/// The value of a header in the only request.
fn header(text: &str, name: &str) -> Option<String> {
    let (sent, _) = read(text).unwrap();
    assert_eq!(sent.len(), 1, "{text}");
    let request = sent[0].request();
    let value = request.values(name.as_bytes()).next();
    value.map(|value| String::from_utf8_lossy(value).into_owned())
}

/// The fault, with its line and column.
fn fault(text: &str) -> String {
    match read(text) {
        Err(Stopped::Faulty(found)) => {
            let (source, finding) = *found;
            let (line, column) = source.position(finding.at.start);
            format!("{line}:{column}: {}", finding.message)
        }
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn repeats_count() {
    let text = "- target: /a/{n}\n  headers: ['X-User-Id: u{n}']\n  repeat: 2\n- target: '/{n}'\n";
    assert_eq!(
        titles(text),
        ["GET shop.example.com/a/1", "GET shop.example.com/a/2", "GET shop.example.com/{n}"]
    );
    let (sent, tally) = read(text).unwrap();
    assert_eq!(tally.requests, 3);
    assert_ne!(sent[0].nonce, sent[1].nonce);
    assert_eq!(sent[1].request().values(b"x-user-id").next(), Some(&b"u2"[..]));
}

#[test]
fn a_number_is_in_every_text_of_a_repeat() {
    let text = "- target: /\n  body: 'b{n}'\n  stripped: 's{n}'\n  serverName: 'sni{n}'\n  cluster: 'c{n}'\n  \
                virtualHost: 'v{n}'\n  direction: outbound\n  cameIn: [['x-a: in{n}']]\n  \
                source: { principal: 'spiffe://p{n}', namespace: 'ns{n}', workload: 'w{n}' }\n  \
                metadata: { 'f{n}': { sub: 'm{n}', more: [{ deep: 'd{n}' }, 1, true, null] } }\n  repeat: 2\n";
    let (sent, _) = read(text).unwrap();
    let second = format!("{:?}", sent[1]);
    for word in ["b2", "s2", "sni2", "c2", "v2", "in2", "spiffe://p2", "ns2", "w2", "m2", "d2", "f{n}"] {
        assert!(second.contains(&format!("{word}\"")), "{word}: {second}");
    }
}

#[test]
fn anchors_reach_where_the_list_is_read_whole() {
    let list = "- &a { authority: a, target: /1 }\n- { <<: *a, target: /2 }\n";
    let indented: String = list.lines().map(|line| format!(" {line}\n")).collect();
    assert_eq!(titles(&indented), ["GET a/1", "GET a/2"]);
    // What only looks like an anchor is a text.
    let texts = "- { authority: a, target: '/?q=[ &a' }\n- { authority: a, target: /&b }\n";
    let texts = texts.replace("[ &a", "1', headers: ['x: &a', \"x: , &c d\"], body: '");
    assert_eq!(titles(&texts), ["GET a/?q=1", "GET a/&b"]);
    let own = "- { authority: &a a, body: *a }\n- { authority: a }\n- { authority: &b a }\n";
    assert_eq!(titles(own), ["GET a/", "GET a/", "GET a/"]);
}

#[test]
fn a_recording_has_requests_of_other_schemes() {
    let entry = |url: &str| format!("{{\"request\":{{\"method\":\"GET\",\"url\":\"{url}\"}}}}");
    let urls = [
        "https://a/1",
        "wss://a/2",
        "data:image/png;base64,AA==",
        "ws://a/3",
        "chrome-extension://x/y.js",
        "blob:https://a/4",
        "about:blank",
        "HTTP://a/5",
    ];
    let text = format!("{{\"log\":{{\"entries\":[{}]}}}}", urls.map(entry).join(","));
    assert_eq!(titles(&text), ["GET a/1", "GET a/2", "GET a/3", "GET a/5"]);
    let (sent, tally) = read(&text).unwrap();
    assert_eq!((tally.requests, tally.foreign, tally.skipped), (4, 4, 0));
    for (i, scheme) in [(1, "https"), (2, "http")] {
        let request = sent[i].request();
        assert_eq!(request.values(b"x-forwarded-proto").next(), Some(scheme.as_bytes()));
    }
}

#[test]
fn what_envoy_holds_once_is_joined() {
    let text = "- headers: ['X-A: 1', 'User-Agent: a', 'x-a: 2', 'user-agent: b', 'x-b: \\xff\\\\']\n";
    let (sent, _) = read(text).unwrap();
    let lines: Vec<String> = sent[0]
        .headers
        .iter()
        .skip(4)
        .map(|(n, v)| format!("{}: {}", n.escape_ascii(), v.escape_ascii()))
        .collect();
    assert_eq!(lines, ["x-a: 1", "user-agent: a,b", "x-a: 2", "x-b: \\xff\\\\", "x-forwarded-proto: http"]);
}

#[test]
fn a_list_is_read_piece_by_piece_or_whole() {
    let expected = ["GET a/1", "POST b/2"];
    for text in [
        "- authority: a\n  target: /1\n- { method: POST, authority: b, target: /2 }\n",
        "# requests\n\n-\n  authority: a\n  target: /1\n# more\n- method: POST\n  authority: b\n  target: /2",
        "[{authority: a, target: /1}, {method: POST, authority: b, target: /2}]",
        "[\n  {\"authority\": \"a\", \"target\": \"/1\"},\n  {\"method\": \"POST\", \"authority\": \"b\", \"target\": \"/2\"}\n]\n",
        "---\n- { authority: a, target: /1 }\n---\n# no more of that\n---\n- { method: POST, authority: b, target: /2 }\n",
        "  - { authority: a, target: /1 }\n  - { method: POST, authority: b, target: /2 }\n",
        "about: x\npolicy: {}\ncases:\n- { name: a, send: { authority: a, target: /1 }, expect: {} }\n\
         - { name: b, send: { method: POST, authority: b, target: /2 }, expect: {} }\n",
        "\u{feff}{\"authority\": \"a\", \"target\": \"/1\"}\n{\"method\": \"POST\", \"authority\": \"b\", \"target\": \"/2\"}\n",
        "\u{feff}# from a tool of Windows\r\n{\"authority\": \"a\", \"target\": \"/1\"}\r\n{\"method\": \"POST\", \"authority\": \"b\", \"target\": \"/2\"}\r\n",
        "\u{feff}- { authority: a, target: /1 }\n- { method: POST, authority: b, target: /2 }\n",
        "{\"authority\": \"a\", \"target\": \"/1\"}\n\n{\"method\": \"POST\", \"authority\": \"b\", \"target\": \"/2\"}\n",
        "# of a browser\ncurl 'http://a/1'\ncurl -sS -X POST \\\n  http://b/2\n",
        "{\"log\": {\"version\": \"1.2\", \"entries\": [{\"request\": {\"method\": \"GET\", \"url\": \"http://a/1#x\"}, \
         \"response\": {\"content\": {\"text\": \"{\"}}}, {\"request\": {\"method\": \"POST\", \"url\": \"http://b/2\"}}]}}",
        "{\n  \"log\": {\n    \"entries\": [{\"request\": {\"method\": \"GET\", \"url\": \"http://a/1\"}},\n\
         {\"request\": {\"method\": \"POST\", \"url\": \"http://b/2\"}}]}}",
        "{\"authority\":\"a\",\"method\":\"GET\",\"path\":\"/1\",\"response_code\":200}\n\
         {\"authority\":\"b\",\"method\":\"POST\",\"path\":\"/2\",\"response_code\":200}\n",
        "[2026-11-29T04:30:00.123Z] \"GET /1 HTTP/1.1\" 200 - 0 5 1 1 \"-\" \"curl/8\" \"id\" \"a\" \"10.0.0.1:80\"\n\
         [2026-11-29T04:30:00.123Z] \"POST /2 HTTP/2\" 200 - 0 5 1 1 \"-\" \"curl/8\" \"id\" \"b\" \"10.0.0.1:80\"\n",
    ] {
        assert_eq!(titles(text), expected, "{text}");
    }
}

#[test]
fn faults_have_their_place() {
    for (text, expected) in [
        ("- target: /\n- target: /\n  headers: x\n", "3:3: expected a list of lines"),
        ("- target: /\n-\n  cookie: a=b\n", "3:3: unknown field \"cookie\""),
        ("---\n- target: /\n---\n\n- targte: /\n", "5:3: unknown field \"targte\""),
        ("{\"target\": \"/\"}\n{\"target\": 1}\n", "2:"),
        ("{\"target\": \"/\"}\nnonsense\n", "2:"),
        ("curl http://a/\n\ncurl --wieght 1 http://a/\n", "3:1: the option \"--wieght\""),
        ("curl http://a/ \\\n", "1:1: this command goes on"),
        ("curl 'http://a/\n", "1:1: a quote is not closed"),
        ("target: /\n", "1:"),
        ("- a: &x b\n", "1:3: unknown field"),
        ("- &x { target: / }\n- *x\n", "1:3: the anchor &x does not reach the other requests"),
        (
            "# é\n- target: &x /a\n  authority: b\n- target: *x\n",
            "2:11: the anchor &x does not reach the other requests",
        ),
        (
            "- { target: &x /a, authority: *x }\n- target: *x\n",
            "2:11: no anchor stands before this alias in the request, and those of other requests",
        ),
        ("curl -d @file http://a/\n", "1:1: the file \"file\" is not read here"),
        ("curl --data-urlencode a@file http://a/\n", "1:1: the file \"file\" is not read here"),
        ("curl -b file http://a/\n", "1:1: the file of cookies \"file\" is not read here"),
        ("curl -H nothing http://a/\n", "1:1: \"nothing\" is not a header line"),
        ("curl -H 'x; y' http://a/\n", "1:1: \"x; y\" is not a header line"),
        ("curl -I -d a http://a/\n", "1:1: -I asks for a HEAD and data are a POST"),
        ("curl -F a=b http://a/\n", "1:1: the option \"-F\" is not read here"),
        (
            "{\"log\":{\"entries\":[{\"request\":{\"method\":\"GE T\",\"url\":\"http://a/\"}}]}}",
            "1:1: entry 1: \"GE T\" is no method",
        ),
    ] {
        let found = fault(text);
        assert!(found.starts_with(expected), "{text}: {found}");
    }
}

#[test]
fn lines_that_are_no_requests_are_counted() {
    let log = "[2026-11-29T04:30:00.123Z] \"GET /1 HTTP/1.1\" 200 - 0 5 1 1 \"-\" \"curl/8\" \"id\" \"a\" \"10.0.0.1:80\"\n\
               2026-11-29T04:30:00.123Z info xdsproxy connected\n\
               [2026-11-29T04:30:00.123Z] \"- - -\" 0 - 0 5 1 - \"-\" \"-\" \"-\" \"-\" \"10.0.0.1:80\"\n\
               [2026-11-29T04:30:00.123Z] \"GET /1 HTTP/1.1\" 200 - 0 5 1 1 \"-\" \"x\" \"id\" \"evil\" \"y\" \"id\" \"a\" \"10.0.0.1:80\"\n\
               [2026-11-29T04:30:00.123Z] \"GET /1 HTTP/1.1\" 200 - 0 5 1 1 \"-\" \"x\" \"y\" \"id\" \"a\" \"10.0.0.1:80\"\n";
    let (sent, tally) = read(log).unwrap();
    assert_eq!(sent.len(), 1, "a forged user agent is not believed");
    assert_eq!(
        tally,
        Tally { requests: 1, skipped: 4, first_skipped: 2, of_a_log: true, ..Tally::default() }
    );
}

#[test]
fn logs_keep_what_they_have() {
    let text = "[2026-11-29T04:30:00.123Z] \"GET /1 HTTP/2\" 200 - via_upstream - \"-\" 0 5 1 1 \"10.9.9.9\" \"a\\b\" \
                \"id\" \"a\" \"10.0.0.1:80\" outbound|80||a 10.0.0.2:1 10.0.0.3:80 10.0.0.4:5 sni.example default\n";
    assert_eq!(header(text, "user-agent").as_deref(), Some("a\\b"));
    assert_eq!(header(text, "x-forwarded-for").as_deref(), Some("10.9.9.9"));
    let (sent, _) = read(text).unwrap();
    assert_eq!(sent[0].request().source().address, Some(&b"10.0.0.4:5"[..]));
    let json = "{\"authority\":\"a\",\"method\":\"GET\",\"path\":\"/1\",\"response_code\":200,\"x_user_id\":\"u1\",\
                \"user_agent\":\"c\",\"x_envoy_upstream_service_time\":\"5\",\"request_id\":\"r\"}";
    assert_eq!(header(json, "x-user-id").as_deref(), Some("u1"));
    assert_eq!(header(json, "user-agent").as_deref(), Some("c"));
    assert_eq!(header(json, "x-request-id").as_deref(), Some("r"));
    assert_eq!(header(json, "x-envoy-upstream-service-time"), None);
}

#[test]
fn curl_says_what_is_sent() {
    let text = "curl -Hx-a:1 -H 'Host: b.example' -b 'beta=1' -A me --json '{}' 'https://a.example/p?q=1' -o /dev/null";
    assert_eq!(titles(text), ["POST b.example/p?q=1"]);
    for (name, value) in [
        ("x-a", "1"),
        ("cookie", "beta=1"),
        ("user-agent", "me"),
        ("content-type", "application/json"),
        ("x-forwarded-proto", "https"),
    ] {
        assert_eq!(header(text, name).as_deref(), Some(value), "{name}");
    }
    assert_eq!(titles("curl -G -d a=1 -d b=2 http://a/?c"), ["GET a/?c&a=1&b=2"]);
    assert_eq!(titles("curl -I http://a"), ["HEAD a/"]);
}

/// Each as curl 7.88 sends it.
#[test]
fn curl_is_read_as_curl_sends() {
    for (options, method, lines) in [
        ("-d ''", "POST", &["content-type: application/x-www-form-urlencoded"][..]),
        ("-d a=b", "POST", &["content-type: application/x-www-form-urlencoded"]),
        ("-X PUT -d a=b", "PUT", &["content-type: application/x-www-form-urlencoded"]),
        ("-d a -H 'Content-Type: x/y'", "POST", &["content-type: x/y"]),
        ("-d a -H 'content-type:'", "POST", &[]),
        ("-d a -H 'content-type;'", "POST", &["content-type: "]),
        ("-G -d a", "GET", &[]),
        ("-G -d ''", "GET", &[]),
        ("-G -I -d a", "HEAD", &[]),
        ("-H 'x-debug:'", "GET", &[]),
        ("-H 'x-debug:  '", "GET", &[]),
        ("-H 'x-debug;'", "GET", &["x-debug: "]),
        ("-H 'x-debug: 1' -H 'x-debug:'", "GET", &["x-debug: 1"]),
        ("--json {}", "POST", &["content-type: application/json", "accept: application/json"]),
        ("--json {} -H accept:", "POST", &["content-type: application/json"]),
        ("--json {} -H 'accept: a/b'", "POST", &["content-type: application/json", "accept: a/b"]),
        ("-A me -A you", "GET", &["user-agent: you"]),
        ("-A ''", "GET", &[]),
        ("-A me -H user-agent:", "GET", &[]),
        ("-b a=1 -b b=2", "GET", &["cookie: a=1;b=2"]),
        ("-b a=1 -H 'cookie: c=3'", "GET", &["cookie: c=3"]),
        ("-e 'http://x/;auto'", "GET", &["referer: http://x/"]),
    ] {
        let (sent, _) = read(&format!("curl {options} http://a/x")).unwrap();
        let request = sent[0].request();
        assert_eq!(request.method(), method.as_bytes(), "{options}");
        let told: Vec<String> = ["user-agent", "referer", "cookie", "content-type", "accept", "x-debug"]
            .iter()
            .flat_map(|name| request.values(name.as_bytes()).map(move |value| (name, value)))
            .map(|(name, value)| format!("{name}: {}", value.escape_ascii()))
            .collect();
        assert_eq!(told, lines, "{options}");
    }
    for (options, length) in [
        ("-d a=1", &["3"][..]),
        ("-d ''", &["0"]),
        ("-X GET -d a=1", &["3"]),
        ("--json {} -d é", &["5"]),
        ("-G -d a=1", &[]),
        ("-X POST", &[]),
        ("-d a=1 -H content-length:", &[]),
        ("-d a=1 -H 'Content-Length: 7'", &["7"]),
        ("-d a=1 -H 'Transfer-Encoding: chunked'", &[]),
    ] {
        let (sent, _) = read(&format!("curl {options} http://a/x")).unwrap();
        let told: Vec<_> = sent[0].request().values(b"content-length").map(String::from_utf8_lossy).collect();
        assert_eq!(told, length, "{options}");
    }
    for (options, body) in [
        ("-d a -d ''", "a&"),
        ("--json {} --json []", "{}[]"),
        ("--json {} -d x", "{}&x"),
        ("-d x --json {}", "x{}"),
        ("--data-urlencode 'a=b c&d'", "a=b+c%26d"),
        ("--data-urlencode 'a b'", "a+b"),
        ("--data-urlencode '=a b'", "a+b"),
        ("--data-raw @f", "@f"),
    ] {
        let (sent, _) = read(&format!("curl {options} http://a/x")).unwrap();
        assert!(format!("{:?}", sent[0]).contains(&format!("body: {body:?}")), "{options}: {:?}", sent[0]);
    }
    assert_eq!(titles("curl -H 'Host: b' -H 'host: c' http://a"), ["GET b/"]);
    assert_eq!(titles("curl -G -d 'q=a%20b' 'http://a/?c#d'"), ["GET a/?c&q=a%20b"]);
}

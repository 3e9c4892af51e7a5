use super::Send;

fn read(text: &str) -> Result<Send, String> {
    let send = crate::fault::yaml::<Send>(text).map_err(|fault| fault.to_string())?;
    send.check()?;
    Ok(send)
}

#[test]
fn headers_are_lines_or_a_table() {
    let lines = |text| read(text).unwrap().headers;
    assert_eq!(lines("headers: ['x-a: 1', 'X-B:2']"), ["x-a: 1", "X-B:2"]);
    assert_eq!(lines("headers: { x-a: '1', x-b: ['2', '3'] }"), ["x-a: 1", "x-b: 2", "x-b: 3"]);
}

#[test]
fn targets_and_addresses_are_those_of_envoy() {
    for text in [
        "target: /",
        "target: 'http://a'",
        "target: 'https://a/b?c'",
        "{ method: OPTIONS, target: '*' }",
        "{ method: CONNECT, target: 'a:443' }",
        "source: { address: 10.0.0.7 }",
        "source: { address: '10.0.0.7:0' }",
        "source: { address: '[fd00::1]:4711' }",
        "source: { address: 'fd00::1' }",
        "source: { address: 'envoy://internal_client_address/' }",
        "source: { address: '@/var/run/a.sock' }",
    ] {
        assert_eq!(read(text).err(), None, "{text}");
    }
}

#[test]
fn a_line_host_is_the_authority() {
    let sent = read("headers: ['Host: shop.example:80', 'x-a: 1']").unwrap();
    assert_eq!((&*sent.authority, sent.headers), ("shop.example:80", vec!["x-a: 1".to_owned()]));
    assert_eq!(read("headers: { host: a }").unwrap().authority, "a");
    assert_eq!(read("target: /").unwrap().authority, super::AUTHORITY);
}

#[test]
fn what_is_not_understood_is_refused_with_its_place() {
    for (text, fault) in [
        ("headers: 'x-g: beta'", "a list of lines"),
        ("headers: ['x-g']", "is not a header line"),
        ("headers: [{x-g: beta}]", "expected"),
        ("headers: { 'x-g:x': beta }", "is not a header"),
        ("headers: { x-g: [[a]] }", "1:"),
        ("authority: a\nheaders: ['host: b']", "said twice"),
        ("headers: ['host: a', 'host: b']", "said twice"),
        ("source: { principal: [spiffe://a/b] }", "expected"),
        ("source: { verified: 'yes' }", "true or false"),
        ("source: { pricipal: a }", "unknown field \"pricipal\""),
        ("source: 10.0.0.1", "expected"),
        ("target: 8080", "1:"),
        ("target: [/]", "expected"),
        ("serverName: { a: b }", "expected"),
        ("wieght: 1", "unknown field \"wieght\""),
        ("method: 'G ET'", "is no method"),
        ("method: ''", "is no method"),
        ("scheme: ftp", "is no scheme"),
        ("target: '/a b'", "percent-encode"),
        ("target: ''", "\"\" is no target: it begins with \"/\""),
        ("target: 'api/v1'", "\"api/v1\" is no target"),
        ("target: 'ftp://a/'", "\"ftp://a/\" is no target"),
        ("target: '?a=b'", "is no target"),
        ("target: '*'", "is no target"),
        ("{ method: OPTIONS, target: 'a' }", "is no target"),
        ("source: { address: '999.1.1.1' }", "\"999.1.1.1\" is no address"),
        ("source: { address: '10.0.0.7:65536' }", "is no address"),
        ("source: { address: '10.0.0.7:' }", "is no address"),
        ("source: { address: '10.0.0.0/8' }", "is no address"),
        ("source: { address: 'fd00::1:4711:70000' }", "is no address"),
        ("source: { address: '' }", "is no address"),
        ("authority: \"a\\tb\"", "percent-encode"),
        ("headers: ['x y: 1']", "is not a header line"),
        ("headers: ['x-y: \\x00']", "no NUL"),
        ("repeat: 0", "is 1 to"),
        ("repeat: -1", "1:"),
    ] {
        let refused = read(text).expect_err(text);
        assert!(refused.contains(fault), "{text}: {refused}");
    }
}

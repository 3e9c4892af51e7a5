//! What a registry asks for when it does not know who asks: the header `www-authenticate`.

/// How a registry wants to be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// With a name and a password.
    Basic,
    /// With a token of this server.
    Token { realm: String, service: Option<String>, scope: Option<String> },
}

impl Challenge {
    /// Reads one header; none for a way that nobody here knows.
    pub(super) fn read(text: &str) -> Option<Self> {
        let (scheme, rest) = text.trim().split_once(' ').unwrap_or((text.trim(), ""));
        if scheme.eq_ignore_ascii_case("basic") {
            return Some(Self::Basic);
        }
        if !scheme.eq_ignore_ascii_case("bearer") {
            return None;
        }
        let values = parameters(rest);
        let value = |name: &str| {
            values.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.clone())
        };
        Some(Self::Token { realm: value("realm")?, service: value("service"), scope: value("scope") })
    }
}

/// `name="value"` or `name=value`, with commas between them.
fn parameters(text: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some((name, after)) = rest.split_once('=') {
        let name = name.trim_matches([' ', ',', '\t']).to_owned();
        let mut value = String::new();
        if let Some(quoted) = after.strip_prefix('"') {
            let mut chars = quoted.char_indices();
            let mut end = quoted.len();
            while let Some((at, c)) = chars.next() {
                match c {
                    '"' => {
                        end = at + 1;
                        break;
                    }
                    '\\' => value.extend(chars.next().map(|(_, c)| c)),
                    c => value.push(c),
                }
            }
            rest = quoted.get(end..).unwrap_or_default();
        } else {
            let (word, after) = after.split_once(',').unwrap_or((after, ""));
            word.trim().clone_into(&mut value);
            rest = after;
        }
        found.push((name, value));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::Challenge;

    #[test]
    fn ways_to_ask() {
        let token = |realm: &str, service: Option<&str>, scope: Option<&str>| {
            Some(Challenge::Token {
                realm: realm.to_owned(),
                service: service.map(str::to_owned),
                scope: scope.map(str::to_owned),
            })
        };
        for (text, expected) in [
            ("Basic realm=\"r\"", Some(Challenge::Basic)),
            ("basic", Some(Challenge::Basic)),
            (
                r#"Bearer realm="https://a.example/token",service="r",scope="repository:a/b:pull,push""#,
                token("https://a.example/token", Some("r"), Some("repository:a/b:pull,push")),
            ),
            (r#"bearer service=r, realm="https://a/\"x\"""#, token("https://a/\"x\"", Some("r"), None)),
            (r#"Bearer realm="https://a"#, token("https://a", None, None)),
            ("Bearer service=\"r\"", None),
            ("Digest realm=\"r\"", None),
            ("", None),
        ] {
            assert_eq!(Challenge::read(text), expected, "{text}");
        }
    }
}

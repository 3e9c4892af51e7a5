//! Where an image is pushed to: `registry/repository:tag`.

use crate::error::CliError;

/// A repository of a registry, and a tag of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    registry: String,
    repository: String,
    tag: String,
}

/// As the distribution specification has it.
const REPOSITORY: usize = 255;
/// The same for a tag.
const TAG: usize = 128;
/// The name that people write, and the one that answers.
const DOCKER_HUB: (&str, &str) = ("docker.io", "registry-1.docker.io");

impl Place {
    /// Reads `registry/repository:tag`, with `oci://` before it or not.
    pub fn read(text: &str) -> Result<Self, CliError> {
        let refuse = |what: &str| {
            let help = "write it as registry.example.com/narrows/canary-split:0.1.0";
            CliError::new(format!("{text:?} {what}"), help)
        };
        let rest = text.strip_prefix("oci://").unwrap_or(text);
        if rest.contains("://") {
            return Err(refuse("is no image of a registry"));
        }
        if rest.contains('@') {
            return Err(refuse("has a digest, which follows from what is pushed"));
        }
        let (registry, rest) = rest.split_once('/').ok_or_else(|| refuse("has no repository"))?;
        let (repository, tag) = rest.rsplit_once(':').ok_or_else(|| refuse("has no tag"))?;
        if !is_host(registry) {
            return Err(refuse("does not begin with a registry"));
        }
        if !is_repository(repository) {
            return Err(refuse("has a repository that no registry takes: lower case, digits, . _ - and /"));
        }
        if !is_tag(tag) {
            return Err(refuse("has a tag that no registry takes: letters, digits, . _ and -"));
        }
        Ok(Self {
            registry: registry.to_ascii_lowercase(),
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        })
    }

    /// The registry, as it was written.
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// The repository.
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// The tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }

    /// The image without its tag.
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// Where the registry answers.
    pub(super) fn origin(&self, is_plain: bool) -> String {
        let scheme = if is_plain { "http" } else { "https" };
        let (written, answers) = DOCKER_HUB;
        let host = if self.registry == written { answers } else { &self.registry };
        format!("{scheme}://{host}")
    }
}

/// A name of a host, perhaps with a port. One word alone is a repository of Docker Hub, which must be named.
fn is_host(text: &str) -> bool {
    let host = text.rsplit_once(':').map_or(text, |(host, _)| host);
    let is_port = |port: &str| port.parse::<u16>().is_ok();
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let is_v6 = |host: &str| {
        let inside = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        inside.is_some_and(|inside| inside.parse::<std::net::Ipv6Addr>().is_ok())
    };
    let is_name = !host.is_empty() && host.chars().all(part);
    let has_good_port = text
        .strip_prefix(host)
        .is_some_and(|rest| rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port));
    (is_name || is_v6(host)) && has_good_port && (text.contains(['.', ':']) || text == "localhost")
}

fn is_repository(text: &str) -> bool {
    let is_part = |part: &str| {
        let edge = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        let inside = |c: char| edge(c) || matches!(c, '.' | '_' | '-');
        part.starts_with(edge) && part.ends_with(edge) && part.chars().all(inside) && !part.contains("..")
    };
    text.len() <= REPOSITORY && text.split('/').all(is_part)
}

fn is_tag(text: &str) -> bool {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    (1..=TAG).contains(&text.len()) && text.chars().all(inside) && !text.starts_with(['.', '-'])
}

#[cfg(test)]
mod tests {
    use super::Place;

    #[test]
    fn a_place_has_a_registry_a_repository_and_a_tag() {
        for (text, registry, repository, tag) in [
            ("r.example/narrows/canary-split:0.1.0", "r.example", "narrows/canary-split", "0.1.0"),
            ("oci://R.example:5000/a:b", "r.example:5000", "a", "b"),
            ("localhost/a/b_c.d:V_1", "localhost", "a/b_c.d", "V_1"),
            ("[::1]:5000/a:1", "[::1]:5000", "a", "1"),
        ] {
            let place = Place::read(text).unwrap();
            assert_eq!((place.registry(), place.repository(), place.tag()), (registry, repository, tag));
        }
    }

    #[test]
    fn what_no_registry_takes_is_refused() {
        for (text, fault) in [
            ("https://r.example/a:1", "no image"),
            ("r.example/a@sha256:00", "a digest"),
            ("canary-split:1", "no repository"),
            ("r.example/a", "no tag"),
            ("r.example/a:", "a tag that"),
            ("r.example/a:-x", "a tag that"),
            ("r.example/A:1", "a repository that"),
            ("r.example/a//b:1", "a repository that"),
            ("r.example/a/../b:1", "a repository that"),
            ("r.example/a b:1", "a repository that"),
            ("user:password@r.example/a:1", "a digest"),
            ("narrows/canary-split:1", "begin with a registry"),
            ("r.example:port/a:1", "begin with a registry"),
            ("r.example\r\nx:1/a:1", "begin with a registry"),
        ] {
            let refused = Place::read(text).unwrap_err().to_string();
            assert!(refused.contains(fault), "{text}: {refused}");
        }
    }

    #[test]
    fn docker_hub_answers_under_another_name() {
        let place = Place::read("docker.io/me/a:1").unwrap();
        assert_eq!(place.origin(false), "https://registry-1.docker.io");
        assert_eq!(Place::read("r.example:1/a:1").unwrap().origin(true), "http://r.example:1");
    }
}

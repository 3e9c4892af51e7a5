//! `anonymousId` of a split: the cookie that it gives, as a policy writes it.

use crate::filter::split::anonymous::AnonymousId;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::names;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::matching::parse::{self, Budget};

/// `anonymousId` of a split.
pub(super) const ANONYMOUS_ID: Field = field!(
    "anonymousId",
    Table(&OBJECT),
    Optional,
    "Gives a browser that has no key a random id of its own, which is its key: only at a gateway."
);

static OBJECT: Object = object!(
    "anonymousId",
    Where(
        r#"{"allOf": [
            {"anyOf": [{"required": ["cookie"], "properties": {"cookie": {"not": {"pattern": "^__[Hh][Oo][Ss][Tt]-"}}}},
                       {"properties": {"secure": {"const": true}, "path": {"const": "/"}}, "not": {"required": ["domain"]}}]},
            {"anyOf": [{"properties": {"secure": {"const": true}}},
                       {"properties": {"cookie": {"not": {"pattern": "^__[Ss][Ee][Cc][Uu][Rr][Ee]-"}},
                                       "sameSite": {"not": {"const": "None"}}, "partitioned": {"const": false}}}]}]}"#
    ),
    "The id of a browser that has no key, in a cookie that only this filter reads.",
    [],
    [
        field!("cookie", Pattern(TOKEN, 256), Says(COOKIE), "The name of the cookie."),
        field!(
            "maxAge",
            Either(&[Words(|| vec![SESSION]), Duration(*MAX_AGE.start(), *MAX_AGE.end())]),
            Says(SESSION),
            "How long a browser keeps it: a duration of at most `400d`, or until it is closed (`session`)."
        ),
        field!(
            "secure",
            Flag,
            Holds(true),
            "Whether browsers send it by https alone, and keep it only then."
        ),
        field!("sameSite", Words(|| words(&SAME_SITE)), Says("Lax"), "Which other sites' requests carry it."),
        field!(
            "domain",
            Pattern(DOMAIN, 253),
            Optional,
            "The domain whose hosts all get it; without it, only the host itself."
        ),
        field!("path", Pattern(PATH, 1024), Says("/"), "The path below which browsers send it."),
        field!(
            "partitioned",
            Flag,
            Holds(false),
            "Whether a browser keeps another one for each site that shows this one in a frame."
        ),
        field!(
            "cacheable",
            Words(|| words(&CACHEABLE)),
            Says("skip"),
            "What becomes of a response that a cache may keep: it goes without the cookie (`skip`), or is made `private`."
        ),
        field!(
            "when",
            Table(&parse::MATCH),
            Optional,
            "The visits that may get one, such as those with consent."
        ),
    ],
);

/// No host beside this one can plant it.
const COOKIE: &str = "__Host-nrw-id";
const SESSION: &str = "session";
/// In milliseconds. Browsers keep no cookie for longer.
const MAX_AGE: std::ops::RangeInclusive<u64> = 1_000..=400 * 86_400_000;
const SAME_SITE: [(&str, &str); 3] = [("Lax", "Lax"), ("Strict", "Strict"), ("None", "None")];
const CACHEABLE: [(&str, bool); 2] = [("skip", false), ("private", true)];
#[cfg(any(test, feature = "describe"))]
const DOMAIN: &str = r"^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$";
#[cfg(any(test, feature = "describe"))]
const PATH: &str = r"^/[!-:<-~]*$";

/// The bytes that it takes besides its matches, its series included.
pub(super) const WEIGHT: usize = 1_024;

/// Reads `anonymousId`.
#[inline(never)]
pub(super) fn read(tree: &PolicyValue, budget: &Budget) -> Result<AnonymousId, Invalid> {
    let fields = Fields::open(tree, &OBJECT)?;
    let cookie =
        fields.optional("cookie", |t| names::cookie(read::text(t)?))?.unwrap_or_else(|| COOKIE.into());
    let max_age = fields.optional("maxAge", max_age)?.flatten();
    let is_secure = fields.optional("secure", read::flag)?.unwrap_or(true);
    let same_site = fields.optional("sameSite", |t| read::word(t, &SAME_SITE))?.unwrap_or("Lax");
    let domain = fields.optional("domain", domain)?;
    let path = fields.optional("path", path)?;
    let partitioned = fields.optional("partitioned", read::flag)?.unwrap_or(false);
    let makes_private = fields.optional("cacheable", |t| read::word(t, &CACHEABLE))?.unwrap_or(false);
    let when = fields.optional("when", |t| parse::read_match(t, budget))?;

    let path = path.unwrap_or("/");
    let begins = |start: &str| cookie.get(..start.len()).is_some_and(|name| name.eq_ignore_ascii_case(start));
    if begins("__Host-") {
        if domain.is_some() {
            return Err(refused("domain", &cookie, "belongs to one host alone", "write another \"cookie\""));
        }
        if path != "/" {
            return Err(refused(
                "path",
                &cookie,
                "holds for all paths",
                "write \"/\", or another \"cookie\"",
            ));
        }
    }
    if !is_secure {
        let wants = if begins("__Host-") || begins("__Secure-") {
            Some(format!("a cookie named {cookie:?}"))
        } else if same_site == "None" {
            Some("\"sameSite\": \"None\"".to_owned())
        } else {
            partitioned.then(|| "\"partitioned\"".to_owned())
        };
        if let Some(what) = wants {
            let message = format!("browsers take {what} by https alone");
            let help = "leave \"secure\" out";
            return Err(Invalid::new(Code::Conflict, message, help).in_field("secure"));
        }
    }

    let mut attributes = format!("; Path={path}");
    if let Some(domain) = domain {
        attributes.push_str("; Domain=");
        attributes.push_str(domain);
    }
    if let Some(seconds) = max_age {
        attributes.push_str("; Max-Age=");
        attributes.push_str(&seconds.to_string());
    }
    if is_secure {
        attributes.push_str("; Secure");
    }
    attributes.push_str("; HttpOnly; SameSite=");
    attributes.push_str(same_site);
    if partitioned {
        attributes.push_str("; Partitioned");
    }
    Ok(AnonymousId { cookie, attributes: attributes.into(), is_secure, makes_private, when, series: 0 })
}

fn refused(field: &str, cookie: &str, why: &str, help: &str) -> Invalid {
    let message = format!("a cookie named {cookie:?} {why}");
    Invalid::new(Code::Conflict, message, help).in_field(field)
}

/// Seconds; none for a session.
fn max_age(tree: &PolicyValue) -> Result<Option<u64>, Invalid> {
    if read::text(tree)? == SESSION {
        return Ok(None);
    }
    let millis = read::millis(tree, MAX_AGE)?;
    Ok(Some(millis.checked_div(1_000).unwrap_or_default()))
}

fn domain(tree: &PolicyValue) -> Result<&str, Invalid> {
    let written = read::text(tree)?;
    let is_label = |label: &str| {
        !label.is_empty() && label.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if written.len() <= 253 && written.split('.').all(is_label) {
        return Ok(written);
    }
    Err(Invalid::new(Code::BadValue, format!("{written:?} is not a domain"), "write \"example.com\""))
}

fn path(tree: &PolicyValue) -> Result<&str, Invalid> {
    let written = read::text(tree)?;
    let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b';';
    if written.starts_with('/') && written.len() <= 1024 && written.bytes().all(is_plain) {
        return Ok(written);
    }
    Err(Invalid::new(Code::BadValue, format!("{written:?} is not the path of a cookie"), "write \"/shop\""))
}

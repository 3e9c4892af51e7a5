//! From what the operator wrote to a [`Router`].

use super::of_rule::OfRule;
use super::redirect::{REDIRECT, Redirect};
use super::respond::{RESPOND, Respond};
use super::rewrite::{REWRITE, Rewrite};
use super::{Action, MISSING_HOST, Router, Rule, RuleMatch};
use crate::action::destination::{self, DESTINATION, Destination, ROUTE_HEADER_FIELD, TO_VALUES};
use crate::action::edit::{HeaderEdits, REQUEST_HEADERS, RESPONSE_HEADERS};
use crate::action::sanitize::{LISTED, Sanitizer};
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::{self, Callers, Mode};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::budget;
use crate::matching::index::{self, Index};
use crate::matching::matches::Match;
use crate::matching::parse::{self, Budget};
use crate::policy::common::Common;
use crate::policy::head::{HEAD, Head, PART_HEAD};
use crate::policy::needs::Needs;
use crate::policy::series::{BuiltinTag, Kind, Label, LabelEncoding, Series};
use crate::policy::state;
use crate::policy::written::Written;

pub(super) static POLICY: Object = object!(
    "policy",
    Any,
    "A policy of header-router: rules, of which the first that matches acts.",
    [&HEAD],
    FIELDS
);

pub(super) static PART: Object = object!(
    "header-router",
    Any,
    "A policy of header-router: rules, of which the first that matches acts.",
    [&PART_HEAD],
    FIELDS
);

const FIELDS: [Field; 3] = [
    ROUTE_HEADER_FIELD,
    LISTED,
    field!(
        "rules",
        List(&Table(&RULE), 0, limits::RULES),
        Optional,
        "The rules, in order: the first that matches a request acts."
    ),
];

static RULE: Object = object!(
    "rule",
    Any,
    "A rule: which requests, and what happens to them.",
    [],
    [
        field!(
            "name",
            NAME,
            Required,
            "Its name in metrics, filter state and explanations; no other rule may have it."
        ),
        modes::MODE,
        field!(
            "matches",
            List(&Table(&parse::MATCH), 0, limits::MATCHES),
            Optional,
            "Matches of which one must hold; without any, every request matches."
        ),
        field!("route", Table(&ROUTE), Optional, "Where the request is sent; without it, it stays."),
        field!("rewrite", Table(&REWRITE), Optional, "What its path or authority becomes."),
        REQUEST_HEADERS,
        RESPONSE_HEADERS,
        field!("respond", Table(&RESPOND), Optional, "An answer in place of the upstream's."),
        field!("redirect", Table(&REDIRECT), Optional, "An answer that sends the client elsewhere."),
    ],
);

static ROUTE: Object = object!(
    "route",
    Where(r#"{"anyOf": [{"required": ["to"]}, {"required": ["authority"]}]}"#),
    "Where a request is sent: exactly one destination.",
    [&DESTINATION],
    [TO_VALUES],
);

/// A rule as read, with its matches.
type Read = (Rule, Vec<Box<Match>>);

pub(super) fn router(mut written: Written<'_>) -> Result<Router, Invalid> {
    let budget = Budget::default();
    let (head, fields) = Head::open(&written, &budget)?;
    let route_header = destination::route_header(fields)?;
    let listed = Sanitizer::listed(fields)?;
    fields.optional("rules", |t| read::is_list(t, limits::RULES))?;
    let is_empty = fields.is_empty();
    let read: Vec<Read> = read::consumed(written.tree.take_list("rules"), |r| rule(r, head.mode, &budget))
        .map_err(|e| e.in_field("rules"))?;
    drop(written);
    names::unique("rules", read.iter().map(|(rule, _)| &*rule.name)).map_err(|e| e.in_field("rules"))?;

    // An empty policy is a pass-through: it does not even strip. A policy that has lost its last rule
    // still strips.
    let active = head.mode != Mode::Off && !is_empty;
    let trust = if active { head.trust } else { modes::Trust::Mesh };
    let sanitizer = Sanitizer::new(trust, [route_header.clone()], if active { listed } else { Vec::new() })
        .within(head.mode)
        .of_part(head.is_part);

    let mut rule_matches = Vec::with_capacity(read.iter().map(|(_, matches)| matches.len().max(1)).sum());
    let file = |(index, (rule, mut matches)): (usize, Read)| {
        if matches.is_empty() {
            matches.push(Box::default());
        }
        rule_matches.extend(matches.into_iter().map(|matches| RuleMatch { rule: index, matches }));
        rule
    };
    // The rules stay where they are: there is no second list of them.
    let rules: Vec<Rule> = read.into_iter().enumerate().map(file).collect();
    // Whether some rule of this mode needs to know the host. Rules that act come before rules that
    // report.
    let asks = |mode: Mode| {
        rule_matches
            .iter()
            .any(|c| c.matches.asks_for_hosts() && rules.get(c.rule).is_some_and(|r| r.mode == mode))
    };
    let has_quoted = rules.iter().any(|rule| !rule.action.takes_all());
    let missing_host = [Mode::Enforce, Mode::Report].into_iter().find(|mode| asks(*mode));
    let series = series(&rules, missing_host, head.labels);
    let needs = needs(&head, &sanitizer, &rules, &rule_matches, active);
    let published = state::published(&head, &[state::RULE]);
    let needs = Needs { metadata: needs.headers && budget.reads_metadata(), ..needs };
    Ok(Router {
        enforced: indexed(&rules, &rule_matches, Mode::Enforce, &budget)?,
        reported: indexed(&rules, &rule_matches, Mode::Report, &budget)?,
        common: Common {
            needles: budget.needles(),
            weight: budget.weight(),
            head,
            sanitizer,
            series,
            needs,
            published,
            ..Common::default()
        },
        missing_host,
        has_quoted,
        route_header,
        rules,
        rule_matches,
    })
}

/// The index of the rules in a mode.
fn indexed(
    rules: &[Rule],
    rule_matches: &[RuleMatch],
    mode: Mode,
    budget: &Budget,
) -> Result<Index, Invalid> {
    let mut index = index::Builder::new(budget);
    for (number, RuleMatch { rule, matches }) in (0u32..).zip(rule_matches) {
        if rules.get(*rule).is_some_and(|rule| rule.mode == mode) {
            index.add(number, matches).map_err(|e| e.in_index(*rule).in_field("rules"))?;
        }
    }
    Ok(index.finish())
}

/// A series for each rule, and one for requests that are refused because they name no host.
fn series(rules: &[Rule], missing_host: Option<Mode>, labels: LabelEncoding) -> Vec<Series> {
    let named = rules.iter().map(|rule| &*rule.name).chain(missing_host.map(|_| MISSING_HOST));
    let series = named.map(|rule| {
        let label = Label { name: "rule", stock: BuiltinTag::Component, value: rule };
        Series::new(Kind::Counter, labels, "narrows_router_requests_total", &[label])
    });
    series.collect()
}

fn needs(
    head: &Head,
    sanitizer: &Sanitizer,
    rules: &[Rule],
    rule_matches: &[RuleMatch],
    active: bool,
) -> Needs {
    let explained = head.explain.iter().map(|explain| &explain.when);
    let sources = || {
        rule_matches.iter().map(|c| &*c.matches).chain(explained.clone()).filter_map(|m| m.source.as_ref())
    };
    let acts = active && (sanitizer.is_needed() || rules.iter().any(|rule| rule.mode != Mode::Off));
    let by_principal = acts && sources().any(|source| !source.principals.is_empty());
    Needs {
        headers: acts,
        stripped: acts && sanitizer.is_needed(),
        address: acts && sources().any(|source| !source.cidrs.is_empty()),
        principal: by_principal,
        verified: by_principal && head.callers == Callers::Verified,
        ..Needs::default()
    }
}

fn rule(tree: &PolicyValue, policy: Mode, budget: &Budget) -> Result<Read, Invalid> {
    budget.hold(budget::RULE)?;
    Fields::read(tree, &RULE, |fields| rule_of(fields, policy, budget))
}

fn rule_of(fields: Fields<'_>, policy: Mode, budget: &Budget) -> Result<Read, Invalid> {
    let mut faults = read::Faults::default();
    let name = faults.take(fields.required("name", rule_name));
    let matches = faults.take(fields.optional("matches", |t| parse::matches(t, budget)));
    let mode = faults.take(modes::mode(fields));
    let known = matches.as_ref().map(|matches| matches.as_deref().unwrap_or_default());
    let of_rule = OfRule::new(fields, known, budget);
    let groups = || of_rule.captures();
    let action = faults.take(action(fields, &of_rule));
    let edits = |name| fields.optional(name, |t| HeaderEdits::read_quoting(t, &groups));
    let request = faults.take(edits(REQUEST_HEADERS.name));
    let response = faults.take(edits(RESPONSE_HEADERS.name));
    let (matches, mut action) = (matches.flatten().unwrap_or_default(), action.unwrap_or_default());
    action.set_services(&matches);
    let rule = Rule {
        name: name.unwrap_or_default(),
        mode: mode.unwrap_or_default().within(policy),
        action,
        request: request.flatten().unwrap_or_default(),
        response: response.flatten().unwrap_or_default(),
    };
    faults.or((rule, matches.into_iter().map(Box::new).collect()))
}

fn rule_name(tree: &PolicyValue) -> Result<Box<str>, Invalid> {
    let name = names::name(tree)?;
    if &*name != MISSING_HOST {
        return Ok(name);
    }
    Err(Invalid::new(
        Code::BadValue,
        format!("{name:?} is reserved: it counts requests that name no host"),
        "choose another name",
    ))
}

fn action(fields: Fields<'_>, rule: &OfRule<'_>) -> Result<Action, Invalid> {
    let answers: Vec<&str> = ["respond", "redirect"].into_iter().filter(|name| fields.has(name)).collect();
    if let Some(answer) = answers.first() {
        let excluded = ["respond", "redirect", "route", "rewrite", "requestHeaders"];
        if let Some(other) = excluded.iter().find(|name| *name != answer && fields.has(name)) {
            return Err(Invalid::new(
                Code::Conflict,
                format!("{answer:?} answers the request, so {other:?} has no effect"),
                "keep one of them",
            ));
        }
    }
    if let Some(respond) = fields.optional("respond", |t| Respond::read(t, rule))? {
        return Ok(Action::Respond(respond));
    }
    if let Some(redirect) = fields.optional("redirect", |t| Redirect::read(t, rule))? {
        return Ok(Action::Redirect(redirect));
    }
    let to = fields.optional("route", route)?;
    let rewrite = fields.optional("rewrite", |t| Rewrite::read(t, rule))?.unwrap_or_default();
    if rewrite.authority.is_some() && to.as_ref().is_some_and(|to| to.authority().is_some()) {
        return Err(Invalid::new(
            Code::Conflict,
            "\"route\" and \"rewrite\" both write the authority",
            "keep \"route.authority\": it keeps the caller's port and name form",
        ));
    }
    Ok(Action::Forward { to, rewrite })
}

fn route(tree: &PolicyValue) -> Result<Destination, Invalid> {
    let fields = Fields::open(tree, &ROUTE)?;
    Destination::read(fields)?.ok_or_else(|| {
        Invalid::new(Code::MissingField, "the route has no destination", "add \"to\" or \"authority\"")
    })
}

impl Action {
    /// Takes from the rule's matches which hosts are services.
    fn set_services(&mut self, matches: &[Match]) {
        if let Self::Forward { to, rewrite } = self {
            to.iter_mut().for_each(|to| to.set_services(matches));
            rewrite.authority.iter_mut().for_each(|authority| authority.set_services(matches));
        }
    }
}

impl Default for Action {
    fn default() -> Self {
        Self::Forward { to: None, rewrite: Rewrite::default() }
    }
}

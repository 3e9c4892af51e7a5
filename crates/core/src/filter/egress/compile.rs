//! Compiles what the operator wrote into an [`Egress`].

use super::learn::{LEARN, Learning};
use super::measure::SeriesIndices;
use super::outbound_headers::{OUTBOUND_HEADERS, OutboundHeaders};
use super::private::{PRIVATE, Private};
use super::rule::{ACTIONS, RULE, Rule, RuleMatch};
use super::server_name::{SNI, ServerName};
use super::{Action, Deciders, Egress, Refusal};
use crate::action::sanitize::Sanitizer;
use crate::language::describe::{Field, Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::modes::{Callers, Mode, Trust};
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};
use crate::language::{limits, names};
use crate::matching::hosts::HostSet;
use crate::matching::index::{self, Index};
use crate::matching::matches::Match;
use crate::matching::parse::Budget;
use crate::matching::path::{PathForm, PathMatch};
use crate::matching::value::ValueMatch;
use crate::policy::common::Common;
use crate::policy::head::{HEAD, Head, PART_HEAD};
use crate::policy::needs::Needs;
use crate::policy::state;
use crate::policy::written::Written;

pub(super) static POLICY: Object = object!(
    "policy",
    Any,
    "A policy of egress-policy: which requests may leave. A rule that denies comes before one that allows.",
    [&HEAD],
    FIELDS
);

pub(super) static PART: Object = object!(
    "egress-policy",
    Any,
    "A policy of egress-policy: which requests may leave. A rule that denies comes before one that allows.",
    [&PART_HEAD],
    FIELDS
);

const FIELDS: [Field; 7] = [
    field!(
        "default",
        Words(|| words(&ACTIONS)),
        Says("deny"),
        "What becomes of a request that no rule names; of an empty policy, `allow`."
    ),
    field!(
        "rules",
        List(&Table(&RULE), 0, limits::RULES),
        Optional,
        "The rules; their order makes no difference."
    ),
    field!(
        "denyPrivateAddresses",
        Either(&[Flag, Table(&PRIVATE)]),
        Holds(false),
        "Whether addresses that are not on the internet are denied, perhaps with exceptions."
    ),
    SNI,
    field!("response", Table(&RESPONSE), Optional, "The answer to a request that is denied."),
    field!(
        "requestHeaders",
        Table(&OUTBOUND_HEADERS),
        Optional,
        "More headers to remove from what leaves, and exceptions."
    ),
    field!("learn", Table(&LEARN), Optional, "Counts and logs the hosts that no rule names."),
];

static RESPONSE: Object = object!(
    "response",
    Any,
    "The answer to a request that is denied.",
    [],
    [
        field!(
            "status",
            Integer(400, 599),
            Optional,
            "The HTTP status; without it 403, and 421 where the TLS connection was opened to another name."
        ),
        field!("body", Text(0, limits::VALUE_BYTES), Says(BODY), "The body; `%RULE%` is the rule's name."),
    ],
);

const BODY: &str = "this request may not leave the mesh: egress-policy rule %RULE%\n";

pub(super) fn egress(written: &Written<'_>) -> Result<Egress, Invalid> {
    let budget = Budget::default();
    let (head, fields) = Head::open(written, &budget)?;
    let callers = head.callers;
    let mut faults = read::Faults::default();
    let default = faults.take(fields.optional("default", |t| read::word(t, &ACTIONS))).flatten();
    let private = faults.take(fields.optional("denyPrivateAddresses", Private::read)).flatten();
    let server_name = faults.take(ServerName::read(fields)).unwrap_or_default();
    let refusal = faults.take(fields.optional("response", Refusal::read)).flatten();
    let outbound_headers = faults.take(fields.optional("requestHeaders", OutboundHeaders::read)).flatten();
    let learn = faults.take(fields.optional("learn", |t| Learning::read(t, head.labels))).flatten();
    budget.hold(learn.as_ref().map_or(0, Learning::weight))?;
    let rule = |t| Rule::read(t, &budget);
    let read = faults.take(fields.optional("rules", |t| read::list(t, limits::RULES, rule))).flatten();
    let read = faults.or(read.unwrap_or_default())?;
    names::unique("rules", read.iter().map(|(rule, _)| &*rule.name)).map_err(|e| e.in_field("rules"))?;

    // Without a field of its own a policy is a pass-through. With one, the policy denies what it does
    // not allow.
    let is_empty = !FIELDS.iter().any(|field| fields.has(field.name));
    let active = head.mode != Mode::Off && !fields.is_empty();
    let default = default.unwrap_or(if is_empty { Action::Allow } else { Action::Deny });

    let (rules, rule_matches) = numbered(read);
    let is_off =
        |rule_match: &RuleMatch| rules.get(rule_match.rule).is_none_or(|rule| rule.mode == Mode::Off);
    let reads_paths = rule_matches.iter().any(|rule_match| rule_match.path.is_some() && !is_off(rule_match));
    let in_force = rules.iter().filter(|rule| learn.is_some() && rule.mode != Mode::Off);
    let listed_blocks = in_force.clone().flat_map(Rule::cidrs).copied().collect();
    let listed = HostSet::new(in_force.flat_map(|rule| rule.hosts().iter().cloned()).collect());
    let (series_indices, series) = SeriesIndices::define(&rules, default, head.mode, head.labels);
    let published = state::published(&head, &[state::EGRESS]);
    Ok(Egress {
        enforced: Deciders::of(&rules, &rule_matches, Mode::Enforce, &budget)?,
        trial: Deciders::of(&rules, &rule_matches, Mode::Report, &budget)?,
        common: Common {
            needles: budget.needles(),
            weight: budget.weight(),
            sanitizer: Sanitizer::new(if active { head.trust } else { Trust::Mesh }, [], Vec::new())
                .within(head.mode)
                .of_part(head.is_part),
            series,
            needs: Needs { metadata: active && budget.reads_metadata(), ..needs(&head, active, &rules) },
            judges_presented: true,
            head,
            published,
            ..Common::default()
        },
        callers,
        says_nothing: is_empty,
        default,
        rules,
        rule_matches,
        private: private.unwrap_or_default(),
        server_name,
        reads_paths,
        refusal: refusal.unwrap_or_default(),
        outbound_headers: if active {
            outbound_headers.unwrap_or_else(OutboundHeaders::internal)
        } else {
            OutboundHeaders::none()
        },
        learn: if active { learn } else { None },
        listed,
        listed_blocks,
        series_indices,
    })
}

/// The rules, and the matches of each by its index: one for each path, or one for any path.
fn numbered(read: Vec<(Rule, Vec<PathMatch>)>) -> (Vec<Rule>, Vec<RuleMatch>) {
    let mut rules = Vec::with_capacity(read.len());
    let mut rule_matches = Vec::with_capacity(read.len());
    for (index, (rule, paths)) in read.into_iter().enumerate() {
        if paths.is_empty() {
            rule_matches.push(RuleMatch { rule: index, path: None });
        }
        rule_matches.extend(paths.into_iter().map(|path| RuleMatch { rule: index, path: Some(path) }));
        rules.push(rule);
    }
    (rules, rule_matches)
}

fn needs(head: &Head, active: bool, rules: &[Rule]) -> Needs {
    let when = head.explain.as_ref().and_then(|explain| explain.when.source.as_ref());
    // An explanation names the caller, whatever the rules ask.
    let names_callers = head.explain.is_some() || rules.iter().any(Rule::asks_caller);
    Needs {
        headers: active,
        principal: active && names_callers,
        verified: active && names_callers && head.callers == Callers::Verified,
        stream_info: active,
        address: active && when.is_some_and(|source| !source.cidrs.is_empty()),
        stripped: active,
        removed: active,
        ..Needs::default()
    }
}

impl Deciders {
    fn of(rules: &[Rule], rule_matches: &[RuleMatch], mode: Mode, budget: &Budget) -> Result<Self, Invalid> {
        let index = |action: Action, with_path: bool| -> Result<Index, Invalid> {
            let mut index = index::Builder::new(budget);
            // The matches of a rule differ only in their paths.
            let mut hint: Option<(usize, Match)> = None;
            for (number, RuleMatch { rule: rule_index, path }) in (0u32..).zip(rule_matches) {
                let Some(rule) =
                    rules.get(*rule_index).filter(|rule| rule.mode == mode && rule.action == action)
                else {
                    continue;
                };
                let (_, hint) = match &mut hint {
                    // The rule is in the index already, without its path.
                    Some(hint) if hint.0 == *rule_index && !with_path => continue,
                    Some(hint) if hint.0 == *rule_index => hint,
                    hint => hint.insert((*rule_index, rule.hint())),
                };
                hint.path = path.as_ref().filter(|_| with_path).and_then(hinted);
                index.add(number, hint).map_err(|e| e.in_index(*rule_index).in_field("rules"))?;
            }
            Ok(index.finish())
        };
        Ok(Self {
            deny: index(Action::Deny, true)?,
            deny_any_path: index(Action::Deny, false)?,
            allow: index(Action::Allow, true)?,
        })
    }
}

/// The path for an index. An expression is left out: it does not narrow the search and is never copied.
fn hinted(path: &PathMatch) -> Option<PathMatch> {
    let form = match &path.form {
        PathForm::Value(ValueMatch { test, ignore_case, invert }) => {
            PathForm::Value(ValueMatch { test: test.copy()?, ignore_case: *ignore_case, invert: *invert })
        }
        form @ (PathForm::Segments(_) | PathForm::Template(_)) => form.clone(),
    };
    Some(PathMatch { form, ..*path })
}

impl Refusal {
    fn read(tree: &PolicyValue) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &RESPONSE)?;
        let status = fields.optional("status", |t| read::integer(t, 400..=599))?;
        let body = fields.optional("body", |t| {
            let body = read::text(t)?;
            if body.len() <= limits::VALUE_BYTES {
                return Ok(body.into());
            }
            let message = format!("the body has {} bytes, more than {}", body.len(), limits::VALUE_BYTES);
            Err(Invalid::new(Code::TooMany, message, "shorten it: every worker holds it"))
        })?;
        Ok(Self {
            status: status.and_then(|status| u16::try_from(status).ok()),
            body: body.unwrap_or_else(|| BODY.into()),
        })
    }
}

impl Default for Refusal {
    fn default() -> Self {
        Self { status: None, body: BODY.into() }
    }
}

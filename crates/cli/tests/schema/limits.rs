//! The limits that the description of the language has are those of its readers: what is described as the
//! most is read, and more is refused at its place.

use std::collections::{BTreeMap, BTreeSet};

use narrows::filter::Filter;
use narrows_core::describe::{Field, Object, Type};
use narrows_core::{Code, Invalid, PathSegment, PolicyValue};
use narrows_harness::form::{COMMON, PARTS};
use serde_json::{Map, Value, json};

use super::policies::policies;

/// A field of an object, by the object's address: names of objects are used again in other filters.
type Named = (usize, &'static str);

/// Something of a policy that a description limits.
struct Limited {
    named: Named,
    kind: &'static Type,
    place: Vec<PathSegment>,
}

/// Policies for fields that no case and no document has.
fn more() -> Vec<(Filter, Value)> {
    let guard = json!({ "cluster": "c", "cooldown": "30s", "every": "2s" });
    let backends = json!([{ "name": "v1", "baseline": true }, { "name": "v2", "to": "v2", "weight": 1 }]);
    let split = json!({ "name": "s", "hosts": ["s"], "key": [{ "header": "x" }], "guard": guard, "backends": backends });
    let tags = json!({ "a1": { "nodeMetadata": ["A", "B"], "map": { "x*": "y" } }, "b1": { "property": ["a", "b"] } });
    let rule = json!({ "name": "r", "action": "allow", "from": { "workloads": ["w"] } });
    let lane = json!({ "header": "x-lane", "values": ["gray"] });
    vec![
        (Filter::CanarySplit, json!({ "strip": ["x-a"], "splits": [split] })),
        (Filter::MetricTags, json!({ "tags": tags, "metrics": [{ "name": "m", "tags": ["a1", "b1"] }] })),
        (Filter::EgressPolicy, json!({ "rules": [rule] })),
        (Filter::TrafficLanes, json!({ "trust": "mesh", "lane": lane, "ttl": "60s", "maxTraces": 9 })),
    ]
}

/// All policies that load; and those of one filter as parts of the merged policy too.
fn seeds() -> Vec<(Filter, Value)> {
    let own = policies().into_iter().map(|(filter, _, policy)| (filter, policy)).chain(more());
    let own: Vec<_> = own.filter(|(filter, policy)| compile(*filter, policy).is_ok()).collect();
    let parts: Vec<_> = own.iter().filter_map(|(filter, policy)| as_part(*filter, policy)).collect();
    let merged = parts.into_iter().map(|policy| (Filter::Narrows, policy));
    own.into_iter().chain(merged).filter(|(filter, policy)| compile(*filter, policy).is_ok()).collect()
}

/// A policy as a part of the merged one, with the common fields outside.
fn as_part(filter: Filter, policy: &Value) -> Option<Value> {
    let (_, part) = PARTS.into_iter().find(|(name, _)| *name == filter.name())?;
    let (mut common, mut own) = (Map::new(), Map::new());
    for (name, value) in policy.as_object()?.iter().filter(|(name, _)| *name != "filter") {
        let to = if COMMON.contains(&name.as_str()) { &mut common } else { &mut own };
        to.insert(name.clone(), value.clone());
    }
    common.insert(part.to_owned(), Value::Object(own));
    Some(Value::Object(common))
}

fn compile(filter: Filter, policy: &Value) -> Result<(), Invalid> {
    let tree = PolicyValue::parse(policy.to_string().as_bytes())?;
    filter.compile(&tree).map(drop)
}

/// The codes of the faults at exactly this place.
fn codes(filter: Filter, policy: &Value, place: &[PathSegment]) -> Vec<Code> {
    let Err(invalid) = compile(filter, policy) else { return Vec::new() };
    let at_place = invalid.faults().iter().filter(|fault| fault.place.segments().eq(place.iter()));
    at_place.map(|fault| fault.code).collect()
}

/// All that a description limits of a policy.
fn limited(filter: Filter, policy: &Value) -> Vec<Limited> {
    let mut walk = Walk::default();
    walk.object(filter.language(), policy);
    // The attributes have the room that the tags leave them.
    let has_tags = |place: &[PathSegment]| {
        let [before @ .., PathSegment::Field(last)] = place else { return false };
        let beside = before.iter().fold(policy, |at, segment| inside(at, segment));
        last == "attributes" && beside.get("tags").is_some()
    };
    walk.found.retain(|limited| !has_tags(&limited.place));
    walk.found
}

fn inside<'v>(value: &'v Value, segment: &PathSegment) -> &'v Value {
    match segment {
        PathSegment::Field(name) => &value[name.as_str()],
        PathSegment::Index(index) => &value[*index],
    }
}

/// A walk through a policy, beside its description.
#[derive(Default)]
struct Walk {
    place: Vec<PathSegment>,
    found: Vec<Limited>,
}

impl Walk {
    fn object(&mut self, object: &'static Object, value: &Value) {
        object.includes.iter().for_each(|included| self.object(included, value));
        for field in object.fields {
            if let Some(value) = value.get(field.name) {
                let segment = PathSegment::Field(field.name.to_owned());
                self.step(segment, named(object, field), &field.about.kind, value);
            }
        }
    }

    fn step(&mut self, segment: PathSegment, named: Named, kind: &'static Type, value: &Value) {
        self.place.push(segment);
        self.value(named, kind, value);
        self.place.pop();
    }

    fn value(&mut self, named: Named, kind: &'static Type, value: &Value) {
        if is_limit_of(kind, value) {
            self.found.push(Limited { named, kind, place: self.place.clone() });
        }
        match (kind, value) {
            (Type::Either(kinds), _) => kinds.iter().for_each(|kind| self.value(named, kind, value)),
            (Type::Table(object), Value::Object(_)) => self.object(object, value),
            (Type::List(kind, ..), Value::Array(elements)) => {
                for (index, element) in elements.iter().enumerate() {
                    self.step(PathSegment::Index(index), named, kind, element);
                }
            }
            (Type::Map(_, kind, _), Value::Object(fields)) => {
                for (name, value) in fields {
                    self.step(PathSegment::Field(name.clone()), named, kind, value);
                }
            }
            _ => {}
        }
    }
}

fn named(object: &'static Object, field: &Field) -> Named {
    (std::ptr::from_ref(object) as usize, field.name)
}

/// Whether a type limits a value: how many elements it has, or what number or time it is.
fn is_limit_of(kind: &Type, value: &Value) -> bool {
    match kind {
        Type::List(..) => value.is_array(),
        Type::Map(..) => value.is_object(),
        Type::Integer(_, most) => value.is_number() && *most < i64::MAX,
        Type::Count(..) => value.is_number(),
        Type::Duration(..) => value.is_string(),
        _ => false,
    }
}

/// The most that a type takes, and one more, which has this fault.
fn most(kind: &Type) -> (Value, Value, Code) {
    let list = |count: usize| json!(vec![Value::Null; count]);
    let table = |count: usize| (0..count).map(|n| (format!("k{n}"), Value::Null)).collect::<Map<_, _>>();
    let time = |millis: u64| json!(format!("{millis}ms"));
    match *kind {
        Type::List(_, _, most) => (list(most), list(most + 1), Code::TooMany),
        Type::Map(_, _, most) => (table(most).into(), table(most + 1).into(), Code::TooMany),
        Type::Integer(_, most) => (json!(most), json!(most + 1), Code::OutOfRange),
        Type::Count(_, most) => (json!(most), json!(most + 1), Code::OutOfRange),
        Type::Duration(_, most) => (time(most), time(most + 1), Code::BadValue),
        _ => unreachable!("it is no limit"),
    }
}

/// A policy with another value at a place.
fn with(policy: &Value, place: &[PathSegment], value: Value) -> Value {
    let mut policy = policy.clone();
    let at = place.iter().fold(&mut policy, |at, segment| match segment {
        PathSegment::Field(name) => &mut at[name.as_str()],
        PathSegment::Index(index) => &mut at[*index],
    });
    *at = value;
    policy
}

/// A type in a word.
fn word(kind: &Type) -> &'static str {
    match kind {
        Type::List(..) => "list",
        Type::Map(..) => "table",
        Type::Duration(..) => "time",
        _ => "number",
    }
}

/// Every field that a filter limits, with the name of its object.
#[derive(Default)]
struct Described {
    names: BTreeMap<Named, String>,
    seen: BTreeSet<usize>,
}

impl Described {
    fn object(&mut self, object: &'static Object) {
        if self.seen.insert(std::ptr::from_ref(object) as usize) {
            object.includes.iter().for_each(|included| self.object(included));
            for field in object.fields {
                let name = format!("{}.{}", object.summary.name, field.name);
                self.kind(&field.about.kind, named(object, field), &name);
            }
        }
    }

    fn kind(&mut self, kind: &'static Type, named: Named, name: &str) {
        let some = [json!([]), json!({}), json!(1), json!("")];
        if some.iter().any(|value| is_limit_of(kind, value)) {
            self.names.insert(named, name.to_owned());
        }
        match kind {
            Type::Table(object) => self.object(object),
            Type::List(kind, ..) | Type::Map(_, kind, _) => self.kind(kind, named, name),
            Type::Either(kinds) => kinds.iter().for_each(|kind| self.kind(kind, named, name)),
            _ => {}
        }
    }
}

/// Numbers in parts of `weightTotal`, which may be less than is described: beyond it they do not fit.
const OF_THE_TOTAL: [&str; 4] = ["backend.weight", "backend.maxWeight", "rampStep.weight", "layer.holdback"];

#[test]
fn the_most_that_is_described_is_read_and_more_is_refused_at_its_place() {
    let mut described = Described::default();
    Filter::ALL.into_iter().for_each(|filter| described.object(filter.language()));
    let mut left = described.names.clone();
    let (mut tried, mut wrong) = (BTreeSet::new(), Vec::new());
    for (filter, policy) in seeds() {
        for Limited { named, kind, place } in limited(filter, &policy) {
            // Of a field that takes one type or another, each is tried.
            if !tried.insert((filter.name(), named, word(kind))) {
                continue;
            }
            left.remove(&named);
            let name = described.names[&named].as_str();
            let (most, more, code) = most(kind);
            let is_of_total = OF_THE_TOTAL.contains(&name);
            let is_wanted = |is: &Code| *is == code || (is_of_total && *is == Code::WeightsDoNotFit);
            let refuses = |value| codes(filter, &with(&policy, &place, value), &place).iter().any(is_wanted);
            if refuses(most) && !is_of_total {
                wrong.push(format!("{}: {name}, a {}: the most is refused", filter.name(), word(kind)));
            }
            if !refuses(more) {
                wrong.push(format!("{}: {name}, a {}: more is not refused", filter.name(), word(kind)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(left.is_empty(), "never tried: {:?}", left.values());
    assert!(tried.len() >= 100, "{} tried", tried.len());
}

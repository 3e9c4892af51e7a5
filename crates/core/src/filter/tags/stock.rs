//! Which of Istio's stock labels carries which tag.

use super::Tag;
use super::metric::Metric;
use super::source::AnySource;
use crate::language::describe::{Field, field};
use crate::language::invalid::{Code, Invalid};
use crate::language::read::{self, Fields};
use crate::policy::series::{BuiltinTag, LabelEncoding};

/// The fields that could make a value that is not a code.
const WORDS: [&str; 3] = ["missing", "other", "maxLength"];

const ALL: [BuiltinTag; 6] = [
    BuiltinTag::WasmFilter,
    BuiltinTag::Tag,
    BuiltinTag::Component,
    BuiltinTag::Cache,
    BuiltinTag::Code,
    BuiltinTag::CodeClass,
];

/// `stockLabel` of a tag.
pub(super) const STOCK_LABEL: Field = field!(
    "stockLabel",
    Words(|| ALL.map(BuiltinTag::as_str).into()),
    Optional,
    "With `labels: stock`: which of the labels in Istio's own bootstrap carries the tag."
);

/// Reads the label of a tag whose source is called `kind`.
pub(super) fn read(
    fields: Fields<'_>,
    kind: &str,
    encoding: LabelEncoding,
) -> Result<Option<BuiltinTag>, Invalid> {
    let stock =
        fields.optional(STOCK_LABEL.name, |t| read::word(t, &ALL.map(|stock| (stock.as_str(), stock))))?;
    let Some(stock) = stock else { return Ok(None) };
    let refuse =
        |code, message: String, help: String, field| Err(Invalid::new(code, message, help).in_field(field));
    if encoding == LabelEncoding::StatTags {
        let message = "a tag has its own label unless \"labels\" is \"stock\"";
        let help = "leave it out, or write \"labels\": \"stock\"";
        return refuse(Code::Conflict, message.to_owned(), help.to_owned(), "stockLabel");
    }
    // A name ends with the code as it is, and a client could send anything; so only these sources may
    // give it.
    let source = match stock {
        BuiltinTag::Code => "statusCode",
        BuiltinTag::CodeClass => "statusClass",
        BuiltinTag::WasmFilter | BuiltinTag::Tag | BuiltinTag::Component | BuiltinTag::Cache => {
            return Ok(Some(stock));
        }
    };
    if kind != source {
        let message = format!("{:?} carries a code and nothing else", stock.as_str());
        let help = format!("use {source:?}, or another label");
        return refuse(Code::BadStockLabel, message, help, "stockLabel");
    }
    match WORDS.into_iter().find(|word| fields.has(word)) {
        None => Ok(Some(stock)),
        Some(word) => {
            let message = format!("{:?} carries a code and no other text", stock.as_str());
            refuse(Code::BadStockLabel, message, "leave it out".to_owned(), word)
        }
    }
}

/// With stock labels, every tag of a metric needs one of its own.
pub(super) fn fits(metric: &Metric, tags: &[Tag], stock: &[Option<BuiltinTag>]) -> Result<(), Invalid> {
    let mut taken = Vec::new();
    for (i, index) in metric.tags.iter().enumerate() {
        let Some(tag) = tags.get(*index) else { continue };
        let refuse =
            |message: String, help: &str| Err(Invalid::new(Code::BadStockLabel, message, help).in_index(i));
        let Some(stock) = stock.get(*index).copied().flatten() else {
            let help = if matches!(tag.source, AnySource::Rules(_)) {
                "an attribute cannot have one: leave out \"labels\": \"stock\", or publish the attribute only"
            } else {
                "add \"stockLabel\" to the tag: wasm_filter, tag, component, cache, response_code or response_code_class"
            };
            return refuse(format!("tag {:?} has no stock label", tag.name), help);
        };
        // Both codes are extracted from the end of the name.
        let end = |stock| matches!(stock, BuiltinTag::Code | BuiltinTag::CodeClass);
        if taken.iter().any(|other| *other == stock || end(*other) && end(stock)) {
            return refuse(
                format!("the stock label of tag {:?} is taken", tag.name),
                "give each tag of a metric a label of its own",
            );
        }
        taken.push(stock);
    }
    Ok(())
}

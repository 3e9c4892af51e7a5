//! Dynamic metadata in a real Envoy: a filter of Envoy's own writes what a case says that it wrote.

use narrows_cases::{Case, File};
use narrows_harness::bootstrap::native_filter;
use serde_json::{Value, json};

/// The header that says whose metadata a request has. It does not get past the filter that reads it.
pub(crate) const HEADER: &str = "x-case-metadata";

/// The filter that writes the metadata of a file's cases; none if they have none.
pub(crate) fn filter(file: &File) -> Option<Value> {
    let written =
        |case: &Case| Some(format!("[{}] = {},", quoted(&case.name), lua(case.send.metadata.as_ref()?)));
    let all: String = file.cases.iter().filter_map(written).collect();
    let script = format!(
        r#"local all = {{ {all} }}
        function envoy_on_request(handle)
          local name = handle:headers():get("{HEADER}")
          if name == nil then return end
          handle:headers():remove("{HEADER}")
          local metadata = handle:streamInfo():dynamicMetadata()
          for filter, values in pairs(all[name]) do
            for key, value in pairs(values) do metadata:set(filter, key, value) end
          end
        end"#
    );
    (!all.is_empty()).then(|| {
        native_filter(
            "envoy.filters.http.lua",
            "envoy.extensions.filters.http.lua.v3.Lua",
            json!({ "default_source_code": { "inline_string": script } }),
        )
    })
}

/// A value as a program in Lua writes it.
fn lua(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let fields = fields.iter().map(|(name, value)| format!("[{}] = {},", quoted(name), lua(value)));
            format!("{{ {} }}", fields.collect::<String>())
        }
        Value::Array(elements) => {
            format!("{{ {} }}", elements.iter().map(|element| lua(element) + ",").collect::<String>())
        }
        Value::String(text) => quoted(text),
        Value::Null => "nil".to_owned(),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    }
}

/// A text in the quotes of Lua, whose escapes are decimal.
fn quoted(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b' '..=b'~' if !matches!(byte, b'"' | b'\\') => char::from(byte).to_string(),
        _ => format!("\\{byte:03}"),
    });
    format!("\"{}\"", bytes.collect::<String>())
}

//! What one host call costs: modules that do nothing else.

use narrows_harness::bootstrap::wasm_filter;
use narrows_harness::temp::TempDir;

use super::chain::{Chain, End};
use super::policies::{FEW, request};

/// How often a module makes its call, so that a call is more than the noise.
pub(super) const TIMES: u32 = 20;

/// A call: what tables call it, its import, and its arguments in the words of `module`.
pub(super) type Call = (&'static str, &'static str, &'static str);

pub(super) const CALLS: [Call; 8] = [
    ("one header", "proxy_get_header_map_value", "i32 0, path, out"),
    ("a header that is not there", "proxy_get_header_map_value", "i32 0, absent, out"),
    ("all headers", "proxy_get_header_map_pairs", "i32 0, out"),
    ("a property", "proxy_get_property", "property, out"),
    ("to write a property", "proxy_set_property", "state, value"),
    ("to write a header", "proxy_replace_header_map_value", "i32 0, header, value"),
    ("to count", "proxy_increment_metric", "metric, i64 1"),
    ("the time", "proxy_get_current_time_nanoseconds", "time"),
];

/// Texts in the module's memory: a name, where, and what.
const TEXTS: [(&str, u32, &str); 7] = [
    ("path", 64, ":path"),
    ("absent", 80, "x-absent"),
    ("property", 96, "source\\00address"),
    ("state", 128, "bench"),
    ("value", 144, "some value"),
    ("header", 160, "x-bench"),
    ("counter", 176, "bench_total"),
];

/// A chain for each call. The modules are written into the directory.
pub(super) fn chains(directory: &TempDir) -> anyhow::Result<Vec<Chain>> {
    let chain = |call: &Call| {
        let wasm = wat::parse_str(module(call))?;
        let path = directory.write(&format!("{}.wasm", call.0.replace(' ', "-")), wasm)?;
        let filter = wasm_filter(call.0, &path, "", None, "FAIL_CLOSED");
        Ok(Chain::new(call.0, vec![filter], request(FEW - 1), End::Stable))
    };
    CALLS.iter().map(chain).collect()
}

/// The empty filter, with a call made so many times when a request arrives.
fn module((_, import, arguments): &Call) -> String {
    let arguments: Vec<(String, String)> = arguments.split(", ").flat_map(argument).collect();
    let types: String = arguments.iter().map(|(kind, _)| format!(" {kind}")).collect();
    let values: String = arguments.iter().map(|(_, value)| format!(" {value}")).collect();
    let calls = format!("    (drop (call $it{values}))\n").repeat(TIMES as usize);
    let imports = format!(
        "(module\n  (import \"env\" \"{import}\" (func $it (param{types}) (result i32)))\n  \
         (import \"env\" \"proxy_define_metric\" (func $define (param i32 i32 i32 i32) (result i32)))"
    );
    let data: String =
        TEXTS.iter().map(|(_, at, text)| format!("  (data (i32.const {at}) \"{text}\")\n")).collect();
    let counter: Vec<String> = argument("counter").map(|(_, value)| value).collect();
    let counter = counter.join(" ");
    include_str!("empty.wat")
        .replace("(module", &imports)
        .replace("  (func (export \"proxy_on_vm_start\")", &format!("{data}  (func (export \"proxy_on_vm_start\")"))
        .replace(
            "(func (export \"proxy_on_configure\") (param i32 i32) (result i32)",
            &format!("(func (export \"proxy_on_configure\") (param i32 i32) (result i32)\n    (drop (call $define (i32.const 0) {counter} (i32.const 8)))\n   "),
        )
        .replace(
            "(func (export \"proxy_on_request_headers\") (param i32 i32 i32) (result i32)",
            &format!("(func (export \"proxy_on_request_headers\") (param i32 i32 i32) (result i32)\n{calls}   "),
        )
}

/// The types and values of an argument: a number, a text, where a result goes.
fn argument(word: &str) -> impl Iterator<Item = (String, String)> {
    let constant = |kind: &str, value: &str| (kind.to_owned(), format!("({kind}.const {value})"));
    let text = TEXTS.iter().find(|(name, ..)| *name == word);
    match (word.split_once(' '), text) {
        (Some((kind, value)), _) => vec![constant(kind, value)],
        (None, Some((_, at, text))) => {
            let length = text.replace("\\00", "0").len();
            vec![constant("i32", &at.to_string()), constant("i32", &length.to_string())]
        }
        // The id that was given when the metric was defined.
        (None, None) if word == "metric" => vec![("i32".to_owned(), "(i32.load (i32.const 8))".to_owned())],
        (None, None) if word == "time" => vec![constant("i32", "16")],
        (None, None) => vec![constant("i32", "24"), constant("i32", "28")],
    }
    .into_iter()
}

//! What a proxy must be told so that labels come out of the names of series.

/// The expression for one label of the `stat-tags` grammar. Unlike Istio's, it finds a
/// label only where one can begin.
pub fn stat_tag(label: &str) -> String {
    format!(r"^wasmcustom\.(?:.*;\.;)?({label}=\.=(.*?);\.;)")
}

/// What Istio's bootstrap has for the labels of the `stock` grammar: name and expression.
pub const STOCK: [(&str, &str); 6] = [
    ("wasm_filter", r"(wasm_filter\.(.+?)\.)"),
    ("tag", r"(tag\.(.+?);\.)"),
    ("component", r"(component\.(.+?)\.)"),
    ("cache", r"(cache\.(.+?)\.)"),
    ("response_code", r"_rq(_(\d{3}))$"),
    ("response_code_class", r"_rq(_(\dxx))$"),
];

//! Good and bad policies, and modules in other bytes.

/// A policy that answers `/admin` itself. The number makes it another text.
pub fn good(number: u64) -> String {
    format!(
        r#"{{"rules": [{{"name": "n{number}", "matches": [{{"path": {{"exact": "/admin"}}}}], "respond": {{"status": 403}}}}]}}"#
    )
}

/// One that cannot be read.
pub fn bad(number: u64) -> String {
    format!(r#"{{"ruls": {number}}}"#)
}

/// The module in other bytes: custom sections more, which say nothing.
///
/// # Panics
/// If it is not built.
pub fn exchanged(filter: &str, version: u8) -> Vec<u8> {
    let mut bytes = std::fs::read(crate::module(filter)).expect("a module");
    bytes.extend_from_slice(&[0, 2, 1, version]);
    bytes
}

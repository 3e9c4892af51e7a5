//! What becomes of good and bad policies in bursts, with modules exchanged, and what the
//! gauge says of them: in the stand-in, where the clock is ours and every race can be
//! played, and on a real Envoy.

mod envoy;
mod gauge;
mod played;
mod policies;
mod restart;
mod series;

/// A policy that answers `/admin` itself. The number makes it another text.
fn good(number: u64) -> String {
    format!(
        r#"{{"rules": [{{"name": "n{number}", "matches": [{{"path": {{"exact": "/admin"}}}}], "respond": {{"status": 403}}}}]}}"#
    )
}

/// One that cannot be read.
fn bad(number: u64) -> String {
    format!(r#"{{"ruls": {number}}}"#)
}

/// The module in other bytes: custom sections more, which say nothing.
fn exchanged(filter: &str, version: u8) -> Vec<u8> {
    let mut bytes = std::fs::read(narrows_tests::module(filter)).expect("a module");
    bytes.extend_from_slice(&[0, 2, 1, version]);
    bytes
}

/// Numbers that are the same every time: xorshift.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

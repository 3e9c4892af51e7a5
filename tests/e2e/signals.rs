//! What becomes of good and bad policies in bursts, with modules exchanged, and what the gauge says
//! of them, on a real Envoy. In the stand-in every race is played: tests/vm/signals.

mod envoy;
mod restart;

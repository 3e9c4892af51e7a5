//! What becomes of good and bad policies in bursts, with modules exchanged, and what the gauge says
//! of them: the clock is ours here, and every race can be played.

mod gauge;
mod played;
mod policies;
mod series;

//! metric-tags: what a request costs, and a log that is full.

mod cost;
mod series_log;

//! traffic-lanes on real Envoys: sidecars in a row, and applications that know nothing of lanes.

mod chain;
mod memory;
mod roots;
mod shop;

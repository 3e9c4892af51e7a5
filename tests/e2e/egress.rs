//! Does the egress policy hold at a gateway, by the caller's certificate?

mod bounds;
mod evasion;
mod gateway;
mod learn;
mod paths;
mod server_name;
mod sidecar;
mod site;
mod tunnel;

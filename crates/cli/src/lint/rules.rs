//! The lint rules, one file each. A new rule is a line here and its file.
//!
//! A rule whose file is not in the table is dead code, which the compiler reports.

mod nrw601;
mod nrw602;
mod nrw603;
mod nrw604;
mod nrw605;
mod nrw606;
mod nrw607;
mod nrw608;
mod nrw609;
mod nrw611;
mod nrw613;
mod nrw614;
mod nrw616;
mod nrw620;
mod nrw621;
mod nrw622;
mod nrw623;
mod nrw624;
mod nrw631;
mod nrw632;
mod nrw633;
mod nrw634;
mod nrw635;
mod nrw636;
mod nrw637;
mod nrw638;
mod nrw639;
mod nrw640;
mod nrw645;
mod nrw646;
mod nrw647;
mod nrw655;
mod nrw656;
mod nrw657;
mod nrw660;
mod nrw661;
mod nrw662;

use super::rule::Rule;
use crate::code::Code;

/// All rules, in the order of their codes.
pub(super) static ALL: &[&Rule] = &[
    &nrw601::RULE,
    &nrw602::RULE,
    &nrw603::RULE,
    &nrw604::RULE,
    &nrw605::RULE,
    &nrw606::RULE,
    &nrw607::RULE,
    &nrw608::RULE,
    &nrw609::RULE,
    &nrw611::RULE,
    &nrw613::RULE,
    &nrw614::RULE,
    &nrw609::MISPLACED,
    &nrw616::RULE,
    &nrw620::RULE,
    &nrw621::RULE,
    &nrw622::RULE,
    &nrw623::RULE,
    &nrw624::RULE,
    &nrw631::RULE,
    &nrw632::RULE,
    &nrw633::RULE,
    &nrw634::RULE,
    &nrw635::RULE,
    &nrw636::RULE,
    &nrw637::RULE,
    &nrw638::RULE,
    &nrw639::RULE,
    &nrw640::RULE,
    &nrw645::RULE,
    &nrw646::RULE,
    &nrw647::RULE,
    &nrw655::RULE,
    &nrw656::RULE,
    &nrw657::RULE,
    &nrw660::RULE,
    &nrw661::RULE,
    &nrw662::RULE,
];

/// Codes of findings that are made outside the rules.
pub(super) const NOT_IN_RELEASE: &Code = &nrw601::RULE.code;
pub(super) const UNKNOWN_FIELD: &Code = &nrw602::RULE.code;
pub(super) const REFUSED: &Code = &nrw603::RULE.code;
pub(super) const REQUIRED: &Code = &nrw604::RULE.code;
pub(super) const IDLE_IGNORE: &Code = &nrw631::RULE.code;

//! Any bytes are a policy, or a refusal that says where and why; for every filter.
#![no_main]

use libfuzzer_sys::fuzz_target;
use narrows_core::{PolicyValue, filter};

fuzz_target!(|bytes: &[u8]| {
    let Ok(tree) = PolicyValue::parse(bytes) else { return };
    for filter in filter::FILTERS {
        if let Some(Err(invalid)) = filter::check(filter, &tree) {
            assert!(!invalid.faults().is_empty());
            assert!(invalid.to_string().starts_with("error[NRW"));
        }
    }
});

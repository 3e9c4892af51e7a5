//! Values that are computed: classes of durations, Envoy's response flags.

use crate::language::invalid::{Code, Invalid};
use crate::language::join::joined;
use crate::language::policy_value::PolicyValue;
use crate::language::{limits, read};

/// Bounds of classes, in milliseconds: each begins where the one before ends.
pub(super) fn durations(tree: &PolicyValue) -> Result<Vec<u64>, Invalid> {
    let bounds = read::list(tree, limits::VALUES, |t| read::integer(t, 1..=86_400_000))?;
    let ascending = bounds.iter().zip(bounds.iter().skip(1)).all(|(a, b)| a < b);
    if bounds.is_empty() || !ascending {
        return Err(Invalid::new(
            Code::BadValue,
            "the bounds are not ascending",
            "write milliseconds, ascending: [100, 500, 1000]",
        ));
    }
    Ok(bounds.into_iter().filter_map(|bound| u64::try_from(bound).ok()).collect())
}

/// The names of the classes of `bounds`: one more than there are bounds.
pub(super) fn duration_names(bounds: &[u64]) -> Vec<String> {
    let last = bounds.last().map(|bound| format!("from_{bound}ms"));
    bounds.iter().map(|bound| format!("under_{bound}ms")).chain(last).collect()
}

/// Envoy's short names of response flags, by bit (`CoreResponseFlag` in Envoy's
/// `envoy/stream_info/stream_info.h`; the order is part of its interface).
const FLAGS: [&str; 30] = [
    "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX",
    "SI", "IH", "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM", "DF", "DO", "DR", "UDO",
];

/// Response flags as access logs and Istio write them: `UF,URX`, or `-` for none.
pub(super) fn flags(bits: u64) -> String {
    let set = |bit: u32| bits.checked_shr(bit).is_some_and(|rest| rest & 1 == 1);
    let names = joined(&mut (0u32..).zip(FLAGS).filter(|(bit, _)| set(*bit)).map(|(_, name)| name), ",");
    if names.is_empty() { "-".to_owned() } else { names }
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::{duration_names, flags};

    #[test]
    fn names() {
        assert_eq!(duration_names(&[100, 500]), ["under_100ms", "under_500ms", "from_500ms"]);
        assert_eq!(flags(0), "-");
        assert_eq!(flags(1 << 24), "NC");
        assert_eq!(flags(1 << 5 | 1 << 15 | 1 << 63), "UF,URX");
    }
}

//! The members of `baggage` (W3C Baggage §3.3) and `tracestate` (W3C Trace Context §3.3).

/// The values of a member in one header line, as they were sent: `name=value;property, other=value`.
pub(crate) fn values<'v>(line: &'v [u8], name: &[u8]) -> impl Iterator<Item = &'v [u8]> {
    line.split(|byte| *byte == b',').filter_map(move |member| {
        let at = member.iter().position(|byte| *byte == b'=')?;
        let (key, value) = member.split_at(at);
        let value = value.get(1..)?.split(|byte| *byte == b';').next()?;
        (key.trim_ascii() == name).then(|| value.trim_ascii())
    })
}

#[cfg(test)]
mod tests {
    #[cfg(target_family = "wasm")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::values;

    #[test]
    fn members_by_name() {
        let of = |line: &'static str, name: &'static str| -> Vec<&[u8]> {
            values(line.as_bytes(), name.as_bytes()).collect()
        };
        assert_eq!(of("userId=alice,tenant=t1", "userId"), [b"alice"]);
        assert_eq!(of("tenant=t1 , userId = al%20ice ;p=1;q", "userId"), [b"al%20ice"]);
        assert_eq!(of("a=1=2,a=3", "a"), [&b"1=2"[..], b"3"]);
        assert_eq!(of("xuserId=1,userId,;userId=2", "userId"), [b""; 0]);
        assert_eq!(of("congo=t61rcWkgMzE,rojo=00f067aa0ba902b7", "rojo"), [b"00f067aa0ba902b7"]);
    }
}

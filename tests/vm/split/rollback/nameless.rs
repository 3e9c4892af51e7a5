//! A rollback remembers users who have failed, and names none.

use narrows_core::hash_of;
use narrows_vm::Response;
use serde_json::json;

use super::rig::{Proxy, error, policy, status};

const USERS: u32 = 2_000;

/// The name of the split, which is its salt.
const SALT: &[u8] = b"stock";

/// A number as it stands in shared data: seven bits to a byte, the lowest first.
fn written(mut number: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
    bytes
}

/// What would tell who a user is: the key, and its hash, whole or the half that is kept, in hexadecimal and
/// decimal digits. A few digits alone tell nothing, and stand anywhere.
fn names(user: &str, hash: u64, kept: u32) -> Vec<String> {
    let numbers = [hash, u64::from(kept)].into_iter();
    let digits = numbers.flat_map(|n| [format!("{n:x}"), format!("{n:X}"), n.to_string()]);
    digits.filter(|digits| digits.len() > 5).chain([user.to_owned()]).collect()
}

#[test]
fn who_has_failed_is_in_no_log_and_in_no_metric() -> anyhow::Result<()> {
    let rollback = json!({ "errors": "enforce", "clientErrors": "report" });
    let mut proxy = Proxy::new(2, &policy(10, &rollback))?;
    // Of both sides some fail, some are refused.
    let off = proxy.until_off(10, 200, USERS.into(), |chance, is_canary| match chance.percent() {
        0..40 if is_canary => error(),
        40..90 if is_canary => status(404),
        0 => error(),
        1 => status(404),
        _ => Response::ok(),
    });
    assert!(off.is_some(), "it goes on serving");
    proxy.second(200, USERS.into(), |_, _| Response::ok());
    let (said, remembered) = (proxy.said(), proxy.remembered());
    assert_eq!((proxy.lines("switched off"), proxy.lines("only reported")), (1, 1), "{said:?}");
    let mut kept = 0;
    for user in (0..USERS).map(|number| format!("user-{number}")) {
        let hash = hash_of(SALT, user.as_bytes());
        let half = u32::try_from(hash >> 32)?;
        for name in names(&user, hash, half) {
            let told = said.iter().find(|line| line.contains(&name));
            assert_eq!(told, None, "{user} is told as {name}");
        }
        let bytes = written(half);
        kept += usize::from(remembered.windows(bytes.len()).any(|some| some == bytes));
    }
    println!("{kept} users in {} bytes, and none in {} lines and series", remembered.len(), said.len());
    // Those who failed are remembered, as what was looked for.
    assert!(kept >= 24, "{kept}");
    Ok(())
}

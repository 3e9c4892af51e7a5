//! A ramp at another time: the clock of a real Envoy cannot be set, so the steps come to it.

use anyhow::Context;
use narrows_core::moment;
use serde_json::Value;

/// The policy whose ramps are now what they are at a moment, in seconds since the epoch.
pub fn shifted(policy: &str, at: u64) -> anyhow::Result<String> {
    let mut policy: Value = serde_json::from_str(policy)?;
    shift(&mut policy, at, narrows_model::now())?;
    Ok(policy.to_string())
}

fn shift(value: &mut Value, at: u64, now: u64) -> anyhow::Result<()> {
    match value {
        Value::Object(fields) => {
            let steps = fields.get_mut("ramp").and_then(|ramp| ramp["steps"].as_array_mut());
            for step in steps.into_iter().flatten() {
                let written =
                    step["at"].as_str().and_then(moment::parse).context("a step without a moment")?;
                step["at"] = moment::utc((written + now).checked_sub(at).context("before 1970")?).into();
            }
            fields.values_mut().try_for_each(|field| shift(field, at, now))
        }
        Value::Array(elements) => elements.iter_mut().try_for_each(|element| shift(element, at, now)),
        _ => Ok(()),
    }
}

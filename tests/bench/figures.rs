//! What many samples say.

/// The value below which a part of the samples lies; none of no samples.
pub(super) fn quantile(samples: &[f64], part: f64) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short list"
    )]
    let place = (part * sorted.len().saturating_sub(1) as f64).round() as usize;
    sorted.get(place).copied().unwrap_or(f64::NAN)
}

/// What a noisy machine disturbs least: the noise only adds.
pub(super) fn lower_quartile(samples: &[f64]) -> f64 {
    quantile(samples, 0.25)
}

pub(super) fn median(samples: &[f64]) -> f64 {
    quantile(samples, 0.5)
}

#[test]
fn quantiles_are_samples() {
    let samples = [5.0, 1.0, 4.0, 2.0, 3.0];
    assert_eq!((lower_quartile(&samples), median(&samples), quantile(&samples, 1.0)), (2.0, 3.0, 5.0));
    assert!(median(&[]).is_nan());
}

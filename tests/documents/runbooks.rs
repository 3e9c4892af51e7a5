//! Every alert leads to a chapter that says what to do, and every chapter is of an alert.

use std::collections::BTreeSet;
use std::fs;

use narrows_harness::root;
use serde_json::Value;

const DOCUMENT: &str = "docs/operations.md";

#[test]
fn every_alert_leads_to_its_chapter() {
    let rules = fs::read_to_string(root().join("envoy-configs/prometheus/rules.yml")).unwrap();
    let rules: Value = serde_saphyr::from_str(&rules).unwrap();
    let rules =
        rules["groups"].as_array().unwrap().iter().flat_map(|group| group["rules"].as_array().unwrap());
    let mut alerts = BTreeSet::new();
    for rule in rules {
        let Some(alert) = rule["alert"].as_str() else { continue };
        alerts.insert(alert.to_owned());
        let expected = format!("{DOCUMENT}#{}", alert.to_lowercase());
        assert_eq!(rule["annotations"]["runbook_url"], expected.as_str());
    }
    let document = fs::read_to_string(root().join(DOCUMENT)).unwrap();
    let chapters: BTreeSet<String> = document
        .lines()
        .filter_map(|line| line.strip_prefix("### Narrows"))
        .map(|name| format!("Narrows{name}"))
        .collect();
    assert_eq!(chapters, alerts);
    assert!(alerts.len() >= 9, "{alerts:?}");
}

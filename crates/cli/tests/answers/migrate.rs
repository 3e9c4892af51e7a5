//! What `narrows migrate` writes can be attached as it says.

use std::fs;
use std::path::Path;

use super::{directory, narrows};

/// Each old configuration that is tried on Envoy: what is rendered of it has no faults.
#[test]
fn the_commands_that_attach_a_policy_run() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/migrate");
    let (mut commands, mut merged) = (0, 0);
    for entry in fs::read_dir(data).unwrap() {
        let path = entry.unwrap().path();
        let here = directory("migrate");
        let old = path.to_str().unwrap();
        let (code, output, errors) =
            narrows(&here, &["migrate", old, "--out", "policy.yaml", "--allow-differences"]);
        assert_eq!(code, Some(0), "{old}: {output}{errors}");
        let told: Vec<&str> = errors.lines().filter_map(|line| line.strip_prefix("  narrows ")).collect();
        assert!(!told.is_empty() && errors.contains("note: attach it to "), "{old}: {errors}");
        for command in told {
            let (code, rendered, errors) = narrows(&here, &command.split(' ').collect::<Vec<_>>());
            assert_eq!(code, Some(0), "{old}: {command}: {errors}");
            fs::write(here.join("rendered.yaml"), &rendered).unwrap();
            let (code, output, _) = narrows(&here, &["lint", "rendered.yaml"]);
            assert_eq!(code, Some(0), "{old}: {command}: {output}{rendered}");
            // What was rendered is still one policy.
            let (code, _, errors) = narrows(&here, &["digest", "rendered.yaml"]);
            assert_eq!(code, Some(0), "{old}: {command}: {errors}");
            commands += 1;
            merged += usize::from(rendered.contains("pluginName: narrows"));
        }
    }
    assert!(commands > 10 && merged > 0, "{commands} {merged}");
}

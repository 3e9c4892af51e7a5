//! A plugin that is rendered in two parts stays one policy.

use std::process::Command;

/// What `render` writes is one policy to the other commands, whatever it takes to attach it.
#[test]
fn what_is_rendered_is_read_again() {
    let narrows = |arguments: &[&str]| {
        let done = Command::new(env!("CARGO_BIN_EXE_narrows"))
            .args(arguments)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures"))
            .output()
            .unwrap();
        (
            done.status.code(),
            String::from_utf8(done.stdout).unwrap() + &String::from_utf8(done.stderr).unwrap(),
        )
    };
    let render = |policy: &str| {
        let url = "oci://registry.example/narrows/header-router:0.1.0";
        narrows(&["render", policy, "--as", "wasm-plugin", "--target", "Gateway/shop", "--url", url])
    };
    let (code, rendered) = render("api.yaml");
    assert_eq!((code, rendered.matches("kind: WasmPlugin").count()), (Some(0), 2), "{rendered}");
    let file = std::env::temp_dir().join(format!("narrows-authorization-{}.yaml", std::process::id()));
    std::fs::write(&file, &rendered).unwrap();
    let path = file.to_str().unwrap();
    let again = render(path);
    let simulated =
        ["api.yaml", path].map(|policy| narrows(&["simulate", policy, "--requests", "shop-requests.yaml"]));
    let linted = narrows(&["lint", path]);
    std::fs::remove_file(&file).unwrap();
    assert_eq!(again.1, rendered);
    assert_eq!(simulated[0], simulated[1]);
    assert_eq!(simulated[0].0, Some(0), "{}", simulated[0].1);
    assert_eq!(linted, (Some(0), "0 errors and 0 warnings in 1 file: 2 policies, 2 manifests\n".to_owned()));
}

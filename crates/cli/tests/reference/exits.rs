//! The table of exit codes: each command is run, and its code is what the table says.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::cell;

/// A command line, when it ends so, and its exit code.
type Exit = (&'static str, &'static str, i32);

const EXITS: &[Exit] = &[
    ("lint stock.yaml shop.yaml", "there are no findings", 0),
    ("lint keyless.yaml --max-warnings 9", "there are no errors, and no more warnings than are accepted", 0),
    ("lint keyless.yaml", "there is a warning", 1),
    ("lint broken.yaml", "there is an error, such as a policy that its filter refuses", 1),
    ("lint broken.yaml --fix --dry-run", "something would be changed", 1),
    ("lint stock.yaml missing.yaml", "a file or a folder cannot be read; the others are checked", 2),
    ("test shop-cases.yaml", "each case passes", 0),
    ("test wrong-cases.yaml", "a case fails", 1),
    ("test shop-cases.yaml --policy broken.yaml", "the filter refuses the policy", 1),
    ("test shop-cases.yaml --require-coverage", "no case shows some rule or backend", 1),
    ("test bad-cases.yaml", "a case file cannot be read, and nothing is run", 2),
    ("test shop-cases.yaml missing.yaml", "one of several files cannot be read, and nothing is run", 2),
    ("test shop.yaml", "there is no case", 2),
    (
        "simulate egress.yaml --get http://evil.example/",
        "the requests are decided on, whatever the decision",
        0,
    ),
    ("simulate broken.yaml --get http://a/", "the policy cannot be read", 2),
    ("simulate shop.yaml --requests bad-requests.yaml", "a request cannot be read", 2),
    ("diff stock.yaml stock-20.yaml", "no user is taken off a canary", 0),
    (
        "diff stock-20.yaml stock.yaml",
        "a user is taken off a canary, may be, or is served by another destination",
        1,
    ),
    ("diff stock-20.yaml stock.yaml --allow-back", "the same, with --allow-back", 0),
    ("diff egress.yaml egress.yaml", "no host and no request is decided otherwise", 0),
    ("diff egress.yaml egress-open.yaml", "a host is newly allowed", 1),
    ("diff egress-open.yaml egress.yaml", "a host is newly denied", 1),
    ("diff egress.yaml egress-open.yaml --allow-changes", "the same, with --allow-changes", 0),
    (
        "diff egress.yaml egress-open.yaml --requests egress-cases.yaml --allow-back",
        "a request is decided otherwise: --allow-back is for users of splits",
        1,
    ),
    ("diff shop.yaml egress.yaml --filter egress-policy", "the policies are not of one filter", 2),
    ("set-weight stock.yaml --backend canary 20", "the weight is changed", 0),
    ("set-weight stock.yaml --backend canary 1", "users would be sent back: nothing is changed", 1),
    ("set-weight stock.yaml --backend nobody 1", "there is no such backend", 2),
    ("migrate reviews-vs.yaml --allow-differences", "all is converted", 0),
    ("migrate reviews-vs.yaml", "some requests are treated in another way", 1),
    ("migrate delegating-vs.yaml", "something is refused: nothing is converted", 2),
    ("migrate shop.yaml", "there is nothing to convert", 2),
    ("render stock.yaml --as envoy-filter-block", "the policy is written", 0),
    (
        "render stock.yaml --as wasm-plugin --url oci://a/b --target GatewayClass/a",
        "lint would refuse what would be written",
        1,
    ),
    ("render broken.yaml --as envoy-filter-block", "the policy cannot be read", 2),
    ("learn gateway.log", "there are rules to write", 0),
    ("learn access.log", "egress-policy has logged nothing there", 2),
    ("digest stock.yaml", "the digest is printed", 0),
    ("digest missing.yaml", "the policy cannot be read", 2),
    ("explain NRW201", "the code is known", 0),
    ("explain NRW999", "the code is not known", 2),
    ("init canary-split", "the files are written", 0),
    ("init canary-split", "one of them is there already", 2),
    ("templates books-api.yaml", "the description is read", 0),
    ("templates stock.yaml", "it is no description of an API", 2),
    ("pack canary-split.wasm", "the image is made", 0),
    ("pack stock.yaml", "it is no module", 2),
    ("schema header-router", "always", 0),
    ("--help", "a help is asked for", 0),
    ("lint --formt json stock.yaml", "the command line is wrong", 2),
    ("explain > /dev/full", "the output cannot be written", 2),
    ("explain | true", "whoever reads the output has read enough", 0),
];

/// The table, and what the codes mean.
pub(super) fn table() -> String {
    let here = Path::new(env!("CARGO_TARGET_TMPDIR")).join("exits");
    _ = fs::remove_dir_all(&here);
    fs::create_dir_all(&here).unwrap();
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    for entry in fs::read_dir(fixtures).unwrap().map(Result::unwrap) {
        fs::copy(entry.path(), here.join(entry.file_name())).unwrap();
    }
    let program = Path::new(env!("CARGO_BIN_EXE_narrows")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let mut table = "| command | where | exit code |\n|---|---|---|\n".to_owned();
    for (arguments, when, code) in EXITS {
        // The code of the program, not of what reads its output.
        let line = format!("narrows {arguments}; exit ${{PIPESTATUS[0]}}");
        let run =
            Command::new("bash").current_dir(&here).env("PATH", &path).args(["-c", &line]).output().unwrap();
        let said = String::from_utf8_lossy(&run.stdout).into_owned() + &String::from_utf8_lossy(&run.stderr);
        assert_eq!(run.status.code(), Some(*code), "narrows {arguments}: {said}");
        table.push_str(&format!("| `narrows {}` | {} | {code} |\n", cell(arguments), cell(when)));
    }
    table
}

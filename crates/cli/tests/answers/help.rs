//! Help texts: they fit, they show examples, and the examples run.

use std::path::Path;
use std::process::Command;

use super::narrows;

fn fixtures() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

fn commands() -> Vec<String> {
    let (_, help, _) = narrows(&fixtures(), &["--help"]);
    let list = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let list = list.take_while(|line| !line.is_empty());
    let names = list.filter_map(|line| line.strip_prefix("  ")?.split(' ').next().map(str::to_owned));
    names.filter(|name| !name.is_empty() && name != "help").collect()
}

/// The steps that follow on each other, each after a `$`.
#[test]
fn the_steps_of_a_migration_run() {
    let here = super::directory("help-migrate");
    std::fs::copy(fixtures().join("reviews-vs.yaml"), here.join("reviews-vs.yaml")).unwrap();
    let (_, help, _) = narrows(&here, &["migrate", "--help"]);
    let steps: Vec<_> = help.lines().filter_map(|line| line.trim().strip_prefix("$ narrows ")).collect();
    assert!(steps.len() >= 3, "{help}");
    for (number, step) in steps.iter().enumerate() {
        let (code, output, errors) = narrows(&here, &words(step));
        // The first has found a difference, of which it tells.
        assert_eq!(code, Some(i32::from(number == 0)), "narrows {step}: {output}{errors}");
    }
}

/// The words of a line, quoted ones without their quotes.
fn words(line: &str) -> Vec<&str> {
    line.split_whitespace().map(|word| word.trim_matches('\'')).collect()
}

#[test]
fn every_command_shows_examples_that_run() {
    let commands = commands();
    assert!(commands.len() >= 9, "{commands:?}");
    for command in commands {
        let (code, help, _) = narrows(&fixtures(), &[&command, "--help"]);
        assert_eq!(code, Some(0));
        let examples: Vec<_> = help.lines().filter_map(|line| line.trim().strip_prefix("narrows ")).collect();
        assert!(!examples.is_empty(), "{command} shows no example:\n{help}");
        // What writes files writes them elsewhere.
        let here = if command == "init" { super::directory("init") } else { fixtures() };
        for example in examples {
            let (code, output, errors) = narrows(&here, &words(example));
            assert!(code != Some(2) && !output.is_empty(), "narrows {example}: {errors}");
        }
    }
}

#[test]
fn a_mistake_names_the_help_of_its_command() {
    for (arguments, message, help) in [
        (
            &["lint", "--formt", "json", "x"][..],
            "unexpected argument '--formt' found",
            "a similar argument exists: '--format'; see narrows lint --help",
        ),
        (
            &["render"],
            "the following required arguments were not provided: --as <SHAPE> <POLICY>",
            "write narrows render --as <SHAPE> <POLICY>; --as <SHAPE> is one of wasm-plugin, traffic-extension, \
             envoy-extension-policy, envoy-filter, telemetry, envoy-filter-block, stats-tags, pod-annotation, extra-stat-tags; \
             see narrows render --help",
        ),
        (
            &["render", "a.yaml", "--as", "wasm"],
            "invalid value 'wasm' for '--as <SHAPE>'",
            "a similar value exists: 'wasm-plugin'; --as <SHAPE> is one of wasm-plugin, ",
        ),
        (
            &["lint", "x", "--format", "xml"],
            "invalid value 'xml' for '--format <FORMAT>'",
            "--format <FORMAT> is one of text, json, github, sarif; see narrows lint --help",
        ),
        (&["lint", "x", "--format"], "a value is required for '--format <FORMAT>'", "is one of text, json,"),
        (&["schema"], "the following required arguments", "<SUBJECT> is one of header-router, "),
        (&["completions", "tcsh"], "invalid value 'tcsh' for '<SHELL>'", "<SHELL> is one of bash, "),
        (
            &["render", "a", "--as", "wasm-plugin", "--port", "x"],
            "invalid value 'x' for '--port <NUMBER>': write a number from 1 to 65535",
            "see narrows render --help",
        ),
        (&["--quiet"], "unexpected argument '--quiet' found", "see narrows --help"),
        (&["lnit", "x"], "there is no command \"lnit\"", "did you mean \"init\"? write one of init, lint, "),
    ] {
        let (code, _, errors) = narrows(&fixtures(), arguments);
        assert_eq!(code, Some(2), "{arguments:?}");
        let lines: Vec<&str> = errors.lines().collect();
        assert!(lines[0].starts_with(&format!("error: {message}")), "{arguments:?}: {errors}");
        assert!(lines[1].starts_with("  = help: ") && lines[1].contains(help), "{arguments:?}: {errors}");
    }
}

/// A help text and an error name the same releases.
#[test]
fn the_releases_are_named() {
    let known = format!("{} to {}", narrows::istio::Release::OLDEST, narrows::istio::Release::NEWEST);
    for command in ["lint", "render"] {
        let help = narrows(&fixtures(), &[command, "--help"]).1;
        assert!(help.split_whitespace().collect::<Vec<_>>().join(" ").contains(&known), "{help}");
    }
    let (_, _, errors) = narrows(&fixtures(), &["lint", "--istio", "2.0", "x"]);
    assert!(errors.contains(&format!("write one of {known}")), "{errors}");
}

#[test]
fn help_is_wrapped() {
    for command in [&["--help"][..], &["lint", "--help"], &["render", "--help"]] {
        let (_, help, _) = narrows(&fixtures(), command);
        // A line of an example is one line: it is there to be copied.
        let too_long =
            help.lines().find(|line| line.chars().count() > 100 && !line.contains("narrows render"));
        assert_eq!(too_long, None, "{command:?}");
    }
}

#[test]
fn shells_and_man_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = narrows(&fixtures(), &["completions", shell]);
        assert!(code == Some(0) && script.contains("max-warnings"), "{shell}");
    }
    if let Ok(run) = Command::new("bash").arg("-n").arg("/dev/null").output()
        && run.status.success()
    {
        let script = narrows(&fixtures(), &["completions", "bash"]).1;
        let run = Command::new("bash").arg("-n").arg("-c").arg(script).output().unwrap();
        assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    }
    let (code, page, _) = narrows(&fixtures(), &["man", "lint"]);
    assert!(code == Some(0) && page.contains(".TH") && page.contains("max\\-warnings"), "{page}");
    let (code, _, errors) = narrows(&fixtures(), &["lnit", "x"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("there is no command \"lnit\"") && errors.contains("lint, simulate"), "{errors}");
}

#[test]
fn colours_are_where_they_are_wanted() {
    let run = |arguments: &[&str], set: &[(&str, &str)]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_narrows"));
        command.current_dir(fixtures()).args(["lint", "broken.yaml"]).args(arguments);
        for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM"] {
            command.env_remove(name);
        }
        let output = command.envs(set.iter().copied()).output().unwrap();
        output.stdout.contains(&0x1b)
    };
    assert!(!run(&[], &[]), "a pipe has no colours");
    assert!(run(&["--color", "always"], &[]));
    assert!(run(&["--color", "always"], &[("NO_COLOR", "1")]));
    assert!(run(&[], &[("CLICOLOR_FORCE", "1")]));
    assert!(!run(&["--color", "never"], &[("CLICOLOR_FORCE", "1")]));
    assert!(!run(&[], &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")]));
}

/// What GitHub asks of SARIF, and what the standard asks of addresses.
#[test]
fn sarif_is_what_scanners_read() {
    let here = super::directory("sarif");
    std::fs::create_dir_all(here.join("a b")).unwrap();
    std::fs::write(here.join("a b/ü#.yaml"), "filter: header-router\nruls: []\n").unwrap();
    let (_, output, _) = narrows(&here, &["lint", "a b/ü#.yaml", "--format", "sarif"]);
    let sarif: serde_json::Value = serde_json::from_str(&output).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let driver = &sarif["runs"][0]["tool"]["driver"];
    let rule = &driver["rules"][0];
    let result = &sarif["runs"][0]["results"][0];
    for text in [
        &sarif["$schema"],
        &driver["name"],
        &driver["version"],
        &rule["helpUri"],
        &rule["help"]["text"],
        &rule["shortDescription"]["text"],
        &rule["fullDescription"]["text"],
        &result["message"]["text"],
    ] {
        assert!(text.as_str().is_some_and(|text| !text.is_empty()), "{output}");
    }
    assert_eq!(result["ruleId"], rule["id"]);
    assert!(rule["help"]["markdown"].as_str().is_some_and(|text| text.contains("Right:")), "{output}");
    // With the address of the site, there is a page.
    std::fs::write(here.join("narrows.toml"), "docs = \"https://docs.example.com/narrows/\"\n").unwrap();
    let (_, output, _) = narrows(&here, &["lint", "a b/ü#.yaml", "--format", "sarif"]);
    let page = "https://docs.example.com/narrows/docs/reference/codes/NRW101.html";
    assert!(output.contains(&format!("\"helpUri\": {page:?}")), "{output}");
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/codes/NRW101.md");
    assert!(document.is_file(), "the site has the page");
    assert_eq!(result["level"], "error");
    let place = &result["locations"][0]["physicalLocation"];
    assert_eq!(place["artifactLocation"]["uri"], "a%20b/%C3%BC%23.yaml");
    assert_eq!(
        [&place["region"]["startLine"], &place["region"]["startColumn"]].map(serde_json::Value::as_u64),
        [Some(2), Some(1)]
    );
}

//! A page for each code, with its example, which is run: the wrong file has exactly this code, the right one
//! none.

use std::collections::BTreeSet;

use narrows::code::Code;
use narrows::code::example::Example;
use narrows::explain;

use super::{MADE, Pages, narrows};

#[test]
fn every_code_has_an_example_and_every_example_a_code() {
    let codes: Vec<_> = explain::all().iter().map(|code| code.id).collect();
    let examples: Vec<_> = Example::all().map(|example| example.id).collect();
    assert_eq!(examples, codes, "the folders of crates/cli/codes, and the codes");
}

#[test]
fn wrong_files_have_the_code_and_right_ones_none() {
    let mut wrong = Vec::new();
    for example in Example::all() {
        let (code, said) = run(&example, "bad");
        let found = codes(&said);
        if found != BTreeSet::from([example.id.to_owned()]) || code == Some(0) {
            wrong.push(format!("{}/bad.yaml has {found:?}, exit code {code:?}:\n{said}", example.id));
        }
        let (code, said) = run(&example, "good");
        if code != Some(0) || !codes(&said).is_empty() {
            wrong.push(format!("{}/good.yaml, exit code {code:?}:\n{said}", example.id));
        }
        // An example shows its code, and not that two files have little in common.
        let [bad, good] = [example.bad(), example.good()].map(|text| text.lines().collect::<Vec<_>>());
        let same = bad.iter().filter(|line| good.contains(line)).count();
        if 3 * same < bad.len() && bad.len() > 4 {
            wrong.push(format!("{}: only {same} of {} lines are the same", example.id, bad.len()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

pub(super) fn add(pages: &mut Pages) {
    let mut index = format!(
        "# Codes\n\n{MADE}\n\nEvery finding has a code that never changes its meaning. `narrows explain NRW101` prints what is here.\n\n\
         | code | means |\n|---|---|\n"
    );
    for code in explain::all() {
        index.push_str(&format!("| [{0}]({0}.md) | {1} |\n", code.id, code.title));
        let example = Example::of(code.id).expect("a test says which has none");
        pages.insert(format!("codes/{}.md", code.id), page(code, &example));
    }
    pages.insert("codes/README.md".to_owned(), index);
}

fn page(code: &Code, example: &Example) -> String {
    let text = code.text.replace('*', "\\*").replace('<', "\\<");
    let mut page = format!("# {}: {}\n\n{MADE}\n\n{text}\n", code.id, code.title);
    for (name, file) in example.beside() {
        page.push_str(&format!("\nWith this `{name}`:\n\n```yaml\n{file}```\n"));
    }
    for (heading, name, file) in [("Wrong", "bad", example.bad()), ("Right", "good", example.good())] {
        let (exit, said) = run(example, name);
        // What is refused is no policy.
        let info = if said.contains("error[") { "yaml refused" } else { "yaml" };
        let exit = exit.filter(|exit| *exit != 0).map_or(String::new(), |exit| format!("? {exit}\n"));
        let command = command(example, name);
        let said: String = said.lines().map(|line| line.trim_end().to_owned() + "\n").collect();
        page.push_str(&format!(
            "\n## {heading}\n\n```{info}\n{file}```\n\n```console\n$ {command}\n{said}{exit}```\n"
        ));
    }
    page
}

fn command(example: &Example, name: &str) -> String {
    let folder = format!("crates/cli/codes/{}", example.id);
    example.command().replace("{folder}", &folder).replace("{}", &format!("{folder}/{name}.yaml"))
}

fn run(example: &Example, name: &str) -> (Option<i32>, String) {
    let command = command(example, name);
    let arguments: Vec<_> = command.strip_prefix("narrows ").unwrap().split(' ').collect();
    narrows(&arguments)
}

/// The codes of the findings in an output.
fn codes(said: &str) -> BTreeSet<String> {
    ["error[", "warning["]
        .iter()
        .flat_map(|before| said.split(before).skip(1).filter_map(|rest| rest.split_once(']')))
        .map(|(code, _)| code.to_owned())
        .collect()
}

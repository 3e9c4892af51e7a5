//! A page with what each command prints about itself.

use super::{MADE, Pages, exits, narrows};

pub(super) fn add(pages: &mut Pages) {
    let (_, help) = narrows(&["--help"]);
    let list = help.lines().skip_while(|line| !line.starts_with("Commands:")).skip(1);
    let list = list.take_while(|line| !line.is_empty());
    let names: Vec<_> = list
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "help")
        .collect();
    assert!(names.len() >= 12, "{help}");
    let mut page = format!(
        "# Commands\n\n{MADE}\n\nWhat `narrows COMMAND --help` prints. The [README](../../crates/cli/README.md) shows the commands at work.\n\n\
         ```console\n$ narrows --help\n{}```\n",
        lines(&help)
    );
    for name in names {
        let (_, help) = narrows(&[name, "--help"]);
        page.push_str(&format!(
            "\n## narrows {name}\n\n```console\n$ narrows {name} --help\n{}```\n",
            lines(&help)
        ));
    }
    page.push_str(&format!(
        "\n## Exit codes\n\n0 is clean. 1 says that there is something to look at. 2 says that the command could not do what it was \
         told. Each of these is run by a test, among the files of `crates/cli/tests/fixtures`:\n\n{}",
        exits::table()
    ));
    pages.insert("commands.md".to_owned(), page);
}

fn lines(text: &str) -> String {
    text.lines().map(|line| line.trim_end().to_owned() + "\n").collect()
}

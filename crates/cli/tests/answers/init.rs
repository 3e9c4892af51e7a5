//! `narrows init`: what it writes is right, and it overwrites nothing.

use std::fs;

use narrows::filter::Filter;

use super::{directory, narrows};

#[test]
fn every_filter_has_a_policy_to_start_from() {
    for filter in Filter::ALL {
        let name = filter.name();
        let here = directory(&format!("init-{name}"));
        let (code, said, errors) = narrows(&here, &["init", name, "--to", "new/folder"]);
        assert_eq!((code, &*errors), (Some(0), ""), "{said}");
        let policy = format!("new/folder/{name}.yaml");
        let (code, said, _) = narrows(&here, &["lint", &policy]);
        assert_eq!(code, Some(0), "{said}");
        let (code, said, errors) = narrows(&here, &["test", &policy, "--require-coverage"]);
        assert_eq!(code, Some(0), "{said}{errors}");
        assert!(fs::read_to_string(here.join(policy)).unwrap().contains("# "), "{name} has comments");
    }
}

#[test]
fn nothing_is_overwritten() {
    for taken in ["header-router.yaml", "cases/header-router.yaml"] {
        let here = directory("init-taken");
        fs::create_dir_all(here.join("cases")).unwrap();
        fs::write(here.join(taken), "mine").unwrap();
        let (code, _, errors) = narrows(&here, &["init", "header-router"]);
        assert_eq!(code, Some(2));
        assert!(errors.contains(&format!("{taken:?} is there already")), "{errors}");
        assert_eq!(fs::read_to_string(here.join(taken)).unwrap(), "mine");
        let files = ["header-router.yaml", "cases/header-router.yaml"];
        let there = files.iter().filter(|name| here.join(name).exists()).count();
        assert_eq!(there, 1, "both files are written, or none");
    }
}

#[test]
fn a_file_is_no_folder() {
    let here = directory("init-file");
    fs::write(here.join("there.yaml"), "mine").unwrap();
    let (code, _, errors) = narrows(&here, &["init", "header-router", "--to", "there.yaml"]);
    assert_eq!(code, Some(2));
    assert!(errors.contains("--to \"there.yaml\" is a file") && errors.contains("name a folder"), "{errors}");
}

//! The documents of the filters say what is so: their tables are made from the cases, and the
//! policies that they show load and do what stands beside them.
//!
//! `NARROWS_WRITE=1` writes the tables afresh.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use narrows_cases::table;
use narrows_core::request::Source;
use narrows_core::router::Router;
use narrows_core::{Edit, Policy, Request, Tree};
use narrows_runners::{Filter, files};

#[test]
fn tables_of_behaviours_are_those_of_the_cases() -> anyhow::Result<()> {
    let write = std::env::var_os("NARROWS_WRITE").is_some();
    for readme in documents("README.md") {
        let folder = readme.parent().unwrap_or(&readme);
        let files = files(Some(&format!("{}/cases/", folder.display())))?;
        let changed = table::refresh(&readme, &files, write)? == Some(true);
        assert!(
            write || !changed,
            "{} is not up to date; set NARROWS_WRITE=1 and run again",
            readme.display()
        );
    }
    Ok(())
}

#[test]
fn policies_in_the_documents_load() -> anyhow::Result<()> {
    for document in ["README.md", "COMING-FROM.md"] {
        for policy in policies(document)? {
            let compiled = Filter::named("header-router")?.compile(&policy);
            assert!(compiled.is_ok(), "{document}: {}\n{policy}", compiled.err().unwrap());
        }
    }
    Ok(())
}

/// Every policy that a document of the router shows, a rule alone as the whole of one.
fn policies(document: &str) -> anyhow::Result<Vec<String>> {
    let path = narrows_harness::workspace().join("filters/header-router").join(document);
    let text = std::fs::read_to_string(&path)?;
    let blocks = text.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap_or_default());
    let whole = |policy: &str| {
        let is_rule = policy.trim_start().starts_with("{ \"name\"");
        if is_rule { format!("{{\"rules\":[{policy}]}}") } else { policy.to_owned() }
    };
    let policies: Vec<String> = blocks.map(whole).collect();
    anyhow::ensure!(!policies.is_empty(), "{} shows no policy", path.display());
    Ok(policies)
}

/// A rule of COMING-FROM.md, a request (`METHOD target`, its lines), and what becomes of it: as the
/// manifest above the rule has it.
const BESIDE: &[(&str, &str, &[(&str, &str)], &str)] = &[
    (
        "beta-users",
        "GET /api/x?a=1",
        &[("x-user-group", "beta")],
        "beta-users x-lane=beta :path=/v2/api/x?a=1 x-narrows-route=reviews-v2",
    ),
    (
        "beta-users",
        "GET /apix",
        &[("cookie", "a=1; beta=1; b=2")],
        "beta-users x-lane=beta :path=/v2/apix x-narrows-route=reviews-v2",
    ),
    ("beta-users", "GET /other", &[("x-user-group", "beta")], "-"),
    ("beta-users", "GET /api", &[("cookie", "alphabeta=1")], "-"),
    (
        "german-cart",
        "GET /cart/items?lang=de",
        &[],
        "german-cart :path=/warenkorb/items?lang=de x-narrows-route=cart-de",
    ),
    ("german-cart", "GET /cartwheel?lang=de", &[], "-"),
    ("german-cart", "POST /cart?lang=de", &[], "-"),
    ("german-cart", "GET /cart?lang=fr&lang=de", &[], "-"),
    (
        "https",
        "GET /a?b",
        &[(":authority", "www.example.com")],
        "https 301 location=https://www.example.com/a?b",
    ),
    ("https", "GET /a?b", &[], "-"),
    ("never", "GET /", &[("x-canary", "always")], "always x-narrows-route=shop-canary"),
    ("never", "GET /", &[("cookie", "canary=always")], "always x-narrows-route=shop-canary"),
    ("never", "GET /", &[("x-canary", "never"), ("cookie", "canary=always")], "never"),
    ("something", "GET /something/a/b", &[], "something :path=/a/b"),
    ("something", "GET /something", &[], "something :path=/"),
    ("something", "GET /somethingelse", &[], "-"),
    ("inside", "GET /", &[("address", "10.1.2.3:4711")], "inside"),
    ("inside", "GET /", &[("address", "11.1.2.3:4711")], "outside 403"),
];

#[test]
fn policies_do_what_stands_beside_them() -> anyhow::Result<()> {
    let mut unproved: BTreeSet<String> = policies("COMING-FROM.md")?.into_iter().collect();
    for (rule, line, lines, becomes) in BESIDE {
        let named = |policy: &&String| policy.contains(&format!("\"name\": \"{rule}\""));
        let policy = policies("COMING-FROM.md")?.iter().find(named).expect("the document shows it").clone();
        let router = Router::compile(&Tree::parse(policy.as_bytes())?)?;
        let (method, target) = line.split_once(' ').expect("a method and a target");
        let address = lines.iter().find(|(name, _)| *name == "address").map(|(_, value)| value.as_bytes());
        let mut headers = vec![(":method", method), (":path", target), (":scheme", "http")];
        if !lines.iter().any(|(name, _)| *name == ":authority") {
            headers.push((":authority", "shop.example.com"));
        }
        headers.extend(lines.iter().filter(|(name, _)| *name != "address"));
        let request = Request::new(headers.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())))
            .from_source(Source { address, principal: None });
        assert_eq!(told(&router, request), *becomes, "{rule}: {line} {lines:?}");
        unproved.remove(&policy);
    }
    assert!(unproved.is_empty(), "no request stands beside {unproved:?}");
    Ok(())
}

/// The rule, its edits and its answer, in one line.
fn told(router: &Router, request: Request<'_>) -> String {
    let (decision, verdict) = router.decide(request);
    let mut told = verdict.rule.and_then(|rule| router.rule(rule)).unwrap_or("-").to_owned();
    for edit in &decision.request {
        if let Edit::Set(name, value) = edit {
            told.push_str(&format!(" {name}={}", value.escape_ascii()));
        }
    }
    if let Some(reply) = decision.reply {
        told.push_str(&format!(" {}", reply.status));
        for (name, value) in &reply.headers {
            told.push_str(&format!(" {name}={}", value.escape_ascii()));
        }
    }
    told
}

#[test]
fn what_others_offer_is_shown_by_a_case() -> anyhow::Result<()> {
    let folder = narrows_harness::workspace().join("filters/header-router");
    let files = files(Some(&format!("{}/cases/", folder.display())))?;
    let mut names = BTreeSet::new();
    for file in &files {
        let label = file.label();
        let label = label.rsplit('/').next().unwrap_or_default();
        names.extend(file.cases.iter().map(|case| format!("{label}: {}", case.name)));
        names.extend(file.refused.iter().map(|refused| format!("{label}: {}", refused.name)));
    }
    assert!(names.len() >= 120, "{} cases", names.len());
    let readme = std::fs::read_to_string(folder.join("README.md"))?;
    let rows = readme.split("| elsewhere | here | shown by |").nth(1).expect("the table").lines().skip(2);
    let mut shown = 0;
    for row in rows.take_while(|row| row.starts_with('|')) {
        let case = row.trim_end_matches(" |").rsplit("| ").next().unwrap_or_default().trim_matches('`');
        assert!(names.contains(case), "no case is called {case:?}");
        shown += 1;
    }
    // One for each thing that a peer offers.
    assert_eq!(shown, 17);
    Ok(())
}

fn documents(name: &str) -> Vec<PathBuf> {
    let filters = std::fs::read_dir(narrows_harness::workspace().join("filters")).expect("there are filters");
    let paths = filters.filter_map(Result::ok).map(|folder| folder.path().join(name));
    paths.filter(|path| Path::is_file(path)).collect()
}

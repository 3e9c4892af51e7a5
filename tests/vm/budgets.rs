//! What each request costs, kept to two percent: `budgets.txt`.
//!
//! A figure is a count, the same on every machine: nothing here reads a clock. The prices are those
//! of the case files' cases that say `budget: true`, by the filter's own module and as a part of the
//! merged plugin, and of the requests in `built.rs`, which no case file holds: thousands of rules, long
//! headers, trailers, four parts at once. To accept new ones:
//!
//! ```text
//! UPDATE=1 cargo test --locked --workspace --test vm -- budgets
//! ```

mod built;
mod difference;
mod price;
mod record;

use std::collections::BTreeMap;

use narrows_cases::{Case, File, Runner};
use narrows_harness::form::{Attached, Form};
use narrows_runners::vm::{answer, exchange};
use narrows_runners::{Filter, files};
use narrows_vm::{Exchange, Module, Plugin, Response};

use price::Price;

/// The least number of prices that are kept.
const AT_LEAST: usize = 40;

/// Prices by the name of what they are for.
type Prices = BTreeMap<String, Price>;

/// A request whose price is kept.
struct Priced {
    name: String,
    filter: String,
    policy: String,
    form: Form,
    /// The VM's configuration.
    vm: String,
    exchange: Exchange,
    answer: Response,
}

#[test]
fn no_request_costs_more_than_its_budget() {
    let found = measure().unwrap_or_else(|error| panic!("{error:#}"));
    assert!(found.len() >= AT_LEAST, "only {} prices are kept", found.len());
    if std::env::var_os("UPDATE").is_some() {
        return record::write(&found);
    }
    let table = difference::table(&record::read(), &found);
    assert!(table.is_empty(), "\n{table}\n{ACCEPT}");
}

#[test]
fn a_price_is_the_same_in_every_vm() -> anyhow::Result<()> {
    // Without those of ten thousand rules, which take a second to load.
    for priced in built::all().into_iter().skip(6).step_by(5) {
        assert_eq!(priced.price()?, priced.price()?, "{}", priced.name);
    }
    Ok(())
}

fn measure() -> anyhow::Result<Prices> {
    let files = files(None)?;
    let marked = files.iter().flat_map(|file| {
        let marked = file.cases_for(Runner::Wasm).filter(|case| case.budget);
        marked.flat_map(|case| [Form::Modules, Form::Plugin].map(|form| Priced::of(file, case, form)))
    });
    let mut prices = Prices::new();
    for priced in marked.chain(built::all()) {
        let earlier = prices.insert(priced.name.clone(), priced.price()?);
        anyhow::ensure!(earlier.is_none(), "two prices are called {:?}", priced.name);
    }
    Ok(prices)
}

impl Priced {
    fn of(file: &File, case: &Case, form: Form) -> Self {
        let merged = if form == Form::Plugin { ", as a part" } else { "" };
        Self {
            name: format!("{}: {}{merged}", file.label(), case.name),
            filter: file.filter.clone(),
            policy: file.policy.clone(),
            form,
            vm: file.vm.clone(),
            exchange: exchange(case),
            answer: answer(case),
        }
    }

    fn price(&self) -> anyhow::Result<Price> {
        let (_, attached) = Filter::named(&self.filter)?.attached(self.form, &self.policy)?;
        let Attached { wasm, root_id, policy, .. } = attached;
        let plugin = Plugin { root_id: root_id.to_owned(), ..Plugin::new("narrows", policy) };
        Price::of(&Module::load(wasm)?, &self.vm, plugin, &self.exchange, &self.answer)
    }
}

const ACCEPT: &str = "What is dearer needs a reason; what is cheaper is a gain to keep. To accept all of it:\n\
    UPDATE=1 cargo test --locked --workspace --test vm -- budgets";

//! `make bench` still runs: every chain starts, and answers as it should.

use narrows_tests::bill::smoke;

#[test]
fn every_chain_of_the_bill_answers() {
    let chains = smoke().unwrap_or_else(|error| panic!("{error:#}"));
    assert!(chains >= 32, "only {chains} chains");
}

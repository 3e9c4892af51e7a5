//! The cases of a suite, run.

use narrows_cases::Runner;
use narrows_core::PolicyValue;
use narrows_model::disagreements;

use super::find::Suite;

/// What became of a case.
pub(super) struct Outcome {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) status: Status,
    /// What the case shows, for coverage: facts of the decision.
    pub(super) decided: Vec<(String, Vec<u8>)>,
}

/// How it ended.
pub(super) enum Status {
    Passed,
    /// Everything that is not as expected.
    Failed(Vec<String>),
    /// Why it does not run here.
    Skipped(String),
}

impl Outcome {
    pub(super) fn failed(&self) -> bool {
        matches!(self.status, Status::Failed(_))
    }
}

pub(super) fn run(suite: &Suite) -> Vec<Outcome> {
    let cases = suite.cases.iter().map(|case| {
        let mut decided = Vec::new();
        let status = match &suite.compiled {
            Err(invalid) => Status::Failed(vec![format!("the policy is refused: {}", one_line(invalid))]),
            Ok(_) if !case.it.runs_in(Runner::Core) => {
                Status::Skipped(case.it.because.clone().unwrap_or_default())
            }
            Ok(policy) => {
                let observed = policy.run(&case.it);
                let wrong = disagreements(&case.it.expect, &observed);
                decided = observed.decided;
                if wrong.is_empty() { Status::Passed } else { Status::Failed(wrong) }
            }
        };
        Outcome { name: case.it.name.clone(), line: case.line, status, decided }
    });
    let refused = suite.refused.iter().map(|refused| Outcome {
        name: refused.it.name.clone(),
        line: refused.line,
        status: refusal(suite, &refused.it),
        decided: Vec::new(),
    });
    cases.chain(refused).collect()
}

fn refusal(suite: &Suite, refused: &narrows_cases::Refused) -> Status {
    let tree = PolicyValue::parse(refused.policy.to_string().as_bytes());
    match tree.and_then(|tree| suite.compile(&tree)) {
        Ok(_) => Status::Failed(vec![format!("the policy loads; expected {}", refused.fault)]),
        Err(invalid) => {
            let first = invalid.faults().first();
            let found = first.map(|fault| format!("{} {}", fault.code, fault.place)).unwrap_or_default();
            if found.trim_end() == refused.fault {
                Status::Passed
            } else {
                Status::Failed(vec![format!(
                    "refused with {:?}; expected {:?}",
                    found.trim_end(),
                    refused.fault
                )])
            }
        }
    }
}

fn one_line(invalid: &narrows_core::Invalid) -> String {
    invalid.to_string().lines().next().unwrap_or_default().to_owned()
}

//! A lane lives while its request is being served.

use narrows_vm::{Exchange, Response};

use super::{CALL, GRAY, POLICY, Workers};

impl Workers {
    /// A request that comes in, and is not served yet.
    fn opens(&mut self, headers: &[(&str, &str)]) -> u32 {
        let (vm, root) = &mut self.vms[0];
        let all =
            headers.iter().fold(Exchange::get("orders", "/"), |all, (name, value)| all.header(*name, *value));
        let stream = vm.open(*root, all.property(&["xds", "listener_direction"], 1i64));
        vm.forward(stream, |_| Response::ok());
        stream
    }

    fn closes(&mut self, stream: u32) {
        assert_eq!(self.vms[0].0.close(stream).work.trap, None);
    }
}

/// The end of a request that came before anything was remembered ends no other request of its trace.
#[test]
fn what_was_not_remembered_ends_nothing() -> anyhow::Result<()> {
    let mut workers = Workers::new(1, POLICY)?;
    let bare = workers.opens(&CALL);
    let gray = workers.opens(&GRAY);
    workers.pass(1);
    workers.closes(bare);
    workers.pass(15);
    assert_eq!(workers.goes_out(0, &CALL).as_deref(), Some("gray"), "its request is being served");
    workers.closes(gray);
    workers.pass(9);
    assert_eq!(workers.goes_out(0, &CALL).as_deref(), Some("gray"));
    workers.pass(2);
    assert_eq!(workers.goes_out(0, &CALL), None);
    Ok(())
}

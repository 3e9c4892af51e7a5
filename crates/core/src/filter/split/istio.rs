//! Istio's names of clusters: `outbound|8080||stock-canary.books.svc.cluster.local`.

/// Direction, port, subset and host; `None` for a name of any other form.
pub(super) fn parts(cluster: &[u8]) -> Option<[&[u8]; 4]> {
    let mut parts = cluster.split(|b| *b == b'|');
    let direction = parts.next().filter(|direction| *direction == b"outbound")?;
    let four = [direction, parts.next()?, parts.next()?, parts.next()?];
    parts.next().is_none().then_some(four)
}

/// Whether two clusters are the same one, or two ports of one.
pub(super) fn differ_by_port_at_most(one: &[u8], other: &[u8]) -> bool {
    let portless = |cluster| parts(cluster).map(|[_, _, subset, host]| (subset, host));
    one == other || portless(one).is_some_and(|one| portless(other) == Some(one))
}

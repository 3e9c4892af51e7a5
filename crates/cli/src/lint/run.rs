//! Files that are applied together.

use super::attached::Attached;
use super::gateways::Gateways;
use crate::documents::{self, Found};
use crate::finding::Finding;
use crate::source::{Node, SourceFile};

/// A file as it was read.
pub(super) struct File {
    pub(super) documents: Vec<Node>,
    pub(super) policies: Vec<Found>,
    /// The faults because of which it could not be read.
    pub(super) findings: Vec<Finding>,
}

/// Files that are applied together, each known by its number.
pub(super) struct Run<'n> {
    pub(super) resources: Vec<(usize, &'n Node)>,
    pub(super) policies: Vec<&'n Found>,
    pub(super) gateways: Gateways<'n>,
    /// The filters of Narrows that resources attach.
    pub(super) attached: Vec<Attached<'n>>,
}

impl File {
    pub(super) fn read(source: &SourceFile) -> Self {
        let mut file = Self { documents: Vec::new(), policies: Vec::new(), findings: Vec::new() };
        match source.documents() {
            Ok(documents) => file.documents = documents,
            Err(finding) => file.findings.push(finding),
        }
        for resource in file.documents.iter().flat_map(documents::resources) {
            file.policies.extend(documents::policies(source, resource, &mut file.findings));
        }
        file
    }

    pub(super) fn resources(&self) -> impl Iterator<Item = &Node> {
        self.documents.iter().flat_map(documents::resources)
    }
}

impl<'n> Run<'n> {
    pub(super) fn new(files: &'n [File]) -> Self {
        let numbered = files.iter().enumerate();
        let resources: Vec<_> = numbered
            .flat_map(|(file, read)| read.resources().map(move |resource| (file, resource)))
            .collect();
        let gateways = Gateways::new(&resources);
        let attached = resources
            .iter()
            .filter_map(|(file, resource)| Attached::new(*file, resource, &gateways))
            .collect();
        Self {
            resources,
            policies: files.iter().flat_map(|file| &file.policies).collect(),
            gateways,
            attached,
        }
    }
}

//! Files that are applied together.

use std::collections::BTreeMap;

use super::attached::Attached;
use super::gateways::Gateways;
use super::meetings::Meetings;
use super::options::Options;
use crate::documents::{self, Found, Kind};
use crate::filter::Filter;
use crate::finding::Finding;
use crate::source::{Node, SourceFile};

/// A file as it was read.
pub(super) struct File {
    path: String,
    /// Where its lines begin.
    starts: Vec<usize>,
    pub(super) documents: Vec<Node>,
    pub(super) policies: Vec<Found>,
    /// The faults because of which it could not be read.
    pub(super) findings: Vec<Finding>,
}

/// Files that are applied together, each known by its number.
pub(super) struct Run<'n> {
    files: &'n [File],
    pub(super) options: &'n Options,
    pub(super) resources: Vec<(usize, &'n Node)>,
    /// The resources by their kinds, in their order.
    kinds: BTreeMap<(Kind, &'n str), Vec<(usize, &'n Node)>>,
    /// Services by their name; what is written for hosts by the first label of a host.
    named: BTreeMap<(Kind, &'n str), Vec<&'n Node>>,
    pub(super) policies: Vec<(usize, &'n Found)>,
    pub(super) gateways: Gateways<'n>,
    /// The filters of Narrows that resources attach.
    pub(super) attached: Vec<Attached<'n>>,
    /// Which of them may run on one proxy.
    pub(super) meetings: Meetings,
}

impl File {
    pub(super) fn read(source: &SourceFile, options: &Options) -> Self {
        let mut file = Self {
            path: source.path.clone(),
            starts: source.text.match_indices('\n').map(|(at, _)| at + 1).collect(),
            documents: Vec::new(),
            policies: Vec::new(),
            findings: Vec::new(),
        };
        match documents::read(source) {
            Ok(documents) => file.documents = documents,
            Err(_) if options.filter.is_none() && is_foreign(source) => {}
            Err(finding) => file.findings.push(finding),
        }
        for resource in file.documents.iter().flat_map(documents::resources) {
            file.policies.extend(documents::policies(source, resource, &mut file.findings));
        }
        // Other programs have files of YAML too.
        file.policies.retain(|found| found.within != Kind::Unknown || options.filter.is_some());
        file
    }

    pub(super) fn resources(&self) -> impl Iterator<Item = &Node> {
        self.documents.iter().flat_map(documents::resources)
    }
}

/// Whether a file that cannot be read is one of another program: a template, or JSON with comments, that
/// mentions no filter.
fn is_foreign(source: &SourceFile) -> bool {
    let is_template = source.text.contains("{{") || source.text.contains("{%");
    (is_template || source.is_json()) && !Filter::ALL.iter().any(|filter| source.text.contains(filter.name()))
}

impl<'n> Run<'n> {
    pub(super) fn new(files: &'n [File], options: &'n Options) -> Self {
        let numbered = files.iter().enumerate();
        let resources: Vec<_> = numbered
            .flat_map(|(file, read)| read.resources().map(move |resource| (file, resource)))
            .collect();
        let gateways = Gateways::new(&resources, options);
        let attached: Vec<_> = resources
            .iter()
            .filter_map(|(file, resource)| Attached::new(*file, resource, &gateways, options))
            .collect();
        let mut kinds: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (file, resource) in &resources {
            let kind = Kind::of(resource);
            let name = resource.text_at("kind").filter(|_| kind == Kind::Other).unwrap_or_default();
            kinds.entry((kind, name)).or_default().push((*file, *resource));
        }
        let mut named: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (_, resource) in &resources {
            let kind = Kind::of(resource);
            for name in names(kind, resource) {
                named.entry((kind, name)).or_default().push(*resource);
            }
        }
        let meetings = Meetings::new(&attached, options.root());
        let numbered = files.iter().enumerate();
        let policies = numbered.flat_map(|(file, read)| read.policies.iter().map(move |found| (file, found)));
        Self {
            files,
            options,
            policies: policies.collect(),
            resources,
            kinds,
            named,
            gateways,
            attached,
            meetings,
        }
    }

    /// The name of a file.
    pub(super) fn path(&self, file: usize) -> &'n str {
        self.files.get(file).map_or("", |file| &file.path)
    }

    /// A place in a file, as messages name it: the file and the line.
    pub(super) fn place(&self, file: usize, at: usize) -> String {
        let starts = self.files.get(file).map(|file| file.starts.as_slice()).unwrap_or_default();
        format!("{}:{}", self.path(file), starts.partition_point(|start| *start <= at) + 1)
    }

    /// The folder of a file.
    pub(super) fn folder(&self, file: usize) -> &'n str {
        self.path(file).rsplit_once('/').map_or("", |(folder, _)| folder)
    }

    /// The resources of a kind.
    pub(super) fn of(&self, kind: Kind) -> &[(usize, &'n Node)] {
        self.kinds.get(&(kind, "")).map(Vec::as_slice).unwrap_or_default()
    }

    /// The resources of a kind that may be about a Service of this name.
    pub(super) fn about(&self, kind: Kind, service: &'n str) -> impl Iterator<Item = &'n Node> {
        // A host may begin with a star.
        let lists = [service, "*"].map(|name| self.named.get(&(kind, name)));
        lists.into_iter().flatten().flatten().copied()
    }

    /// The resources of a kind that is not checked by itself.
    pub(super) fn other(&self, kind: &'static str) -> &[(usize, &'n Node)] {
        self.kinds.get(&(Kind::Other, kind)).map(Vec::as_slice).unwrap_or_default()
    }
}

/// The names of Services that a resource may be about.
fn names(kind: Kind, resource: &Node) -> Vec<&str> {
    if kind == Kind::Service {
        return resource.text_at("metadata.name").into_iter().collect();
    }
    if !matches!(kind, Kind::VirtualService | Kind::DestinationRule) {
        return Vec::new();
    }
    let hosts = resource.get("spec.hosts").map(Node::elements).unwrap_or_default().iter();
    let hosts = hosts.chain(resource.get("spec.host")).filter_map(Node::text);
    let first =
        |host: &'_ str| if host.starts_with('*') { "*".len() } else { host.find('.').unwrap_or(host.len()) };
    let mut names: Vec<_> = hosts.filter_map(|host| host.get(..first(host))).collect();
    names.sort_unstable();
    names.dedup();
    names
}

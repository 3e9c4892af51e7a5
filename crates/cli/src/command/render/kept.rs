//! What a resource says besides its policy, and whether any of it would be lost.

use super::{Arguments, FILES};
use crate::command::Output;
use crate::command::loaded::{Loaded, refused};
use crate::error::CliError;
use crate::lint;
use crate::render::{Given, Kept, Shape};
use crate::source::SourceFile;

impl Arguments {
    /// Refuses a resource that says something which would be lost: what cannot be read, and what is not kept.
    pub(super) fn is_kept(&self, source: &SourceFile, loaded: &Loaded, kept: &Kept) -> Result<(), CliError> {
        // These are about the policy alone.
        if matches!(self.shape, Shape::StatsTags | Shape::PodAnnotation | Shape::ExtraStatTags) {
            return Ok(());
        }
        let resource = &loaded.resource;
        let is_known = |path: &str| resource.get(path).is_none_or(|node| node.text().is_some());
        let named = self.name.is_some() || resource.get("metadata.name").is_none();
        let replaced = [
            ("apiVersion", true),
            ("metadata.name", named),
            ("metadata", resource.get("metadata").is_none()),
            ("spec.selector", self.is_given(Given::Target)),
            ("spec.targetRef", self.is_given(Given::Target)),
            ("spec.phase", self.phase.is_some()),
            ("spec.priority", self.priority.is_some()),
            ("spec.url", self.is_given(Given::Module)),
            ("spec.sha256", self.is_given(Given::Module) || self.sha256.is_some()),
        ];
        let mut findings = lint::beside_policy(source, resource);
        findings.retain(|finding| {
            let place = finding.place.replace("spec.wasm.", "spec.");
            !self.is_clause_given(&place)
                && !replaced.iter().any(|(field, is_replaced)| *is_replaced && place.starts_with(field))
        });
        if !findings.is_empty() {
            return Err(refused(Output::Text, source.clone(), findings));
        }
        if self.namespace.is_none() && !is_known("metadata.namespace") {
            return Err(CliError::new(
                "the namespace of the resource is no text",
                "put it in quotes, or say --namespace",
            ));
        }
        let Some(lost) = kept.lost.iter().find(|lost| !self.is_given(lost.by)) else { return Ok(()) };
        let help = match lost.by {
            Given::Name => "say another --name, so that the resource stays as it is; or take the field out",
            Given::Target => "say --target or --selector",
            Given::Module | Given::File => "say --url",
            Given::Direction => "say --mode or --gateway; or take the field out",
            Given::Ports => "say --port; or take the field out",
            Given::Phase => {
                "render it as wasm-plugin with --phase; or put the filter first, or before the router"
            }
            Given::Priority => "render it as wasm-plugin with --priority; or take the field out",
            Given::Nothing => "take it out; or render the policy alone, and say the rest by options",
        };
        Err(CliError::new(format!("{:?} of the resource would be lost", lost.path), help))
    }

    /// Whether the command line, or the shape, says what is at this place of `match`: else it is kept.
    fn is_clause_given(&self, place: &str) -> bool {
        let Some(field) = place.strip_prefix("spec.match") else { return false };
        let (mode, ports) = (field.contains(".mode"), field.contains(".ports"));
        let is_mode_given = self.mode.is_some() || self.is_anywhere();
        (is_mode_given || ports) && (self.is_given(Given::Ports) || mode)
    }

    /// Whether the command line, or the shape, says this in place of the resource.
    fn is_given(&self, what: Given) -> bool {
        let is_file = FILES.contains(&self.shape);
        match what {
            Given::Name => self.name.is_some() || self.is_anywhere(),
            Given::File => self.url.is_some() || self.shape == Shape::Telemetry,
            // The others have one place, and a comment says so.
            Given::Phase => {
                self.phase.is_some() || self.is_anywhere() || self.shape == Shape::EnvoyExtensionPolicy
            }
            // It is kept in its own kind.
            Given::Priority => {
                self.priority.is_some() || self.is_anywhere() || self.shape == Shape::EnvoyFilter
            }
            Given::Target => {
                !self.selector.is_empty() || !self.target.is_empty() || self.shape == Shape::EnvoyFilterBlock
            }
            Given::Module => self.url.is_some() || is_file || self.shape == Shape::Telemetry,
            Given::Direction => self.mode.is_some() || self.gateway || self.is_anywhere(),
            Given::Ports => !self.ports.is_empty() || self.is_anywhere(),
            Given::Nothing => false,
        }
    }

    /// Whether the shape has neither the direction nor the ports of the resource.
    const fn is_anywhere(&self) -> bool {
        matches!(self.shape, Shape::EnvoyFilterBlock | Shape::Telemetry)
    }
}

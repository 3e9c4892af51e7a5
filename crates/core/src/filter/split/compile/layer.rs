//! `layer`: splits that share a layer never overlap.
//!
//! They hash under one salt, and their slots are laid out one after the other in the order of the list.
//! So no key is in the canaries of two of them. The last part of a layer can be held back from every
//! canary.

use crate::filter::split::bucket::BUCKETS;
use crate::filter::split::splitter::Split;
use crate::language::describe::{Object, field, object};
use crate::language::invalid::{Code, Invalid};
use crate::language::names;
use crate::language::policy_value::PolicyValue;
use crate::language::read::{self, Fields};

pub(super) static LAYER: Object = object!(
    "layer",
    Any,
    "Splits of one layer divide the same users and never overlap.",
    [],
    [
        field!("name", NAME, Required, "The layer's name, and its salt unless a split gives one."),
        field!(
            "holdback",
            Integer(0, BUCKETS as i64),
            Counts(0),
            "Parts of `weightTotal` that no canary of the layer gets."
        ),
    ],
);

/// The `layer` of a split, and what the layer needs to know of the split.
pub(super) struct Layered {
    name: Box<str>,
    holdback: Option<u32>,
    /// The salt that the split gives.
    pub(super) salt: Option<Box<[u8]>>,
    pub(super) total: u32,
    /// The sum of its `maxWeight`.
    pub(super) asked: u32,
}

/// A layer, as far as it has been laid out.
struct Layer {
    name: Box<str>,
    /// The split that named it first.
    first: usize,
    total: u32,
    salt: Option<Box<[u8]>>,
    holdback: Option<u32>,
    asked: u32,
    width: u32,
}

impl Layered {
    pub(super) fn read(tree: &PolicyValue, total: u32) -> Result<Self, Invalid> {
        let fields = Fields::open(tree, &LAYER)?;
        let holdback = fields.optional("holdback", |t| read::integer(t, 0..=i64::from(total)))?;
        Ok(Self {
            name: fields.required("name", names::name)?,
            holdback: holdback.and_then(|parts| u32::try_from(parts).ok()),
            salt: None,
            total,
            asked: 0,
        })
    }
}

/// Lays out every layer: gives its splits one salt and slots of their own.
pub(super) fn lay_out(splits: &mut [Split], layered: Vec<Option<Layered>>) -> Result<(), Invalid> {
    let mut layers: Vec<Layer> = Vec::new();
    let mut members = Vec::new();
    for (index, one) in layered.into_iter().enumerate() {
        let Some(one) = one else { continue };
        let known = layers.iter().position(|layer| layer.name == one.name);
        let at = known.unwrap_or_else(|| {
            layers.push(Layer::new(&one, index));
            layers.len().saturating_sub(1)
        });
        let Some(layer) = layers.get_mut(at) else { continue };
        let keys = |index: usize| splits.get(index).map(|split| &split.keys);
        let same_keys = keys(index) == keys(layer.first);
        layer.join(one, same_keys).map_err(|e| e.in_field("layer").in_index(index))?;
        if let Some(split) = splits.get_mut(index) {
            let slots = std::mem::take(&mut split.slots).starting_at(layer.width);
            layer.width = layer.width.saturating_add(slots.width());
            split.slots = slots;
        }
        members.push((index, at));
    }
    for (index, at) in members {
        let (Some(layer), Some(split)) = (layers.get(at), splits.get_mut(index)) else { continue };
        layer.fits().map_err(|e| e.in_field("layer").in_index(index))?;
        split.salt = layer.salt.clone().unwrap_or_else(|| layer.name.as_bytes().into());
    }
    Ok(())
}

impl Layer {
    fn new(one: &Layered, first: usize) -> Self {
        Self {
            name: one.name.clone(),
            first,
            total: one.total,
            salt: None,
            holdback: None,
            asked: 0,
            width: 0,
        }
    }

    fn join(&mut self, one: Layered, same_keys: bool) -> Result<(), Invalid> {
        let first = self.first;
        let differs = |what: &str| {
            Err(Invalid::new(
                Code::Conflict,
                format!("{what} differs from that of splits[{first}] in the same layer {:?}", self.name),
                "splits of a layer divide the same users: write the same, or use another layer",
            ))
        };
        if one.total != self.total {
            return differs("\"weightTotal\"");
        }
        if !same_keys {
            return differs("\"key\"");
        }
        if one.salt.is_some() && self.salt.is_some() && one.salt != self.salt {
            return differs("\"salt\"");
        }
        if one.holdback.is_some() && self.holdback.is_some() && one.holdback != self.holdback {
            return differs("\"holdback\"");
        }
        self.salt = one.salt.or(self.salt.take());
        self.holdback = one.holdback.or(self.holdback);
        self.asked = self.asked.saturating_add(one.asked);
        Ok(())
    }

    /// The slots and what is held back must fit the total.
    fn fits(&self) -> Result<(), Invalid> {
        let holdback = self.holdback.unwrap_or(0);
        let all = self.asked.saturating_add(holdback);
        if all <= self.total && self.width <= BUCKETS {
            return Ok(());
        }
        Err(Invalid::new(
            Code::WeightsDoNotFit,
            format!(
                "layer {:?} gives away {} by \"maxWeight\" and holds back {holdback}: {all} of {}",
                self.name, self.asked, self.total
            ),
            "lower a \"maxWeight\" or \"holdback\", or raise \"weightTotal\" in every split of the layer",
        ))
    }
}

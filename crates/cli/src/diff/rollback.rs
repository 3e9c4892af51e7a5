//! What a push does to canaries that a rollback has switched off.
//!
//! No file says whether a proxy has switched a canary off. So the notes say what becomes of it if one has.

use narrows_core::Mode;
use narrows_core::split::ramp::Ramp;
use narrows_core::split::rollback::Rule;
use narrows_core::split::{Splitter, View};

/// What a push means for canaries that are off, in words, a phrase for each canary that it concerns.
pub fn rollbacks(old: &Splitter, new: &Splitter, now: u64) -> Vec<String> {
    let before: Vec<_> = old.views(now).collect();
    let mut notes = Vec::new();
    for view in new.views(now) {
        let Some(earlier) = before.iter().find(|earlier| earlier.name == view.name) else { continue };
        let Some(rule) = earlier.rollback.filter(|rule| enforced(rule).next().is_some()) else { continue };
        split(&mut notes, (earlier, rule), &view);
    }
    notes
}

/// The classes that switch a canary off.
fn enforced(rule: &Rule) -> impl Iterator<Item = &'static str> {
    let classes = [("errors", rule.errors), ("latency", rule.latency), ("clientErrors", rule.client_errors)];
    classes.into_iter().filter(|(_, mode)| *mode == Mode::Enforce).map(|(name, _)| name)
}

fn split(notes: &mut Vec<String>, (old, before): (&View<'_>, &Rule), new: &View<'_>) {
    let name = new.name;
    let Some(after) = new.rollback else {
        if new.mode == Mode::Enforce {
            notes.push(format!("split {name}: a canary that its rollback has switched off is on again"));
        }
        return;
    };
    let kept: Vec<_> = enforced(after).collect();
    let dropped: Vec<_> = enforced(before).filter(|class| !kept.contains(class)).collect();
    if !dropped.is_empty() {
        let classes = dropped.join(" or ");
        notes.push(format!("split {name}: a canary that is off because of {classes} is on again"));
    }
    if after.generation < before.generation {
        let (from, to) = (before.generation, after.generation);
        notes.push(format!(
            "split {name}: the generation of its rollback goes down from {from} to {to}, which switches no canary on again"
        ));
    }
    for canary in canaries(new) {
        let Some(place) = old.backends.iter().position(|backend| *backend == canary.name) else { continue };
        let grows = canary.owned > owned(old, place) || old.ramps.get(place) != Some(&canary.ramp);
        let is_elsewhere = old.destinations.get(place) != Some(canary.destination);
        let canary = canary.name;
        let off = format!("split {name}: where its rollback has switched {canary} off");
        if is_elsewhere {
            notes.push(format!("{off}, this switches it on again, because its destination is another one"));
        } else if after.generation > before.generation {
            notes.push(format!("{off}, this switches it on again, because the generation is higher, unless that one was found worse before"));
        } else if grows && dropped.is_empty() {
            notes.push(format!(
                "{off}, it stays off: a higher \"generation\" or another destination would switch it on again"
            ));
        }
    }
}

/// A backend other than the baseline.
struct Canary<'v> {
    name: &'v str,
    destination: &'v Vec<u8>,
    ramp: Option<&'v Ramp>,
    owned: u32,
}

fn canaries<'v>(view: &'v View<'_>) -> impl Iterator<Item = Canary<'v>> {
    let backends = view.backends.iter().zip(&view.destinations).zip(&view.ramps).enumerate();
    let canaries = backends.filter(|(place, _)| *place != view.baseline);
    canaries.map(|(place, ((name, destination), ramp))| Canary {
        name,
        destination,
        ramp: *ramp,
        owned: owned(view, place),
    })
}

/// The buckets that a backend owns.
fn owned(view: &View<'_>, place: usize) -> u32 {
    let owned = view.slots.owned().iter().filter(|(_, _, backend)| *backend == place);
    owned.map(|(from, to, _)| to - from).sum()
}

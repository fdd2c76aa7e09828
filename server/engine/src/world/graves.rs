//! Apps that are no more, as the versions of their groups know them.
//!
//! Going back to a group's version brings back what was deleted since. What is kept is
//! only what some version of a group around it still shows: an app that came and went
//! between two versions of its groups leaves nothing. One could get it wrong by asking
//! for the app's last life alone: an id can be used again.

use super::World;
use crate::ids;
use crate::record::{AppRecord, GraveRecord, Record};
use padis_protocol::app::App;
use std::collections::BTreeSet;

impl World {
    /// Remembers an app that is deleted at this version, if a group's version shows it.
    pub fn bury(&mut self, app: &AppRecord, until: &str) {
        let definitions = app.versions.iter().chain(std::iter::once(&app.app)).cloned().collect();
        let grave = GraveRecord { id: app.id().to_owned(), until: until.to_owned(), definitions };
        if self.is_shown(&grave) {
            self.records.push(Record::Grave(Box::new(grave.clone())));
            self.graves.insert((grave.id.clone(), grave.until.clone()), grave);
        }
    }

    /// Whether a version of a group around it falls into its life.
    fn is_shown(&self, grave: &GraveRecord) -> bool {
        let born = grave.definitions.first().and_then(|a| a.version.as_deref()).unwrap_or_default();
        let around = ids::ancestors(&grave.id).filter_map(|g| self.groups.get(g));
        around.flat_map(|g| &g.versions).any(|v| born <= v.as_str() && v.as_str() < grave.until.as_str())
    }

    /// Forgets what no version shows any more.
    pub fn tend_graves(&mut self) {
        let gone: Vec<_> = self.graves.iter().filter(|(_, g)| !self.is_shown(g)).map(|(key, _)| key.clone()).collect();
        for key in gone {
            self.graves.remove(&key);
            self.records.push(Record::GraveGone(key.0, key.1));
        }
    }

    /// The apps below a group in the definitions that were in force at a version.
    pub fn apps_as_of(&self, group: &str, version: &str) -> Vec<App> {
        let dead = self.graves.keys().map(|(id, _)| id.as_str()).filter(|id| ids::is_below(id, group));
        let all: BTreeSet<&str> = self.ids_below(group).chain(dead).collect();
        let of = |id: &str| {
            let living = self.app(id).and_then(|a| a.as_of(version));
            living.or_else(|| {
                // The first of its lives that ended after the version.
                let key = (id.to_owned(), version.to_owned());
                let mut later = self.graves.range(key..).take_while(|((other, _), _)| other == id);
                let (_, grave) = later.find(|((_, until), _)| until.as_str() > version)?;
                let own = |a: &&App| a.version.as_deref().is_some_and(|v| v <= version);
                grave.definitions.iter().rev().find(own)
            })
        };
        all.into_iter().filter_map(of).cloned().collect()
    }
}

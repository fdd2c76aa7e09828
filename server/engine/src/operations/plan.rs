//! The steps of a deployment, as a pure function.
//!
//! Marathon's order: what goes is stopped, what is new is made known with no
//! instance yet, then everything moves level by level, an app after all that it
//! depends on. One could get it wrong by ordering only the apps that change: an
//! app between two of them carries the dependency on, so the levels are counted
//! over everything that can be reached.

use std::collections::{BTreeMap, HashMap, HashSet};

pub(crate) const STOP: &str = "StopApplication";
pub(crate) const START: &str = "StartApplication";
pub(crate) const SCALE: &str = "ScaleApplication";
pub(crate) const RESTART: &str = "RestartApplication";

/// Apps that depend on one another in a circle.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cycle;

/// The level of each app: one more than the highest of those that it needs.
pub(crate) fn levels<'a>(
    apps: impl Iterator<Item = &'a str>,
    needs: impl Fn(&str) -> Vec<String>,
) -> Result<HashMap<String, usize>, Cycle> {
    enum Visit {
        Enter(String),
        Leave(String, Vec<String>),
    }
    let mut levels: HashMap<String, usize> = HashMap::new();
    let mut inside: HashSet<String> = HashSet::new();
    // By hand, not by recursion: a chain may be ten thousand apps long.
    let mut open: Vec<Visit> = apps.map(|a| Visit::Enter(a.to_owned())).collect();
    while let Some(visit) = open.pop() {
        match visit {
            Visit::Enter(id) => {
                if levels.contains_key(&id) {
                    continue;
                }
                if !inside.insert(id.clone()) {
                    return Err(Cycle);
                }
                let needed = needs(&id);
                open.push(Visit::Leave(id, needed.clone()));
                open.extend(needed.into_iter().map(Visit::Enter));
            }
            Visit::Leave(id, needed) => {
                let below = needed.iter().filter_map(|n| levels.get(n)).max();
                let level = below.map_or(0, |l| l + 1);
                inside.remove(&id);
                levels.insert(id, level);
            }
        }
    }
    Ok(levels)
}

/// What a deployment does to which apps.
#[derive(Debug, Default)]
pub(crate) struct Moves {
    pub stop: Vec<String>,
    pub start: Vec<String>,
    /// Action and app.
    pub change: Vec<(&'static str, String)>,
}

impl Moves {
    /// The steps, each one action on each of its apps.
    pub fn steps(self, levels: &HashMap<String, usize>) -> Vec<Vec<(String, String)>> {
        let all = |action: &str, ids: &[String]| ids.iter().map(|id| (action.to_owned(), id.clone())).collect();
        let mut steps: Vec<Vec<(String, String)>> = vec![all(STOP, &self.stop), all(START, &self.start)];
        let mut by_level: BTreeMap<usize, Vec<(String, String)>> = BTreeMap::new();
        let moved = self.start.into_iter().map(|id| (SCALE, id)).chain(self.change);
        for (action, id) in moved {
            let level = levels.get(&id).copied().unwrap_or(0);
            by_level.entry(level).or_default().push((action.to_owned(), id));
        }
        steps.extend(by_level.into_values());
        steps.retain(|step| !step.is_empty());
        steps
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn of(graph: &[(&str, &[&str])]) -> Result<HashMap<String, usize>, Cycle> {
        let needs = |id: &str| {
            let found = graph.iter().find(|(n, _)| *n == id);
            found.map(|(_, d)| d.iter().map(|d| (*d).to_owned()).collect()).unwrap_or_default()
        };
        levels(graph.iter().map(|(n, _)| *n), needs)
    }

    #[test]
    fn an_app_comes_after_all_it_needs_and_circles_are_found() {
        let found = of(&[("/web", &["/app"]), ("/app", &["/db", "/cache"]), ("/db", &[]), ("/cache", &[])]).unwrap();
        assert_eq!((found["/db"], found["/cache"], found["/app"], found["/web"]), (0, 0, 1, 2));
        assert_eq!(of(&[("/a", &["/b"]), ("/b", &["/a"])]), Err(Cycle));
        assert_eq!(of(&[("/a", &["/a"])]), Err(Cycle));
        let diamond = of(&[("/d", &["/b", "/c"]), ("/b", &["/a"]), ("/c", &["/a"]), ("/a", &[])]).unwrap();
        assert_eq!(diamond["/d"], 2);
    }

    #[test]
    fn steps_are_in_marathons_order() {
        let levels = HashMap::from([("/db".to_owned(), 0), ("/web".to_owned(), 1), ("/old".to_owned(), 0)]);
        let moves = Moves {
            stop: vec!["/gone".to_owned()],
            start: vec!["/web".to_owned()],
            change: vec![(RESTART, "/db".to_owned()), (SCALE, "/old".to_owned())],
        };
        let told: Vec<String> = moves
            .steps(&levels)
            .iter()
            .map(|s| s.iter().map(|(a, i)| format!("{a} {i}")).collect::<Vec<_>>().join(", "))
            .collect();
        assert_eq!(
            told,
            [
                "StopApplication /gone",
                "StartApplication /web",
                "RestartApplication /db, ScaleApplication /old",
                "ScaleApplication /web"
            ]
        );
    }

    proptest! {
        /// In any graph without circles each app's level is above those of all it needs.
        #[test]
        fn levels_respect_every_edge(edges in prop::collection::vec((0_usize..30, 0_usize..30), 0..80)) {
            let needs = |id: &str| -> Vec<String> {
                let n: usize = id.parse().unwrap_or(0);
                edges.iter().filter(|(a, b)| a.max(b) == &n && a != b).map(|(a, b)| a.min(b).to_string()).collect()
            };
            let ids: Vec<String> = (0..30).map(|i| i.to_string()).collect();
            let found = levels(ids.iter().map(String::as_str), needs).unwrap();
            for id in &ids {
                for needed in needs(id) {
                    prop_assert!(found[&needed] < found[id]);
                }
            }
        }
    }
}

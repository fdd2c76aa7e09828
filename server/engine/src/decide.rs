//! What to start and what to stop for one app, as a pure function.
//!
//! It knows nothing of back-off or room: "start 3" means "3 are missing".
//! Ways to get it wrong: starting the replacement of a task that is still being
//! stopped (it still holds its share of the agent, as in Marathon), stopping an
//! old instance before its successor is ready, or stopping the healthy ones first
//! when scaling down.

use padis_protocol::app::UpgradeStrategy;

/// A live task as this decision sees it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Seen {
    pub id: String,
    /// It runs the definition in force.
    pub current: bool,
    /// It is running and healthy.
    pub ready: bool,
    /// It is running.
    pub running: bool,
    /// It is being stopped.
    pub killing: bool,
    /// When it was staged.
    pub since: i64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Default)]
pub(crate) struct Decision {
    pub start: u32,
    pub stop: Vec<String>,
}

/// Decides for one app.
pub(crate) fn decide(wanted: u32, strategy: UpgradeStrategy, oldest_first: bool, tasks: &[Seen]) -> Decision {
    let live: Vec<&Seen> = tasks.iter().collect();
    let staying = |current: bool| tasks.iter().filter(move |t| t.current == current && !t.killing);
    let new = staying(true).count() as u32;
    let old = staying(false).count() as u32;
    let new_killing = tasks.iter().filter(|t| t.current && t.killing).count() as u32;
    let mut decision = Decision::default();

    // Scale down: first what does not run, then what is not ready, then by age.
    if new > wanted {
        let mut candidates: Vec<&Seen> = staying(true).collect();
        candidates.sort_by_key(|t| (t.running, t.ready, if oldest_first { t.since } else { -t.since }));
        decision.stop.extend(candidates.iter().take((new - wanted) as usize).map(|t| t.id.clone()));
    }

    if old == 0 {
        let occupied = new + new_killing;
        decision.start = wanted.saturating_sub(occupied);
        return decision;
    }

    // Roll over.
    let share = |value: Option<f64>, default: f64| value.unwrap_or(default).clamp(0.0, 1.0) * f64::from(wanted);
    let mut most = wanted + share(strategy.maximum_over_capacity, 1.0).floor() as u32;
    let least = share(strategy.minimum_health_capacity, 1.0).ceil() as u32;
    if most == wanted && least >= wanted {
        most += 1; // Marathon too: else nothing could ever move.
    }
    let missing = wanted.saturating_sub(new + new_killing);
    decision.start = missing.min(most.saturating_sub(live.len() as u32));

    let ready = tasks.iter().filter(|t| t.ready && !t.killing).count() as u32;
    let new_ready = staying(true).filter(|t| t.ready).count() as u32;
    let mut leaving: Vec<&Seen> = staying(false).collect();
    leaving.sort_by_key(|t| (t.running, t.ready, t.since));
    if new_ready >= wanted {
        decision.stop.extend(leaving.iter().map(|t| t.id.clone()));
    } else {
        let mut spare = ready.saturating_sub(least);
        for task in leaving {
            if !task.ready {
                // Not counted as healthy: it may go, if room is needed or it is superfluous anyway.
                if missing > decision.start || new_ready + old > wanted {
                    decision.stop.push(task.id.clone());
                }
            } else if spare > 0 {
                spare -= 1;
                decision.stop.push(task.id.clone());
            }
        }
    }
    decision
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn task(id: usize, current: bool, ready: bool) -> Seen {
        Seen { id: id.to_string(), current, ready, running: ready, killing: false, since: id as i64 }
    }

    const PLAIN: UpgradeStrategy = UpgradeStrategy { maximum_over_capacity: None, minimum_health_capacity: None };

    #[test]
    fn scaling_up_and_down() {
        assert_eq!(decide(3, PLAIN, false, &[]).start, 3);
        let three = [task(1, true, true), task(2, true, true), task(3, true, true)];
        assert_eq!(decide(1, PLAIN, false, &three).stop, ["3", "2"], "the youngest first");
        assert_eq!(decide(1, PLAIN, true, &three).stop, ["1", "2"], "the oldest first");
        let sick = [task(1, true, false), task(2, true, true), task(3, true, true)];
        assert_eq!(decide(2, PLAIN, false, &sick).stop, ["1"], "the one that does not run first");
    }

    #[test]
    fn a_dying_task_is_replaced_when_it_is_dead() {
        let dying = Seen { killing: true, ..task(1, true, false) };
        assert_eq!(decide(1, PLAIN, false, &[dying]), Decision::default());
    }

    #[test]
    fn no_over_capacity_and_full_health_still_moves() {
        let strategy = UpgradeStrategy { maximum_over_capacity: Some(0.0), minimum_health_capacity: Some(1.0) };
        assert_eq!(decide(2, strategy, false, &[task(1, false, true), task(2, false, true)]).start, 1);
    }

    proptest! {
        /// From any start, following the decisions leads to exactly the wanted
        /// current instances, never below the promised health, never above the
        /// promised total.
        #[test]
        fn a_roll_over_keeps_its_promises(
            wanted in 0_u32..8,
            old in 0_usize..8,
            over in 0.0_f64..=1.0,
            health in 0.0_f64..=1.0,
        ) {
            let strategy = UpgradeStrategy { maximum_over_capacity: Some(over), minimum_health_capacity: Some(health) };
            let mut tasks: Vec<Seen> = (0..old).map(|i| task(i, false, true)).collect();
            let least = ((f64::from(wanted) * health).ceil() as usize).min(old);
            let most = old.max(wanted as usize + ((f64::from(wanted) * over).floor() as usize).max(1));
            let mut next = 100;
            for round in 0..200 {
                let decision = decide(wanted, strategy, false, &tasks);
                if decision == Decision::default() && tasks.iter().all(|t| t.ready && !t.killing) {
                    prop_assert_eq!(tasks.iter().filter(|t| t.current).count() as u32, wanted);
                    prop_assert_eq!(tasks.len() as u32, wanted);
                    return Ok(());
                }
                for id in &decision.stop {
                    for t in tasks.iter_mut().filter(|t| t.id == *id) { t.killing = true; }
                }
                for _ in 0..decision.start {
                    next += 1;
                    tasks.push(task(next, true, false));
                }
                prop_assert!(tasks.len() <= most, "{} > {most}", tasks.len());
                prop_assert!(tasks.iter().filter(|t| t.ready && !t.killing).count() >= least.min(wanted as usize));
                if round % 2 == 0 {
                    tasks.retain(|t| !t.killing);
                } else {
                    for t in &mut tasks { if !t.killing { t.ready = true; t.running = true; } }
                }
            }
            prop_assert!(false, "it never ends");
        }
    }
}

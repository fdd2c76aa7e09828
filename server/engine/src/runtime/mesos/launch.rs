//! After a turn: the tasks of each agent leave in one ACCEPT of all its offers, and
//! the offers that nobody used are declined.
//!
//! One could get it wrong by declining for long while something waits that a freed
//! share could serve: the filter is short then, and long only if nothing waits.

use super::Mesos;
use super::task::{self, Shares};
use crate::core::Core;
use crate::record::TaskRecord;
use crate::runtime::Runtime;
use crate::transitions::End;
use padis_protocol::app::App;
use padis_protocol::mesos::scheduler::{Accept, CallBody, Decline, Kill};
use padis_protocol::mesos::v1::{DurationInfo, Filters, KillPolicy, Launch, Offer, OperationBody, TaskInfo};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// Seconds for which declined resources do not come back while something waits.
const SHORT: f64 = 1.0;
/// And while nothing does; a revival ends it at once.
const LONG: f64 = 120.0;

type Batch = (Vec<Offer>, Vec<(TaskRecord, Arc<App>)>);

/// Sends what a turn has decided.
pub(in crate::runtime) fn after_turn(core: &Arc<Core>, launch: Vec<String>) {
    let ((batches, rest, waiting), _) = core.change(|w| {
        let mut batches: BTreeMap<usize, Batch> = BTreeMap::new();
        for id in launch {
            let (Some(task), Some(live)) = (w.tasks.get(&id), w.live.get(&id)) else { continue };
            let Some(index) = w.hosts.index(&task.agent) else { continue };
            batches.entry(index).or_default().1.push((task.clone(), Arc::clone(&live.spec)));
        }
        for (index, batch) in &mut batches {
            batch.0 = w.take_offers(*index);
        }
        (batches, w.take_all_offers(), !w.waiting.is_empty())
    });
    for batch in batches.into_values() {
        let core = Arc::clone(core);
        core.tracker.clone().spawn(async move { accept(&core, batch).await });
    }
    let core = Arc::clone(core);
    core.tracker.clone().spawn(async move {
        let Runtime::Mesos(mesos) = &core.runtime else { return };
        if !rest.is_empty() {
            let offer_ids = rest.into_iter().map(|o| o.id).collect();
            let filters = Some(Filters::refuse_s(if waiting { SHORT } else { LONG }));
            mesos
                .say("decline", CallBody::Decline(Box::new(Decline { offer_ids, filters, ..Decline::default() })))
                .await;
            // Only now: something may wait since, and its revival have come before this.
            mesos.told.lock().await.declined |= !waiting;
        }
        mesos.settle_offers(&core).await;
    });
}

async fn accept(core: &Arc<Core>, (offers, tasks): Batch) {
    let Runtime::Mesos(mesos) = &core.runtime else { return };
    let mut shares = Shares::of(&offers);
    let mut infos: Vec<TaskInfo> = Vec::new();
    let mut sent = Vec::new();
    for (task, app) in tasks {
        match task::info(&mesos.config, &task, &app, &mut shares) {
            Ok(info) => {
                infos.push(info);
                sent.push(task.id);
            }
            Err(message) => {
                core.change(|w| w.ended(&task.id, End::failed(message), Instant::now()));
            }
        }
    }
    let launch = OperationBody::Launch(Box::new(Launch { task_infos: infos, ..Launch::default() }));
    let accept = Accept {
        offer_ids: offers.into_iter().map(|o| o.id).collect(),
        operations: vec![launch.into()],
        filters: Some(Filters::refuse_s(0.0)),
        ..Accept::default()
    };
    let result = mesos.call(CallBody::Accept(Box::new(accept))).await;
    core.change(|w| {
        for id in &sent {
            if let Some(live) = w.live.get_mut(id) {
                live.launching = false;
            }
        }
    });
    match result {
        Ok(()) => {
            let late = core.look(|w| {
                let killing = |id: &&String| {
                    w.tasks.get(*id).is_some_and(|t| t.state == padis_protocol::task::TaskState::TaskKilling)
                };
                sent.iter().filter(killing).cloned().collect::<Vec<_>>()
            });
            for id in late {
                core.tracker.spawn(Arc::clone(core).kill(id));
            }
        }
        Err(error) => {
            // Whether it was received is not known; the next reconciliation tells.
            tracing::warn!(%error, tasks = sent.len(), "engine: an ACCEPT was not answered");
        }
    }
}

/// Asks for the end of a task; the end comes as an update.
pub(in crate::runtime) async fn stop(mesos: &Mesos, task: &TaskRecord) {
    let policy = KillPolicy {
        grace_period: Some(DurationInfo::from_ms(i64::from(task.grace_s) * 1000)),
        ..KillPolicy::default()
    };
    let kill = Kill {
        task_id: task.id.as_str().into(),
        agent_id: task.agent_id.as_deref().map(Into::into),
        kill_policy: Some(policy),
        ..Kill::default()
    };
    mesos.say("kill", CallBody::Kill(Box::new(kill))).await;
}

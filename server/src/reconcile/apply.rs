//! Applying: dull code, one idempotent step after another.
//!
//! A claim's row is committed before the outside thing is made and closed after
//! it is gone. One could get it wrong by the other order: a crash in between
//! would then leave something that nobody knows of.
//!
//! An address and the name of its instance are one claim: the name is made of
//! application, release and slot, which the claim of the address holds alone (by
//! index), so it is put after that claim and deleted before the claim is closed.
//! If it can't be deleted, the address goes back all the same: a name service that
//! is down must not keep a replacement from starting. The sweep finds such a name
//! as one of no claim, and takes it away.

use super::Reconciler;
use super::observe::{Seen, service_key};
use super::worker::RunError;
use crate::store::apps::{self, Moment};
use crate::store::claims::{self, Given, Owner};
use padis_domain::delivery::{Note, Step as Stop};
use padis_domain::plan::{Plan, Step, side_by_side};
use padis_domain::ports::{AddressTaken, Member, MemberState, NameRecord, PoolNet, PortError, SchedApp, SchedVolume};
use padis_domain::problem::System;
use padis_domain::stack::PackageForm;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

type Trouble = Option<(Stop, bool, Note)>;

/// Applies the plan; gives what the delivery waits for, if a step found that out.
///
/// A name of an instance serves nobody, so one that can't be made is an error only
/// when nothing else was done: else the back-off of a name service that is down
/// would stand between the steps of a replacement.
pub(super) async fn apply(r: &Arc<Reconciler>, s: &Seen, plan: &Plan) -> Result<Trouble, RunError> {
    let mut trouble = None;
    let mut unnamed = None;
    let mut rest = plan.steps.as_slice();
    while let Some(first) = rest.first() {
        let n = rest.iter().take_while(|x| std::ptr::eq(*x, first) || side_by_side(first, x)).count();
        let (now, later) = rest.split_at(n);
        for found in futures::future::join_all(now.iter().map(|step| one(r, s, step))).await {
            match found {
                Err(e) if matches!(first, Step::NameInstance { .. }) => unnamed = Some(e),
                other => trouble = other?.or(trouble),
            }
        }
        rest = later;
    }
    let nothing_else = plan.steps.iter().all(|step| matches!(step, Step::NameInstance { .. }));
    match unnamed {
        Some(e) if nothing_else => Err(e),
        _ => Ok(trouble),
    }
}

async fn one(r: &Arc<Reconciler>, s: &Seen, step: &Step) -> Result<Trouble, RunError> {
    let app = &s.intent.app;
    let owner = Owner { app_id: &s.intent.id, app };
    let key = service_key(app);
    let p = &r.ports;
    tracing::debug!(app.id = %app, step = ?step, "applying");
    match step {
        Step::DropMember { key: member } => {
            p.balancer.delete_member(&key, member).await?;
            claims::let_go(&r.store, &s.intent.id, "member", &format!("{key}/{member}")).await?;
        }
        Step::GiveBack { task_id } => {
            p.network.detach(&s.pool.name, task_id).await?;
            r.prober.forget(task_id);
            super::lock(&r.leaving).remove(task_id);
            let held = s.claims.iter().find(|c| c.kind == "address" && c.task_id.as_ref() == Some(task_id));
            if let Some((release, slot)) = held.and_then(|c| Some((c.release?, c.slot?))) {
                let name = s.pool.instance_name(app, release, slot);
                match p.dns.delete(&name).await {
                    Ok(()) => r.learn_name(&name, None),
                    Err(e) => tracing::warn!(name, cause = %e.chain(), "a name is left to the sweep"),
                }
            }
            claims::give_back(&r.store, task_id, s.pool.quarantine_s, "instance gone").await?;
            r.changes.publish(format!("addresses:{}", s.pool.name), Some(&app.team));
        }
        Step::Schedule { release, instances } => p.scheduler.put(&sched_app(r, s, *release, *instances)?).await?,
        Step::Scale { release, instances } => p.scheduler.scale(&app.marathon_id(*release), *instances).await?,
        Step::Unschedule { release } => p.scheduler.delete(&app.marathon_id(*release)).await?,
        Step::Retire { release } => {
            apps::retire(&r.store, &s.intent.id, *release).await?;
        }
        Step::Allocate { release, task_id, slot } => {
            let gateway = gateway(s)?;
            let (pool, net) = (&s.pool.name, s.pool.subnet);
            let given = claims::allocate(&r.store, &owner, *release, *slot, task_id, pool, net, gateway).await?;
            r.changes.publish(format!("addresses:{pool}"), Some(&app.team));
            if given == Given::Full {
                return Ok(Some((Stop::Allocated, false, Note::NoAddress { pool: pool.clone() })));
            }
        }
        Step::Attach { task_id, ip } => {
            let net = net(s)?;
            super::pools::ensure(r, &s.pool, &net).await?;
            let attached = p.network.attach(&net, task_id, *ip).await;
            match attached.as_ref().err().and_then(AddressTaken::of) {
                // Reserved, with its reason, until an operator has looked; the next look takes another.
                Some(taken) => {
                    let address = padis_domain::address::dotted(*ip);
                    tracing::warn!(pool.id = %s.pool.name, address, by = %taken.by, "an address is set aside: it is not free outside");
                    if claims::set_aside(&r.store, task_id, &taken.to_string()).await? {
                        super::story::set_aside(r, &s.pool.name, address, taken).await?;
                    }
                    r.changes.publish(format!("addresses:{}", s.pool.name), Some(&app.team));
                }
                None => attached?,
            }
        }
        Step::NameInstance { release, slot, ip } => {
            super::pools::ensure(r, &s.pool, &net(s)?).await?;
            let (name, ip) = (s.pool.instance_name(app, *release, *slot), padis_domain::address::dotted(*ip));
            put_name(r, s, &name, ip, true).await?;
        }
        Step::PutService => {
            let Some(service) = s.wanted_service() else { return Ok(None) };
            hold(r, &owner, "service", &service.key, None, None, None, System::Balancer).await?;
            p.balancer.put_service(&service).await?;
        }
        Step::PutMember { release, task_id, slot, ip, state } => {
            let Some(rel) = s.release(*release) else { return Ok(None) };
            let member = Member {
                key: padis_domain::plan::member_key(*release, task_id),
                ip: padis_domain::address::dotted(*ip),
                port: rel.contract.port,
                state: *state,
            };
            let what = format!("{key}/{}", member.key);
            hold(r, &owner, "member", &what, Some(*release), Some(*slot), Some(task_id), System::Balancer).await?;
            p.balancer.put_member(&key, &member).await?;
            if *state == MemberState::Ready && apps::mark(&r.store, task_id, Moment::Well).await? {
                super::story::well(r, s, *release, *slot, &member.ip).await?;
            }
        }
        Step::Leave { task_id, why } => {
            apps::mark(&r.store, task_id, Moment::Leaving(why.as_str())).await?;
        }
        Step::Kill { release, task_id } => {
            r.prober.forget(task_id);
            p.scheduler.kill(&app.marathon_id(*release), task_id, true).await?;
        }
        Step::Replace { release, task_id, slot, finding, times } => {
            if apps::mark(&r.store, task_id, Moment::Leaving("sick")).await? {
                super::story::replaced(r, s, *release, *slot, finding, *times).await?;
            }
            p.scheduler.kill(&app.marathon_id(*release), task_id, false).await?;
        }
        Step::PutName => {
            let name = &s.intent.host_name;
            hold(r, &owner, "name", name, None, None, None, System::Dns).await?;
            put_name(r, s, name, r.set.names_to.clone(), false).await?;
        }
        Step::DropName => {
            p.dns.delete(&s.intent.host_name).await?;
            r.learn_name(&s.intent.host_name, None);
            if claims::let_go(&r.store, &s.intent.id, "name", &s.intent.host_name).await? {
                super::story::released(r, s, "name", &s.intent.host_name).await?;
            }
        }
        Step::DropService => {
            p.balancer.delete_service(&key).await?;
            if claims::let_go(&r.store, &s.intent.id, "service", &key).await? {
                super::story::released(r, s, "service", &key).await?;
            }
        }
        Step::Forget => apps::forget(&r.store, &s.intent.id).await?,
    }
    Ok(None)
}

#[expect(clippy::too_many_arguments, reason = "a claim has that many parts")]
async fn hold(
    r: &Reconciler,
    owner: &Owner<'_>,
    kind: &str,
    what: &str,
    release: Option<u32>,
    slot: Option<u32>,
    task: Option<&str>,
    system: System,
) -> Result<(), RunError> {
    if claims::hold(&r.store, owner, kind, what, release, slot, task).await? {
        return Ok(());
    }
    Err(PortError::refused(system, format!("the {kind} {what} is held by another application")).into())
}

/// Puts a name with its one address, and the way back if `ptr`.
async fn put_name(r: &Reconciler, s: &Seen, name: &str, address: String, ptr: bool) -> Result<(), RunError> {
    let addresses = vec![address];
    let record = NameRecord { name: name.to_owned(), addresses: addresses.clone(), ttl_s: s.pool.ttl_s, ptr };
    r.ports.dns.put(&record).await?;
    r.learn_name(name, Some(addresses));
    Ok(())
}

fn net(s: &Seen) -> Result<PoolNet, RunError> {
    Ok(PoolNet { pool: s.pool.name.clone(), subnet: s.pool.subnet, gateway: gateway(s)?, vlan: s.pool.vlan })
}

fn gateway(s: &Seen) -> Result<u32, RunError> {
    s.pool.gateway_ip().ok_or_else(|| {
        PortError::refused(System::Network, format!("the gateway of pool {} is not an address", s.pool.name)).into()
    })
}

/// The path of a package below the data folder: a file, or the unpacked tree beside it.
fn package_path(r: &Reconciler, sha256: &str, kind: &str, form: PackageForm) -> PathBuf {
    let name = match form {
        PackageForm::File => format!("{sha256}.{kind}"),
        PackageForm::Tree => format!("{sha256}.tree"),
    };
    r.set.packages.join(sha256.get(..2).unwrap_or("xx")).join(name)
}

/// The Marathon app of a release.
fn sched_app(r: &Reconciler, s: &Seen, release: u32, instances: u32) -> Result<SchedApp, RunError> {
    let gone = |what: String| RunError::from(PortError::refused(System::Disk, what));
    let rel = s.release(release).ok_or_else(|| gone(format!("release r{release} is not recorded")))?;
    let package = package_path(r, &rel.spec.package, &rel.package_kind, rel.contract.form);
    if !package.exists() {
        return Err(gone(format!("the application package {} is gone", &rel.spec.package.get(..12).unwrap_or(""))));
    }
    let app = &s.intent.app;
    let logs = r.set.logs.join(&app.team).join(&app.app).join(format!("r{release}"));
    log_folder(&logs, rel.contract.uid).map_err(|e| PortError::transient(System::Disk, "make the log folder", e))?;
    let mut env = BTreeMap::new();
    for (name, var) in &rel.spec.env {
        let value = if var.secret {
            let opened = r.set.sealer.open(&s.intent.id, name, &var.value);
            opened.map_err(|e| gone(format!("the secret value of {name} can't be read: {e}")))?
        } else {
            var.value.clone()
        };
        env.insert(name.clone(), value);
    }
    env.insert("PADIS_TEAM".into(), app.team.clone());
    env.insert("PADIS_APP".into(), app.app.clone());
    env.insert("PADIS_RELEASE".into(), format!("r{release}"));
    env.insert("PADIS_STAGE".into(), s.pool.stage.to_string());
    env.insert("PADIS_HOST_NAME".into(), s.intent.host_name.clone());
    let label = |k: &str, v: &str| (format!("io.padis.{k}"), v.to_owned());
    Ok(SchedApp {
        id: app.marathon_id(release),
        image: rel.spec.image.clone(),
        instances,
        cpu_milli: rel.spec.size.cpu_milli,
        mem_mib: rel.spec.size.mem_mib,
        env,
        labels: BTreeMap::from([
            label("team", &app.team),
            label("app", &app.app),
            label("app-id", &s.intent.id),
            label("release", &release.to_string()),
            label("pool", &s.pool.name),
        ]),
        constraints: s.pool.constraints(),
        volumes: vec![
            SchedVolume {
                host_path: package.display().to_string(),
                container_path: rel.contract.package_path.clone(),
                read_only: true,
            },
            SchedVolume {
                host_path: logs.display().to_string(),
                container_path: rel.contract.log_path.clone(),
                read_only: false,
            },
        ],
        network: "none".into(),
        kill_grace_s: r.set.kill_grace_s,
    })
}

/// Makes a release's log folder writable for the container's user and for nobody
/// else, where we may give it away; otherwise for all, with the sticky bit.
fn log_folder(path: &std::path::Path, uid: u32) -> std::io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, chown};
    std::fs::create_dir_all(path)?;
    let mode = if chown(path, Some(uid), Some(uid)).is_ok() { 0o750 } else { 0o1777 };
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

//! The forms about pools, quotas, addresses and packages.

use super::{Faults, Form, cores, memory, pairs, seen};
use padis_domain::Problem;
use padis_domain::address::SubnetError;
use padis_domain::app::AppRef;
use padis_domain::pool::PoolSpec;
use padis_domain::problem::ValueFault;
use padis_domain::quantity::Amount;
use padis_domain::words::{Stage, Zone};
use serde::{Deserialize, Serialize};

/// A pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PoolForm {
    /// Name.
    pub name: String,
    /// Stage's word.
    pub stage: String,
    /// Zone's word.
    pub zone: String,
    /// Lines of `attribute=value`.
    pub hosts: String,
    /// `a.b.c.d/n`.
    pub subnet: String,
    /// Dotted.
    pub gateway: String,
    /// VLAN tag, or empty.
    pub vlan: String,
    /// Domain.
    pub domain: String,
    /// Seconds.
    pub ttl_s: String,
    /// Seconds.
    pub quarantine_s: String,
    /// Revision on which the form was based; 0 or empty for a new pool.
    pub seen: String,
    /// Token from when the form was rendered.
    pub once: String,
}

impl PoolForm {
    /// The form that changes `spec`.
    pub fn of(spec: &PoolSpec, revision: i64, once: String) -> Self {
        Self {
            name: spec.name.clone(),
            stage: spec.stage.to_string(),
            zone: spec.zone.to_string(),
            hosts: spec.hosts.iter().map(|(k, v)| format!("{k}={v}\n")).collect(),
            subnet: spec.subnet.to_string(),
            gateway: spec.gateway.clone(),
            vlan: spec.vlan.map(|v| v.to_string()).unwrap_or_default(),
            domain: spec.domain.clone(),
            ttl_s: spec.ttl_s.to_string(),
            quarantine_s: spec.quarantine_s.to_string(),
            seen: revision.to_string(),
            once,
        }
    }
    /// The revision on which the form was based.
    pub fn seen(&self) -> Result<i64, Problem> {
        seen(&self.seen)
    }
    /// The domain's struct, or everything that is malformed.
    pub fn read(&self) -> Result<PoolSpec, Problem> {
        let mut faults = Faults::default();
        let subnet = self.subnet.trim().parse().map_err(|e| match e {
            _ if self.subnet.trim().is_empty() => ValueFault::Missing,
            SubnetError::Prefix => ValueFault::OutOfRange { min: 16, max: 29 },
            SubnetError::Malformed | SubnetError::HostBits => ValueFault::Malformed,
        });
        let vlan = Some(self.vlan.trim()).filter(|v| !v.is_empty());
        let rest = |faults: &mut Faults, subnet| PoolSpec {
            name: self.name.trim().to_owned(),
            stage: faults.word("stage", &self.stage, Stage::parse, Stage::Dev),
            zone: faults.word("zone", &self.zone, Zone::parse, Zone::Web),
            hosts: faults.take(pairs("hosts", &self.hosts)),
            subnet,
            gateway: self.gateway.trim().to_owned(),
            vlan: vlan.map(|v| faults.number("vlan", v, None)),
            domain: self.domain.trim().trim_end_matches('.').to_ascii_lowercase(),
            ttl_s: faults.number("ttl_s", &self.ttl_s, Some(5)),
            quarantine_s: faults.number("quarantine_s", &self.quarantine_s, Some(60)),
        };
        match subnet {
            Ok(subnet) => {
                let spec = rest(&mut faults, subnet);
                faults.done(spec)
            }
            Err(fault) => {
                faults.add("subnet", fault);
                // The other fields are judged all the same, on any legal subnet.
                if let Ok(any) = "10.0.0.0/24".parse() {
                    rest(&mut faults, any);
                }
                match faults.done(()) {
                    Ok(()) => Err(Problem::missing("subnet")),
                    Err(p) => Err(p),
                }
            }
        }
    }
}
impl Form for PoolForm {}

/// A team's quota in a pool.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct QuotaForm {
    /// Pool.
    pub pool: String,
    /// Team slug.
    pub team: String,
    /// Cores.
    pub cpu: String,
    /// Memory, MiB unless a unit stands behind it.
    pub mem: String,
    /// Instances.
    pub instances: String,
    /// Addresses.
    pub addresses: String,
}

impl QuotaForm {
    /// The amount, or everything that is malformed.
    pub fn read(&self) -> Result<Amount, Problem> {
        let mut faults = Faults::default();
        let zero = |s: &str| if s.trim().is_empty() { "0".to_owned() } else { s.to_owned() };
        let amount = Amount {
            cpu_milli: faults.take(cores("cpu", &zero(&self.cpu))),
            mem_mib: faults.take(memory("mem", &zero(&self.mem))),
            instances: faults.number("instances", &self.instances, Some(0)),
            addresses: faults.number("addresses", &self.addresses, Some(0)),
        };
        faults.done(amount)
    }
}
impl Form for QuotaForm {}

/// A range of addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RangeForm {
    /// Pool.
    pub pool: String,
    /// First, dotted.
    pub from: String,
    /// Last, dotted; empty: only the first.
    pub to: String,
    /// Why, when reserving.
    pub reason: String,
}

impl RangeForm {
    /// The last address: `to`, or `from` if there is none.
    pub fn last(&self) -> &str {
        if self.to.trim().is_empty() { self.from.trim() } else { self.to.trim() }
    }
}
impl Form for RangeForm {}

/// Deleting something by typing its name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct DeleteForm {
    /// Pool's name or team's slug.
    pub name: String,
    /// The typed name.
    pub confirm: String,
}
impl Form for DeleteForm {}

/// A host that is taken out of service or put back.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HostForm {
    /// Its agent id.
    pub host: String,
    /// The pool on whose page it was pressed.
    pub pool: String,
    /// Why it is taken out.
    pub reason: String,
}
impl Form for HostForm {}

/// A team's package.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct PackageForm {
    /// Team slug.
    pub team: String,
    /// sha-256, hex.
    pub sha256: String,
}
impl Form for PackageForm {}

/// What is to be looked at.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct LookForm {
    /// `team/app`; empty: everything.
    pub key: String,
}
impl Form for LookForm {}

impl LookForm {
    /// The application; `None`: everything.
    ///
    /// # Errors
    /// It is not of the form `team/app`.
    pub fn app(&self) -> Result<Option<AppRef>, Problem> {
        match (self.key.trim(), self.key.trim().split_once('/')) {
            ("", _) => Ok(None),
            (_, Some((team, app))) => Ok(Some(super::app_ref(team, app))),
            _ => Err(Problem::NotFound),
        }
    }
}

/// A row of the work queue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WorkForm {
    /// Key.
    pub key: String,
    /// Why it is parked.
    pub reason: String,
}
impl Form for WorkForm {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pool_survives_its_own_form() {
        let form = PoolForm {
            name: "sf-prod".into(),
            stage: "prod".into(),
            zone: "SF".into(),
            hosts: "zone=SF\nrack=a".into(),
            subnet: "10.1.0.0/20".into(),
            gateway: "10.1.0.1".into(),
            vlan: "1240".into(),
            domain: "Prod.Example.".into(),
            ..Default::default()
        };
        let spec = form.read();
        let Ok(spec) = spec else { panic!("{spec:?}") };
        assert_eq!((spec.vlan, spec.domain.as_str(), spec.hosts.len()), (Some(1240), "prod.example", 2));
        assert_eq!(PoolForm::of(&spec, 3, String::new()).read(), Ok(spec));
    }

    #[test]
    fn a_bad_subnet_does_not_hide_the_other_faults() {
        let form = PoolForm { subnet: "10.0.0.1/24".into(), vlan: "x".into(), ..Default::default() };
        let Err(Problem::Fields { problems }) = form.read() else { panic!("not refused") };
        let fields: Vec<_> = problems.iter().filter_map(Problem::about_field).collect();
        assert_eq!(fields, ["subnet", "stage", "zone", "vlan"]);
    }
}

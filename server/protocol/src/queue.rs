//! The launch queue: what waits, and why.

use crate::Extra;
use crate::app::App;
use crate::pod::Pod;
use serde::{Deserialize, Serialize};

/// Answer of `GET /v2/queue`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Queue {
    /// One item for each app that waits.
    #[serde(default)]
    pub queue: Vec<QueueItem>,
}

/// One waiting app.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueItem {
    /// The app; absent for a pod.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<App>,
    /// The pod, if it is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pod: Option<Box<Pod>>,
    /// Instances left to launch.
    #[serde(default)]
    pub count: u32,
    /// Mesos role.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// Back-off.
    #[serde(default)]
    pub delay: QueueDelay,
    /// When it began to wait.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Offers counted by reason of refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub processed_offers_summary: Option<OffersSummary>,
    /// The last refused offers, if embedded.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_unused_offers: Option<Vec<UnusedOffer>>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// The back-off of a waiting app.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct QueueDelay {
    /// Seconds until the next attempt.
    #[serde(default)]
    pub time_left_seconds: u64,
    /// True: it waits for offers. False: it waits for its time.
    #[serde(default)]
    pub overdue: bool,
}

/// Offers counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OffersSummary {
    /// Offers looked at since the attempt began.
    #[serde(default)]
    pub processed_offers_count: u64,
    /// Offers that could not be used.
    #[serde(default)]
    pub unused_offers_count: u64,
    /// When the last one could not be used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_unused_offer_at: Option<String>,
    /// When the last one was used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_used_offer_at: Option<String>,
    /// Reasons, counting the last offer of each agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_summary_last_offers: Option<Vec<DeclinedStep>>,
    /// Reasons since the attempt began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reject_summary_launch_attempt: Option<Vec<DeclinedStep>>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// One stage of the funnel that offers pass.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct DeclinedStep {
    /// `UnfulfilledConstraint`, `InsufficientCpus`, …
    pub reason: String,
    /// Offers refused here.
    #[serde(default)]
    pub declined: u64,
    /// Offers that came so far.
    #[serde(default)]
    pub processed: u64,
}

/// An offer that could not be used.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct UnusedOffer {
    /// The offer.
    pub offer: Offer,
    /// Why.
    #[serde(default)]
    pub reason: Vec<String>,
    /// When.
    #[serde(default)]
    pub timestamp: String,
}

/// An offer: what an agent had to give.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Offer {
    /// Id.
    pub id: String,
    /// Host name of the agent.
    #[serde(default)]
    pub hostname: String,
    /// The agent's id.
    #[serde(default)]
    pub agent_id: String,
    /// What it had.
    #[serde(default)]
    pub resources: Vec<OfferValue>,
    /// Its attributes.
    #[serde(default)]
    pub attributes: Vec<OfferValue>,
    /// Unknown members.
    #[serde(flatten)]
    pub extra: Extra,
}

/// A resource or an attribute in an offer.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct OfferValue {
    /// Name.
    pub name: String,
    /// Mesos role, for resources.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// A number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scalar: Option<f64>,
    /// A text, for attributes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Ranges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ranges: Option<Vec<Range>>,
    /// Values.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub set: Option<Vec<String>>,
}

/// A range with both ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Range {
    /// First.
    pub begin: u64,
    /// Last.
    pub end: u64,
}

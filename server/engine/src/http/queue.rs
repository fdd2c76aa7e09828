//! `/v2/queue`: what waits, and why.

use super::error::ApiError;
use super::tasks::app_before;
use super::{Answer, Query, Shared, params};
use crate::placement::Refusal;
use crate::world::{Waiting, World};
use axum::Json;
use axum::extract::Path;
use axum::response::IntoResponse;
use padis_protocol::queue::{
    DeclinedStep, Offer, OfferValue, OffersSummary, Queue, QueueDelay, QueueItem, UnusedOffer,
};
use padis_protocol::timestamp;
use std::time::Instant;

/// `GET /v2/queue`
pub(super) async fn list(core: Shared, query: Query) -> Answer {
    let offers = params(&query, "embed").contains(&"lastUnusedOffers");
    let queue = core.look(|w| w.waiting.iter().filter_map(|(id, waiting)| item(w, id, waiting, offers)).collect());
    Ok(Json(Queue { queue }).into_response())
}

fn item(w: &World, id: &str, waiting: &Waiting, offers: bool) -> Option<QueueItem> {
    let app = w.app(id)?;
    let left = w.backoff.get(id).map(|b| b.left(Instant::now())).unwrap_or_default();
    Some(QueueItem {
        app: Some(app.app.clone()),
        count: waiting.count,
        role: Some(String::from("*")),
        delay: QueueDelay {
            // Rounded up: "0 seconds left" would be a promise to start now.
            time_left_seconds: left.as_secs() + u64::from(left.subsec_nanos() > 0),
            overdue: left.is_zero(),
        },
        since: Some(timestamp::format(waiting.since_ms)),
        processed_offers_summary: Some(OffersSummary {
            processed_offers_count: waiting.processed,
            unused_offers_count: waiting.unused,
            last_unused_offer_at: waiting.last_unused_ms.map(timestamp::format),
            last_used_offer_at: waiting.last_used_ms.map(timestamp::format),
            reject_summary_last_offers: Some(funnel(waiting.last.values().sum(), |refusal| {
                waiting.last.get(&refusal).copied().unwrap_or(0)
            })),
            reject_summary_launch_attempt: Some(funnel(waiting.processed, |refusal| {
                waiting.refused.get(&refusal).copied().unwrap_or(0)
            })),
            ..OffersSummary::default()
        }),
        last_unused_offers: offers.then(|| unused(w, waiting)),
        ..QueueItem::default()
    })
}

/// The stages in order; each one sees what the stages before let pass.
fn funnel(offers: u64, declined: impl Fn(Refusal) -> u64) -> Vec<DeclinedStep> {
    let mut left = offers;
    let stage = |refusal: Refusal| {
        let step = DeclinedStep { reason: refusal.name().to_owned(), declined: declined(refusal), processed: left };
        left = left.saturating_sub(step.declined);
        step
    };
    Refusal::FUNNEL.into_iter().map(stage).collect()
}

fn unused(w: &World, waiting: &Waiting) -> Vec<UnusedOffer> {
    let at = waiting.last_unused_ms.unwrap_or(0);
    let offer = |(index, refusal): &(usize, Refusal)| {
        let (agent, room) = (w.hosts.agents.get(*index)?, w.hosts.rooms.get(*index)?);
        let scalar = |name: &str, value: f64| OfferValue {
            name: name.to_owned(),
            role: room.roles.first().cloned(),
            scalar: Some(value.max(0.0)),
            ..OfferValue::default()
        };
        let text = |(name, value): (&String, &String)| OfferValue {
            name: name.clone(),
            text: Some(value.clone()),
            ..OfferValue::default()
        };
        Some(UnusedOffer {
            offer: Offer {
                id: format!("{}-O{at}", agent.id),
                hostname: room.name.to_string(),
                agent_id: agent.id.clone(),
                resources: vec![
                    scalar("cpus", room.cpus_free),
                    scalar("mem", room.mem_free),
                    scalar("disk", room.disk_free),
                ],
                attributes: room.attributes.iter().map(text).collect(),
                ..Offer::default()
            },
            reason: vec![refusal.name().to_owned()],
            timestamp: timestamp::format(at),
        })
    };
    waiting.samples.iter().filter_map(offer).collect()
}

/// `DELETE /v2/queue/{id}/delay`
pub(super) async fn reset_delay(core: Shared, Path(rest): Path<String>) -> Answer {
    let Some(id) = app_before(&rest, "delay") else { return Err(super::error::wrong_method().await) };
    let (known, _) = core.change(|w| {
        let known = w.waiting.contains_key(&id);
        if known {
            w.backoff.remove(&id);
            w.dirty.insert(id.clone());
        }
        known
    });
    match known {
        true => Ok(axum::http::StatusCode::NO_CONTENT.into_response()),
        false => Err(ApiError::new(404, format!("Application {id} not found in tasks queue."))),
    }
}

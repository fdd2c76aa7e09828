//! Promotions of images. What is read of them is written by the server (`pages::written`).

use super::ask::Ask;
use super::fault::Said;
use super::form::{PromoteForm, PromotionForm};
use leptos::prelude::*;
use leptos::server_fn::codec::PostUrl;
#[cfg(feature = "ssr")]
use {super::call, leptos::server_fn::ServerFn, padis_domain::Problem};

/// Asks for a promotion.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "promote")]
pub async fn promote(#[server(flatten)] form: PromoteForm) -> Said<String> {
    let (c, portal) = call::begin()?;
    let said = async { portal.promote(&c, &form.read(), &form.once).await }.await;
    call::settle(Promote::PATH, &c, &form, said, Some("/images/promotions".to_owned()))
}

/// Says yes or no to one.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "judge_promotion")]
pub async fn judge_promotion(#[server(flatten)] form: PromotionForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async {
        let yes = match form.verdict.as_str() {
            "yes" => true,
            "no" => false,
            _ => return Err(Problem::missing("verdict")),
        };
        portal.judge_promotion(&c, &form.id, yes, &form.note).await
    }
    .await;
    call::settle(JudgePromotion::PATH, &c, &form, said, None)
}

/// Takes one back before anybody has said yes.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "withdraw_promotion")]
pub async fn withdraw_promotion(#[server(flatten)] form: PromotionForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.withdraw_promotion(&c, &form.id).await }.await;
    call::settle(WithdrawPromotion::PATH, &c, &form, said, None)
}

/// Rolls one back.
#[server(protocol = Ask<PostUrl>, prefix = "/api", endpoint = "roll_back_promotion")]
pub async fn roll_back_promotion(#[server(flatten)] form: PromotionForm) -> Said<()> {
    let (c, portal) = call::begin()?;
    let said = async { portal.roll_back_promotion(&c, &form.id).await }.await;
    call::settle(RollBackPromotion::PATH, &c, &form, said, None)
}

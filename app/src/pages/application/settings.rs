//! Settings: how many, how big, how we know it is well, variables; below them
//! the danger zone.
//!
//! The form is based on the revision that was shown first: it is not refreshed
//! while somebody types, or a colleague's change would be overwritten unseen.

use super::header::keys;
use super::{danger, refused, shared, trying, with_app_once};
use crate::api::form::{ReleaseForm, env_text, seconds_text as seconds};
use crate::api::{self, Outcome, ReleaseApp, Said, Scale, read_kept, use_asked, use_kept};
use crate::fetch::Fetch;
use crate::pages::parts::{Act, act, act_form, hidden, seen};
use crate::text::{Texts, texts, units};
use crate::ui::{Button, Erase, NumberField, Shape, TextArea, TextField, Tone, mark, notice, section};
use leptos::prelude::*;
use padis_domain::Problem;
use padis_domain::action::Action;
use padis_domain::app::{AppRef, HealthRule, MAX_INSTANCES};
use padis_domain::view::{AppView, Tried};

const FIELDS: &[&str] =
    &["cpu", "mem", "health_path", "health_expect", "interval_s", "timeout_s", "failures", "grace_s", "env", "secrets"];

/// The application, a token, what was typed before a try, and what that found.
type Fresh = (AppView, String, Option<ReleaseForm>, Option<Said<Option<Tried>>>);

/// The tab.
#[component]
pub fn Settings() -> AnyView {
    let t = texts();
    let Some(s) = shared() else { return ().into_any() };
    let (scale, change) = (act::<Scale>(), act::<ReleaseApp>());
    let (scaled, saved) = (scale.told.version, change.told.version);
    let once = Fetch::new(move || (scaled.get(), saved.get()), |_| api::once());
    let kept = use_kept::<ReleaseForm>("release_app");
    let asked = use_asked("try_health");
    let fresh = Fetch::new(
        move || (s.app.get(), saved.get(), asked.get()),
        |(a, _, asked)| async move {
            let (v, token) = (api::app(a).await?, api::once().await?);
            if !asked {
                return Ok((v, token, None, None)) as Said<Fresh>;
            }
            let typed = read_kept::<ReleaseForm>("try_health").await?.filter(|k| k.app == v.app.app);
            let form = typed.unwrap_or_else(|| form_of(&v));
            let said = api::try_health(form.clone()).await;
            Ok((v, token, Some(form), Some(said)))
        },
    );
    let coming = move || async move {
        let kept = kept.await;
        match fresh.await {
            Ok((v, token, typed, tried)) => {
                // What was typed comes back, on the present revision.
                let back = typed.or_else(|| kept.filter(|k| k.app == v.app.app));
                let again = back.as_ref().is_some_and(|k| !k.secrets.is_empty());
                let form = match back {
                    Some(k) => ReleaseForm { seen: v.revision.to_string(), ..k },
                    None => form_of(&v),
                };
                configuring(t, &v, form, change, &token, again, tried)
            }
            // The head says why there is nothing.
            Err(_) => ().into_any(),
        }
    };
    view! {
        {with_app_once(once, move |v, token| scaling(t, &v, scale, token))}
        {crate::pages::waiting(t.app.settings, 6, Box::new(move || Box::pin(coming())))}
        {danger::danger(once)}
    }
    .erase()
}

fn scaling(t: &'static Texts, v: &AppView, scale: Act<Scale>, once: &str) -> AnyView {
    let a = &t.app;
    let left = v.quota.quota.minus(v.quota.used.plus(v.quota.held));
    let hint = (a.quota_left)(&t.cpu(left.cpu_milli), &units::mib(left.mem_mib), &t.instances(left.instances));
    let fields = view! {
        {keys(v, once)}
        <NumberField
            id="instances"
            label=a.scale
            value=v.wanted.to_string()
            min=1
            max=i64::from(MAX_INSTANCES)
            hint=hint
            error=scale.told.error("instances")
        />
        <div class="row">
            <Button id="scale-do" label=a.scale_do refused=Signal::stored(refused(v, Action::Scale))/>
        </div>
    }
    .erase();
    let body = view! {
        <p class="lead">{a.scale_lead}</p>
        {scale.told.notice(&["instances"], a.done_scale)}
        {changed(scale.told.said)}
        {act_form(scale, "scale-form", "narrow", fields.into_any())}
    }
    .erase();
    section("sch", a.scale, "", body.into_any())
}

fn form_of(v: &AppView) -> ReleaseForm {
    let HealthRule { path, expect, interval_ms, timeout_ms, failures, grace_s } = v.spec.health.clone();
    ReleaseForm {
        team: v.app.team.clone(),
        app: v.app.app.clone(),
        seen: v.revision.to_string(),
        size: "exact".into(),
        cpu: units::fixed(f64::from(v.spec.size.cpu_milli) / 1000.0, 3),
        mem: units::mib(u64::from(v.spec.size.mem_mib)),
        health_path: path,
        health_expect: expect,
        interval_s: seconds(interval_ms),
        timeout_s: seconds(timeout_ms),
        failures: failures.to_string(),
        grace_s: grace_s.to_string(),
        env_given: "on".into(),
        env: env_text(&v.spec.env, false),
        secrets: env_text(&v.spec.env, true),
        ..ReleaseForm::default()
    }
}

fn configuring(
    t: &'static Texts,
    v: &AppView,
    f: ReleaseForm,
    change: Act<ReleaseApp>,
    once: &str,
    again: bool,
    tried: Option<Said<Option<Tried>>>,
) -> AnyView {
    let (a, n, told) = (&t.app, &t.new_app, change.told);
    let secrets = again.then(|| notice(Shape::Warn, a.secrets_again, "", ().into_any()));
    let fields = view! {
        {hidden("team", f.team)}
        {hidden("app", f.app)}
        {seen(told, f.seen)}
        {hidden("size", "exact")}
        {hidden("env_given", "on")}
        {hidden("once", once)}
        // Enter saves: a form's first button is the one that it presses.
        <button class="vh" tabindex="-1" aria-hidden="true"></button>
        <div class="subgrid">
            <TextField id="cpu" label=n.exact_cpu value=f.cpu inputmode="decimal" hint=n.exact_cpu_hint error=told.error("cpu")/>
            <TextField id="mem" label=n.exact_mem value=f.mem hint=n.exact_mem_hint error=told.error("mem")/>
            <TextField id="health_path" label=n.health_path value=f.health_path code=true hint=n.health_path_hint error=told.error("health_path")/>
            <TextField id="health_expect" label=n.expect value=f.health_expect code=true hint=n.expect_hint error=told.error("health_expect")/>
        </div>
        {trying::trying(v, tried)}
        {rules(t, [f.interval_s, f.timeout_s, f.failures, f.grace_s], told)}
        <div class="subgrid">
            <TextArea id="env" label=a.env value=f.env code=true note=t.shell.optional hint=a.env_hint error=told.error("env")/>
            <TextArea id="secrets" label=a.secrets value=f.secrets code=true note=t.shell.optional hint=a.secrets_hint error=told.error("secrets")/>
        </div>
        <div class="row gap">
            <Button id="save" label=a.save tone=Tone::Primary refused=Signal::stored(refused(v, Action::Configure))/>
        </div>
    }.erase();
    let body = view! {
        <p class="lead">{a.config_lead}</p>
        {told.notice(FIELDS, a.saved)}
        {secrets}
        {changed(told.said)}
        {act_form(change, "config-form", "column", fields.into_any())}
    }
    .erase();
    let config = section("coh", a.config, "", body.into_any());
    view! { {config} {elsewhere(t, &v.app)} }.into_any()
}

/// Taking it to another environment: the form for a new application, filled in. A plain
/// form, because the server fills that in.
fn elsewhere(t: &'static Texts, app: &AppRef) -> AnyView {
    let a = &t.app;
    let body = view! {
        <form method="post" action="/api/copy_environment">
            <p class="lead">{a.elsewhere_lead}</p>
            {hidden("team", app.team.clone())}
            {hidden("app", app.app.clone())}
            <Button id="elsewhere" label=a.elsewhere_do/>
        </form>
    }
    .erase();
    section("elh", a.elsewhere, "", body)
}

/// How often and how patiently the health page is asked.
pub fn rules(t: &'static Texts, values: [String; 4], told: crate::pages::parts::Told) -> AnyView {
    let n = &t.new_app;
    let [interval, timeout, failures, grace] = values;
    view! {
        <details class="more">
            <summary>{n.more_rules}</summary>
            <div class="grid4">
                <TextField id="interval_s" label=n.interval value=interval inputmode="decimal" suffix=Signal::stored(Some(n.seconds.to_owned())) error=told.error("interval_s")/>
                <TextField id="timeout_s" label=n.timeout value=timeout inputmode="decimal" suffix=Signal::stored(Some(n.seconds.to_owned())) error=told.error("timeout_s")/>
                <TextField id="failures" label=n.failures value=failures inputmode="numeric" suffix=Signal::stored(Some(n.times.to_owned())) error=told.error("failures")/>
                <TextField id="grace_s" label=n.grace value=grace inputmode="numeric" suffix=Signal::stored(Some(n.seconds.to_owned())) error=told.error("grace_s")/>
            </div>
        </details>
    }
    .erase()
}

/// What somebody else changed meanwhile.
pub fn changed(said: Memo<Outcome>) -> AnyView {
    let t = texts();
    view! {
        {move || match said.get() {
            Outcome::Failed(api::Fault::Portal(Problem::ChangedMeanwhile { changes, .. })) => {
                let rows = changes.iter().map(|c| view! { <li>{t.change(c)}</li> }.erase()).collect_view();
                view! {
                    <div class="note" data-s=Shape::Held.as_str()>
                        {mark(Shape::Held)}
                        <div>
                            <p><b>{t.app.what_changed}</b></p>
                            <ul class="changes">{rows}</ul>
                            <p>{t.app.yours_kept}</p>
                        </div>
                    </div>
                }
                .erase()
            }
            _ => ().into_any(),
        }}
    }
    .into_any()
}

//! Step 4: how we know it is well; and the variables.

use super::draft::Draft;
use crate::text::texts;
use crate::ui::{Button, ButtonSize, Erase, Icon, TextArea, TextField, why};
use leptos::prelude::*;
use padis_domain::app::HealthRule;

/// The step.
pub fn step(d: Draft) -> AnyView {
    let t = texts();
    let n = &t.new_app;
    let usual = HealthRule::fresh("/");
    let lead = (n.well_lead)(&t.lasting(i64::from(usual.interval_ms)), &t.times(usual.failures));
    let done = Signal::derive(move || d.health_path.with(|p| p.starts_with('/')));
    let from_package = Signal::derive(move || {
        let found = d.chosen_package().and_then(|p| p.facts.health_path);
        found.filter(|f| d.health_path.with(|p| p == f)).map(|_| n.from_package.to_owned())
    });
    let rule = move |i: usize| Callback::new(move |v: String| d.rules.update(|r| r[i] = v));
    let [interval, timeout, failures, grace] = d.rules.get_untracked();
    let unit = |s: &'static str| Signal::stored(Some(s.to_owned()));
    let seconds = |ms: u32| crate::text::units::fixed(f64::from(ms) / 1000.0, 1);
    let filled = [d.env, d.secrets].iter().any(|text| text.with_untracked(|t| !t.is_empty()));
    let body = view! {
        <div class="subgrid first">
            <TextField
                id="health_path"
                label=n.health_path
                code=true
                value=d.health_path.get_untracked()
                follow=d.health_path
                hint=n.health_path_hint
                fine=from_package
                error=d.error("health_path")
                on_input=Callback::new(move |v: String| {
                    d.own_path.set(!v.is_empty());
                    d.health_path.set(v);
                })
            />
            <TextField
                id="health_expect"
                label=n.expect
                code=true
                note=t.shell.optional
                value=d.health_expect.get_untracked()
                hint=n.expect_hint
                error=d.error("health_expect")
                on_input=Callback::new(move |v| d.health_expect.set(v))
            />
        </div>
        <div class="row gap">
            <Button id="try" label=n.try_it size=ButtonSize::Small refused=Signal::stored(Some(n.try_later.to_owned())) bare=true/>
            {why("try-why".to_owned(), Icon::Info, n.try_later)}
        </div>
        <details class="more">
            <summary>{n.more_rules}</summary>
            <div class="grid4">
                <TextField id="interval_s" label=n.interval value=interval placeholder=seconds(usual.interval_ms) inputmode="decimal" suffix=unit(n.seconds) error=d.error("interval_s") on_input=rule(0)/>
                <TextField id="timeout_s" label=n.timeout value=timeout placeholder=seconds(usual.timeout_ms) inputmode="decimal" suffix=unit(n.seconds) error=d.error("timeout_s") on_input=rule(1)/>
                <TextField id="failures" label=n.failures value=failures placeholder=usual.failures.to_string() inputmode="numeric" suffix=unit(n.times) error=d.error("failures") on_input=rule(2)/>
                <TextField id="grace_s" label=n.grace value=grace placeholder=usual.grace_s.to_string() inputmode="numeric" suffix=unit(n.seconds) error=d.error("grace_s") on_input=rule(3)/>
            </div>
        </details>
        // What was filled in before is seen: there may be something to type again in it.
        <details class="more" open=filled>
            <summary>{n.env_title}</summary>
            <div class="subgrid first">
                <TextArea id="env" label=n.env code=true note=t.shell.optional value=d.env.get_untracked() hint=n.env_hint error=d.error("env") on_input=Callback::new(move |v| d.env.set(v))/>
                <TextArea id="secrets" label=n.secrets code=true note=t.shell.optional value=d.secrets.get_untracked() hint=n.secrets_hint error=d.error("secrets") on_input=Callback::new(move |v| d.secrets.set(v))/>
            </div>
        </details>
    }.erase();
    super::step(4, "s4", n.well, lead, done, body.into_any())
}
